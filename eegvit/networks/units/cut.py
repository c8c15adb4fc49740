"""Taking units out of a network, adding others, and silencing them."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.depthwise import Depthwise
from eegvit.networks.units.find import units_of
from eegvit.networks.units.unit import Place, Units

Kept = Mapping[str, Sequence[int]]  # of some of a network's units: which are left
Dimension = tuple[nn.Module, str, int]  # of a tensor of a module

FAINT = 1e-9  # what copies give, as a share of what is copied: they can still be trained


def cut(network: nn.Module, kept: Kept) -> nn.Module:
    """Return another network of the same class, without some of its units, or with more.

    It gives what the whole network gives where the units that are not left are silent. A unit
    that is named again is copied; copies give next to nothing.

    Parameters
    ----------
    network : nn.Module
        It stays as it is.
    kept : mapping
        The numbers of the units that are left, by names of `units_of`; of others all are.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network, x = EEGNet(3, 128, 2).eval(), torch.randn(2, 3, 128)
    >>> small = cut(network, {":filters": [0, 3]})
    >>> small(x).shape, len(small.front.temporal)
    (torch.Size([2, 2]), 2)
    >>> wide = cut(network, {":features": [0, 0, 0, *range(1, 16)]})
    >>> len(wide.pointwise), torch.allclose(wide(x), network(x), atol=1e-6)
    (18, True)
    """
    whole = copy.deepcopy(network)
    found = units_of(whole)
    _check(found, kept)
    for heads in (False, True):  # heads last: what is within them has their numbers
        if heads and not any(found[name].role == "heads" for name in kept):
            break
        found = units_of(whole) if heads else found
        todo = [
            (units, sorted(kept[name]))
            for name, units in found.items()
            if name in kept and (units.role == "heads") == heads
        ]
        for units, left in todo:
            if units.scaled:
                _rescale(units, left)
        _select(todo)
        for units, left in todo:
            instead = units.narrow(left)
            if instead is not None:
                whole = _replaced(whole, units.name.partition(":")[0], instead)
    return whole


def silenced(network: nn.Module, kept: Kept) -> nn.Module:
    """Return a network of the same size in which the units that are not kept give nothing.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network, x, kept = EEGNet(3, 128, 2).eval(), torch.randn(2, 3, 128), {":features": [1]}
    >>> torch.allclose(silenced(network, kept)(x), cut(network, kept)(x), atol=1e-6)
    True
    """
    whole = copy.deepcopy(network)
    found = units_of(whole)
    _check(found, kept)
    with torch.no_grad():
        for name, left in kept.items():
            for place in _lost(found[name], left):
                if place.silenced and isinstance(place.tensor, nn.Parameter):
                    at = torch.tensor(place.positions, device=place.tensor.device)
                    place.tensor.index_fill_(place.dim, at, 0.0)
    return whole


def _check(found: Mapping[str, Units], kept: Kept) -> None:
    for name, left in kept.items():
        if name not in found:
            raise ValueError(f"the network has no units '{name}'; it has {', '.join(found)}")
        if not left or not set(left) <= set(range(len(found[name]))):
            raise ValueError(f"of {len(found[name])} units '{name}' one or more are left: {left}")
        if len(set(left)) < len(left) and not found[name].widens:
            raise ValueError(f"units '{name}' cannot be copied: {left}")


def _lost(units: Units, left: Sequence[int]) -> list[Place]:
    gone = set(range(len(units))) - set(left)
    return [place for number in sorted(gone) for place in units.places[number]]


def _rescale(units: Units, left: Sequence[int]) -> None:
    """Let the units that are left give as much though they are over the root of another number."""
    factor = (len(left) / len(units)) ** 0.5
    with torch.no_grad():
        for number in set(left):
            for place in units.places[number]:
                if place.carries:
                    at = torch.tensor(place.positions, device=place.tensor.device)
                    scaled = place.tensor.index_select(place.dim, at) * factor
                    place.tensor.index_copy_(place.dim, at, scaled)


def _select(todo: Sequence[tuple[Units, Sequence[int]]]) -> None:
    """Take positions out of all tensors and put copies behind others, each once."""
    gone: dict[Dimension, set[int]] = defaultdict(set)
    copied: dict[Dimension, dict[int, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for units, left in todo:
        for place in _lost(units, left):
            if not place.goes:
                gone[place.module, place.name, place.dim].update(place.positions)
        for number, times in Counter(left).items():
            for place in units.places[number] * (times - 1):
                copied[place.module, place.name, place.dim][place.positions[-1]].append(place)
    for dimension in dict.fromkeys((*gone, *copied)):
        _select_of(dimension, gone[dimension], copied[dimension])
    for module, _, _ in (*gone, *copied):
        _fit_to_weights(module)


def _select_of(dimension: Dimension, gone: set[int], copied: Mapping[int, list[Place]]) -> None:
    """Take positions out of a dimension of a tensor, and put copies of some behind others."""
    module, name, dim = dimension
    tensor: Tensor = getattr(module, name)
    chosen: list[int] = []
    faint: list[int] = []  # where copies are by which next to nothing is to pass
    for number in range(tensor.shape[dim]):
        chosen += [number] * (number not in gone)
        for place in copied.get(number, ()):
            faint += range(len(chosen), len(chosen) + len(place.positions)) if place.carries else ()
            chosen += place.positions
    at = torch.tensor(chosen, device=tensor.device)
    other = tensor.detach().index_select(dim, at)
    if faint:
        where = torch.tensor(faint, device=tensor.device)
        other.index_copy_(dim, where, FAINT * other.index_select(dim, where))
    if isinstance(tensor, nn.Parameter):
        other = nn.Parameter(other, requires_grad=tensor.requires_grad)
    setattr(module, name, other)


def _fit_to_weights(module: nn.Module) -> None:
    """Let a layer of torch know the size of its weights."""
    if isinstance(module, nn.Conv2d):
        if isinstance(module, Depthwise):
            module.groups = len(module.weight)
        module.out_channels = len(module.weight)
        module.in_channels = module.weight.shape[1] * module.groups
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.modules.batchnorm._BatchNorm):
        module.num_features = len(module.weight)


def _replaced(network: nn.Module, path: str, instead: nn.Module) -> nn.Module:
    if not path:
        return instead
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, instead)
    return network
