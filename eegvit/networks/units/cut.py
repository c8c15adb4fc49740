"""Taking units out of a network, and silencing them."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.depthwise import Depthwise
from eegvit.networks.units.find import units_of
from eegvit.networks.units.unit import Place, Units

Kept = Mapping[str, Sequence[int]]  # of some of a network's units: which are left


def cut(network: nn.Module, kept: Kept) -> nn.Module:
    """Return a smaller network of the same class, without some of its units.

    It gives what the whole network gives where these are silent.

    Parameters
    ----------
    network : nn.Module
        It stays as it is.
    kept : mapping
        The numbers of the units that are left, by names of `units_of`; of others all are.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> small = cut(EEGNet(3, 128, 2), {":filters": [0, 3]})
    >>> small(torch.randn(2, 3, 128)).shape, len(small.front.temporal)
    (torch.Size([2, 2]), 2)
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
        _take_out([place for units, left in todo for place in _lost(units, left)])
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


def _lost(units: Units, left: Sequence[int]) -> list[Place]:
    gone = set(range(len(units))) - set(left)
    return [place for number in sorted(gone) for place in units.places[number]]


def _rescale(units: Units, left: Sequence[int]) -> None:
    """Let the units that are left give as much though they are over the root of fewer."""
    factor = (len(left) / len(units)) ** 0.5
    with torch.no_grad():
        for number in left:
            for place in units.places[number]:
                if place.carries:
                    at = torch.tensor(place.positions, device=place.tensor.device)
                    scaled = place.tensor.index_select(place.dim, at) * factor
                    place.tensor.index_copy_(place.dim, at, scaled)


def _take_out(lost: Sequence[Place]) -> None:
    """Take positions out of all tensors, each once."""
    gone: dict[tuple[nn.Module, str, int], set[int]] = defaultdict(set)
    for place in lost:
        if not place.goes:
            gone[place.module, place.name, place.dim].update(place.positions)
    for (module, name, dim), positions in gone.items():
        tensor: Tensor = getattr(module, name)
        left = [number for number in range(tensor.shape[dim]) if number not in positions]
        fewer = tensor.detach().index_select(dim, torch.tensor(left, device=tensor.device))
        if isinstance(tensor, nn.Parameter):
            fewer = nn.Parameter(fewer, requires_grad=tensor.requires_grad)
        setattr(module, name, fewer)
    for module, _, _ in gone:
        _fit_to_weights(module)


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
