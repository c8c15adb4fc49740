"""A few planes put among zeros."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Spread(nn.Module):
    """Put planes in places of a wider map, which is zero in all others.

    Parameters
    ----------
    n_planes : int
        Of the wider map.
    places : sequence of int
        Where each plane goes; below 0 nowhere.

    Examples
    --------
    >>> Spread(3, [2, 0])(torch.tensor([[[5.0], [7.0]]])).flatten().tolist()
    [7.0, 0.0, 5.0]
    >>> Spread(3, [2, 0]).narrowed([0, 0, 1]).places
    [2, -1, 0]
    """

    source: Tensor

    def __init__(self, n_planes: int, places: Sequence[int]) -> None:
        super().__init__()
        self.n_planes, self.places = n_planes, list(places)
        source = torch.full((n_planes,), len(self.places))  # the plane of zeros behind the others
        for plane, place in enumerate(self.places):
            if place >= 0:
                source[place] = plane
        self.register_buffer("source", source, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, ...) to (n, n_planes, ...)."""
        return F.pad(x, [0, 0] * (x.ndim - 2) + [0, 1]).index_select(1, self.source)

    def narrowed(self, kept: Sequence[int]) -> Spread:
        """Return what puts only some of the planes where they belong.

        Of a plane that is named again the copies go nowhere.
        """
        again = [number in kept[:place] for place, number in enumerate(kept)]
        places = [-1 if same else self.places[n] for n, same in zip(kept, again, strict=True)]
        return Spread(self.n_planes, places)


class FewerPlanes(nn.Module):
    """A module of which some planes were taken out: they are zero in what it gives.

    Examples
    --------
    >>> FewerPlanes.of(nn.Identity(), 3, [1])(torch.ones(1, 1, 2)).tolist()
    [[[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]
    """

    def __init__(self, inner: nn.Module, spread: Spread) -> None:
        super().__init__()
        self.inner, self.spread = inner, spread

    @classmethod
    def of(cls, inner: nn.Module, n_planes: int, places: Sequence[int]) -> FewerPlanes:
        """Return a module whose planes belong in some places of more."""
        return cls(inner, Spread(n_planes, places))

    def forward(self, x: Tensor) -> Tensor:
        """Give what the module gives, its planes in their places."""
        return self.spread(self.inner(x))
