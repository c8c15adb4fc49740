"""Adding units to a network that change nothing until they are trained."""

from __future__ import annotations

import torch
from torch import nn

from eegvit.networks.units.cut import Kept, cut
from eegvit.networks.units.find import units_of
from eegvit.networks.units.unit import Place

STIRRED = 0.5  # of the size of a copy's weights: what is added to them at random


def widened(network: nn.Module, kept: Kept, seed: int = 0) -> nn.Module:
    """Return a network with copies of units, which give next to nothing at first.

    What a copy sees is stirred, so that it learns something else than the unit it was copied
    from. Rebuilt by `cut` it has the same shape.

    Parameters
    ----------
    network : nn.Module
        It stays as it is.
    kept : mapping
        As for `cut`: units that are named again are copied.
    seed : int
        Of random numbers.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network, x = EEGNet(3, 128, 2).eval(), torch.randn(2, 3, 128)
    >>> wide = widened(network, {":filters": [*range(8), 7]})
    >>> len(wide.front.temporal), torch.allclose(wide(x), network(x), atol=1e-6)
    (9, True)
    >>> torch.equal(wide.front.temporal[8], wide.front.temporal[7])
    False
    """
    wide = cut(network, kept)
    found, random = units_of(wide), torch.Generator().manual_seed(seed)
    for name, left in kept.items():
        numbers = sorted(left)
        for place, number in enumerate(numbers):
            if number in numbers[:place]:
                for own in found[name].places[place]:
                    _stir(own, random)
    return wide


def _stir(place: Place, random: torch.Generator) -> None:
    """Change weights at random, but not those by which a unit is faint, nor norms and constants."""
    tensor = place.tensor
    if place.carries or not isinstance(tensor, nn.Parameter) or tensor.ndim < 2:
        return
    with torch.no_grad():
        at = torch.tensor(place.positions, device=tensor.device)
        own = tensor.index_select(place.dim, at)
        noise = torch.randn(own.shape, generator=random).to(own)
        size = own.square().mean().sqrt()
        tensor.index_copy_(place.dim, at, own + STIRRED * size * noise)
