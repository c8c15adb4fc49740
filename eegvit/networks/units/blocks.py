"""Units between two layers, and filters at the front of EfficientViT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from eegvit.networks.efficientvit.blocks import InvertedResidual, SqueezeExcite
from eegvit.networks.efficientvit.families.cascaded import LocalMixer, Merging
from eegvit.networks.efficientvit.families.former import FormerBlock
from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.maps.temporal_map import TemporalSpatialMap
from eegvit.networks.spread import FewerPlanes
from eegvit.networks.temporal_spatial import TemporalSpatial
from eegvit.networks.units.unit import Layer, Place, Units, columns, of_norm, rows


def unchanged(kept: Sequence[int]) -> None:
    """Do nothing: the layers know the number of units by their weights."""


def hidden(
    first: Layer, last: Layer, middle: Layer | None = None, gate: SqueezeExcite | None = None
) -> Units:
    """Return the planes between two layers, perhaps with a depthwise one and a gate on the way."""
    places = []
    for unit in range(len(columns(last, [0])[0].tensor[0])):
        own = rows(first, [unit]) + columns(last, [unit], carries=True)
        if middle is not None:
            own += rows(middle, [unit])
        if gate is not None:
            own += columns(gate.squeeze, [unit], carries=True) + rows(gate.excite, [unit])
        places.append(own)
    return Units("hidden", "hidden", places, unchanged)


def of_mixer(module: LocalMixer) -> Iterator[Units]:
    """Yield the hidden planes of a feed-forward network, where there is one."""
    feed: Any = getattr(module, "feed", None)
    if feed is not None:
        network = feed.inner[0]
        yield hidden(network[0], network[2])


def of_merging(module: Merging) -> Iterator[Units]:
    """Yield the hidden planes of an inverted residual with a gate."""
    layers: list[Any] = list(module)
    yield hidden(layers[0], layers[5], layers[2], layers[4])


def of_inverted(module: InvertedResidual) -> Iterator[Units]:
    """Yield the hidden planes of an inverted residual."""
    layers: list[Any] = list(module)
    yield hidden(layers[0], layers[4], layers[2])


def of_former_block(module: FormerBlock) -> Iterator[Units]:
    """Yield the hidden planes of a unified feed-forward network."""
    feed: Any = module.feed
    network = feed.inner[0]
    yield hidden(network[0], network[4], network[2])


def of_front(front: TemporalSpatial, filters: Sequence[int]) -> list[Place]:
    """Return the places of temporal filters and of the spatial filters of each."""
    at, spatial = tuple(filters), after(front, filters)
    return [
        Place(front, "temporal", 0, at),
        *of_norm(front.norm, at),
        Place(front, "spatial", 0, spatial),
    ]


def after(front: TemporalSpatial, filters: Sequence[int]) -> tuple[int, ...]:
    """Return which spatial filters some temporal filters have.

    Examples
    --------
    >>> after(TemporalSpatial(3, 4, 2, 5), [1])
    (2, 3)
    """
    n_each = len(front.spatial) // len(front.temporal)
    return tuple(unit * n_each + own for unit in filters for own in range(n_each))


def of_stem(module: TemporalSpatialMap | FewerPlanes) -> Iterator[Units]:
    """Yield the temporal filters of a map of one row, each with its spatial filters.

    The stages after it keep their width: planes without filters are zero.
    """
    layout: Any = module.inner if isinstance(module, FewerPlanes) else module
    places = [
        of_front(layout.front, [unit])
        + of_norm(layout.norm, after(layout.front, [unit]), carries=True)
        for unit in range(len(layout.front.temporal))
    ]

    def narrow(kept: Sequence[int]) -> nn.Module:
        planes = after(layout.front, kept)
        if isinstance(module, FewerPlanes):
            return FewerPlanes(layout, module.spread.narrowed(planes))
        n_planes = len(places) * layout.front.depth
        return FewerPlanes.of(layout, n_planes, planes)

    yield Units("filters", "filters", places, narrow, fixed=True)


def of_scalp(module: ScalpMap) -> Iterator[Units]:
    """Yield the temporal filters of a map of the scalp, each with a spatial filter in each row."""
    n_filters = len(module.front.temporal)
    places = [
        of_front(module.front, [unit])
        + of_norm(module.norm, after(module.front, [unit]))
        + of_norm(module.log_norm, [unit])
        + columns(module.project, [unit], carries=True)
        + columns(module.project, [n_filters + unit], carries=True)
        for unit in range(n_filters)
    ]
    yield Units("filters", "filters", places, unchanged)


def of_electrodes(module: ElectrodeMap) -> Iterator[Units]:
    """Yield the filters over time and places of a map of electrodes."""
    filters = module.filters
    places = [
        rows(filters.time, [unit])
        + rows(filters.space, [unit])
        + of_norm(filters.norm, [unit])
        + [Place(filters, "place", 0, (unit,))]
        + columns(module.project, [unit], carries=True)
        for unit in range(len(filters.place))
    ]
    yield Units("filters", "filters", places, unchanged)
