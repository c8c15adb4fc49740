"""Units of networks: what can be taken out, with all the weights that belong to it."""

from eegvit.networks.units.cut import cut, silenced
from eegvit.networks.units.find import units_of
from eegvit.networks.units.unit import ROLES, Place, Role, Units

__all__ = ["ROLES", "Place", "Role", "Units", "cut", "silenced", "units_of"]
