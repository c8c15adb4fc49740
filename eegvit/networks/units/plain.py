"""Units of EEGNet, ShallowConvNet and spiking networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.shallow import ShallowConvNet
from eegvit.networks.spiking.lif import LIF
from eegvit.networks.spiking.network import SpikingNetwork
from eegvit.networks.units.blocks import after, of_front, unchanged
from eegvit.networks.units.unit import Place, Units, columns, of_norm, rows


def flattened(layer: nn.Linear, n_units: int, unit: int) -> list[Place]:
    """Return the places of a unit in a layer that sees several numbers of each, side by side."""
    size = layer.in_features // n_units
    return columns(layer, range(unit * size, (unit + 1) * size), carries=True)


def of_eegnet(module: EEGNet) -> Iterator[Units]:
    """Yield temporal filters with all that follows from each, and the last features."""
    filters, features = [], []
    for unit in range(len(module.front.temporal)):
        planes = after(module.front, [unit])
        filters.append(
            of_front(module.front, [unit])
            + of_norm(module.norm_1, planes)
            + [
                Place(module, "depthwise", 0, planes),
                Place(module, "pointwise", 1, planes, carries=True),
            ]
        )
    n_features = len(module.pointwise)
    for unit in range(n_features):
        own = [Place(module, "pointwise", 0, (unit,)), *of_norm(module.norm_2, [unit])]
        features.append(own + flattened(module.head, n_features, unit))
    yield Units("filters", "filters", filters, unchanged)
    yield Units("features", "features", features, unchanged)


def of_shallow(module: ShallowConvNet) -> Iterator[Units]:
    """Yield temporal filters, and spatial ones."""
    n_spatial, n_temporal, _ = module.spatial.shape
    filters = [
        [
            Place(module, "temporal", 0, (unit,)),
            Place(module, "temporal_bias", 0, (unit,)),
            Place(module, "spatial", 1, (unit,), carries=True),
        ]
        for unit in range(n_temporal)
    ]
    features = [
        [
            Place(module, "spatial", 0, (unit,)),
            *of_norm(module.norm, [unit]),
            *flattened(module.head, n_spatial, unit),
        ]
        for unit in range(n_spatial)
    ]
    yield Units("filters", "filters", filters, unchanged)
    yield Units("features", "features", features, unchanged)


def of_spiking(module: SpikingNetwork) -> Iterator[Units]:
    """Yield the neurons of each layer that mixes what it is given."""
    front, synapses = module.front, module.synapses

    def narrow(kept: Sequence[int]) -> None:
        front.n_features = len(kept)

    if isinstance(front.mixing, nn.Linear):
        last = None if synapses is not None else module.head
        places = [
            of_neuron(front.mixing, front.neurons, unit)
            + (flattened(last, front.n_features, unit) if last else [])
            + (columns(synapses, [unit], carries=True) if synapses is not None else [])
            for unit in range(front.n_features)
        ]
        yield Units("neurons 0", "neurons", places, narrow)
    if synapses is not None and module.neurons is not None:
        places = [
            of_neuron(synapses, module.neurons, unit)
            + flattened(module.head, synapses.out_features, unit)
            for unit in range(synapses.out_features)
        ]
        yield Units("neurons 1", "neurons", places, unchanged)


def of_neuron(layer: nn.Linear, neurons: LIF, unit: int) -> list[Place]:
    """Return the places of a neuron: what makes its current, its constants, what comes back."""
    constants: list[Any] = [
        Place(neurons, name, 0, (unit,), silenced=False)
        for name in ("log_time_constant", "log_threshold")
    ]
    if neurons.recurrent is not None:
        constants.append(Place(neurons, "recurrent", 0, (unit,)))
        constants.append(Place(neurons, "recurrent", 1, (unit,), carries=True))
    return rows(layer, [unit]) + constants
