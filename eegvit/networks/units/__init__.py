"""Units of networks: what can be taken out or added, with all the weights that belong to it."""

from eegvit.networks.units.cut import Kept, cut, silenced
from eegvit.networks.units.find import units_of
from eegvit.networks.units.unit import ROLES, Place, Role, Units
from eegvit.networks.units.widen import widened

__all__ = ["ROLES", "Kept", "Place", "Role", "Units", "cut", "silenced", "units_of", "widened"]
