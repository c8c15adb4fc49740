"""All units of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from torch import nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.blocks import InvertedResidual
from eegvit.networks.efficientvit.families.cascaded import LocalMixer, Merging
from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.former import FormerBlock
from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)
from eegvit.networks.efficientvit.families.linear import LinearAttention
from eegvit.networks.efficientvit.families.multiscale import MultiscaleAttention
from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.hemispheres import SharedScalpMap
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.maps.temporal_map import TemporalSpatialMap
from eegvit.networks.shallow import ShallowConvNet
from eegvit.networks.spiking.network import SpikingNetwork
from eegvit.networks.spread import FewerPlanes
from eegvit.networks.units.attentions import of_cascaded, of_former, of_multiscale, of_plain
from eegvit.networks.units.blocks import (
    of_electrodes,
    of_former_block,
    of_inverted,
    of_merging,
    of_mixer,
    of_scalp,
    of_stem,
)
from eegvit.networks.units.linear import of_linear
from eegvit.networks.units.plain import of_eegnet, of_shallow, of_spiking
from eegvit.networks.units.unit import Units

KNOWN: dict[type[nn.Module], Callable[[Any], Iterator[Units]]] = {
    CascadedAttention: of_cascaded,
    PlainAttention: of_plain,
    LinearAttention: of_linear,
    TalkingAttention: of_former,
    DualPathDownsampling: of_former,
    MultiscaleAttention: of_multiscale,
    LocalMixer: of_mixer,
    Merging: of_merging,
    InvertedResidual: of_inverted,
    FormerBlock: of_former_block,
    TemporalSpatialMap: of_stem,
    ScalpMap: of_scalp,
    SharedScalpMap: of_scalp,
    FewerPlanes: of_stem,
    ElectrodeMap: of_electrodes,
    EEGNet: of_eegnet,
    ShallowConvNet: of_shallow,
    SpikingNetwork: of_spiking,
}


def units_of(network: nn.Module) -> dict[str, Units]:
    """Return what can be taken out of a network, by name.

    Convolutions within groups of planes are taken apart into one of each group, which changes
    what the network consists of but not what it does.

    Examples
    --------
    >>> found = units_of(nn.Sequential(EEGNet(3, 128, 2)))
    >>> {name: len(units) for name, units in found.items()}
    {'0:filters': 8, '0:features': 16}
    """
    return {units.name: units for units in _found(network, "")}


def _found(module: nn.Module, path: str) -> Iterator[Units]:
    known = KNOWN.get(type(module))
    if known is not None:
        for units in known(module):
            yield replace(units, name=f"{path}:{units.name}")
    if not isinstance(module, FewerPlanes):
        for name, child in module.named_children():
            yield from _found(child, f"{path}.{name}" if path else name)
