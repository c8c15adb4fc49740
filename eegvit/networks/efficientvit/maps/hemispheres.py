"""Places on the scalp whose right half is the mirror image of the left one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps import scalp
from eegvit.networks.efficientvit.maps.scalp_map import (
    N_FILTERS,
    FoldedScalpMap,
    ScalpMap,
    begin_around,
)
from eegvit.networks.temporal_spatial import TemporalSpatial
from eegvit.preprocess.reflection import opposite

SHARED = "hemispheres 'shared'"


@dataclass(frozen=True)
class Halves:
    """Rows of a map in order: places on the left, on the midline, then those of the left mirrored.

    Parameters
    ----------
    n_pairs, n_middle : int

    Examples
    --------
    >>> halves = Halves(n_pairs=2, n_middle=1)
    >>> halves.whole(torch.tensor([1.0, 2.0, 9.0]), 0).tolist()
    [1.0, 2.0, 9.0, 1.0, 2.0]
    """

    n_pairs: int
    n_middle: int

    @property
    def n_learned(self) -> int:
        """Rows with weights of their own."""
        return self.n_pairs + self.n_middle

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n_learned + self.n_pairs

    def whole(self, x: Tensor, dim: int) -> Tensor:
        """Put what the left has on the right as well, along a dimension of left and midline."""
        return torch.cat([x, x.narrow(dim, 0, self.n_pairs)], dim)

    def mirrored(self, x: Tensor, dim: int) -> Tensor:
        """Exchange left and right along a dimension of all rows."""
        left, middle, right = x.split([self.n_pairs, self.n_middle, self.n_pairs], dim)
        return torch.cat([right, middle, left], dim)


class SharedFilters(TemporalSpatial):
    """Temporal filters, and spatial filters of which those on the right mirror those on the left.

    Those on the midline are symmetric: the mean of their weights and the mirror image of these.

    Parameters
    ----------
    mirror : array of int
        For each channel, the one on the other side.
    n_filters : int
    halves : Halves
    kernel_length : int

    Examples
    --------
    >>> layer = SharedFilters(np.array([2, 1, 0]), 2, Halves(1, 1), 5)
    >>> left, middle, right = layer.spatial_filters()[:3]
    >>> bool((right == left.flip(0)).all() and (middle == middle.flip(0)).all())
    True
    """

    mirror: Tensor

    def __init__(
        self, mirror: scalp.Indices, n_filters: int, halves: Halves, kernel_length: int
    ) -> None:
        super().__init__(len(mirror), n_filters, halves.n_learned, kernel_length, momentum=0.1)
        self.depth, self.halves = halves.n_rows, halves
        self.register_buffer("mirror", torch.from_numpy(mirror), persistent=False)

    def spatial_filters(self) -> Tensor:
        """Return the spatial filters of all rows, (filters * rows, channels)."""
        own = self.spatial.unflatten(0, (-1, self.halves.n_learned))
        image = own.index_select(2, self.mirror)
        n_pairs = self.halves.n_pairs
        left, right = own[:, :n_pairs], image[:, :n_pairs]
        middle = (own[:, n_pairs:] + image[:, n_pairs:]) / 2
        return torch.cat([left, middle, right], 1).flatten(0, 1)


class SharedNorm(nn.BatchNorm1d):
    """Batch norm of the filters of each row; a row and its mirror image have statistics in common.

    Parameters
    ----------
    n_filters : int
    halves : Halves

    Examples
    --------
    >>> SharedNorm(4, Halves(n_pairs=2, n_middle=1))(torch.randn(2, 20, 50)).shape
    torch.Size([2, 20, 50])
    """

    def __init__(self, n_filters: int, halves: Halves) -> None:
        super().__init__(n_filters * halves.n_learned)
        self.halves = halves

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, filters * rows, times) to the same shape."""
        n_pairs, n_learned, n_times = self.halves.n_pairs, self.halves.n_learned, x.shape[2]
        rows = x.unflatten(1, (-1, self.halves.n_rows))  # (n, filters, rows, times)
        own, image = rows[:, :, :n_learned], self.halves.mirrored(rows, 2)[:, :, :n_learned]
        both = super().forward(torch.cat([own, image], 3).flatten(1, 2))
        both = both.unflatten(1, (-1, n_learned))
        right = both[:, :, :n_pairs, n_times:]
        return torch.cat([both[..., :n_times], right], 2).flatten(1, 2)

    def apart(self) -> nn.BatchNorm1d:
        """Return a plain norm that does the same at inference."""
        norm = nn.BatchNorm1d(self.num_features // self.halves.n_learned * self.halves.n_rows)
        rows = {
            name: self.halves.whole(value.unflatten(0, (-1, self.halves.n_learned)), 1).flatten()
            for name, value in self.state_dict().items()
            if value.ndim
        }
        norm.load_state_dict(norm.state_dict() | rows)
        return norm.eval()


class SharedScalpMap(ScalpMap):
    """A `ScalpMap` that treats the right half of the head as the left one in a mirror.

    A place on the right has no weights of its own: its spatial filters are those of its partner
    on the left over mirrored electrodes, its norm and its bias are its partner's. Spatial filters
    on the midline are symmetric. All else is the same in every place anyway. So the map of a
    mirrored trial is the map of the trial with left and right exchanged.

    Places come in pairs where there is room for two, and where the electrodes are is made
    symmetric: the mean of each and its partner's mirror image.

    Parameters
    ----------
    n_channels, n_times, width, sfreq
        As for `ScalpMap`.
    ch_names : sequence of str
        Each with the electrode on the other side among them, by their names.

    Attributes
    ----------
    halves : Halves
        Which rows are on the left, on the midline and on the right.

    Examples
    --------
    >>> layout = SharedScalpMap(3, 1000, 16, sfreq=250.0, ch_names=("C3", "Cz", "C4")).eval()
    >>> x = torch.randn(2, 3, 1000)
    >>> mirrored = layout.halves.mirrored(layout(x), 2)
    >>> torch.allclose(layout(x.flip(1)), mirrored, atol=1e-5)
    True
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        width: int,
        *,
        sfreq: float,
        ch_names: Sequence[str] | None = None,
    ) -> None:
        other = opposite(ch_names, SHARED) if ch_names else ()
        where = scalp.directions_of(ch_names, SHARED)
        super().__init__(n_channels, n_times, width, sfreq=sfreq, ch_names=ch_names)
        order = self.order.numpy()
        mirror = order.argsort()[np.array(other)[order]]  # of channels in the map's order
        electrodes = symmetric(where[order], mirror)
        chosen = pairs_far_apart(electrodes, mirror, self.n_rows)
        left = chosen[electrodes[chosen, 0] < 0]
        middle = chosen[mirror[chosen] == chosen]
        if not len(left):
            raise ValueError(
                f"{SHARED}: of {', '.join(ch_names or ())} none is left or right of the midline"
            )
        self.halves = Halves(len(left), len(middle))
        self.n_rows = self.halves.n_rows
        self.places = electrodes[np.concatenate([left, middle, mirror[left]])]
        length = self.front.temporal.shape[1]
        self.front = SharedFilters(mirror, N_FILTERS, self.halves, length)
        own = self.places[: self.halves.n_learned]
        begin_around(self.front.spatial, scalp.angles(own, electrodes))
        self.norm = SharedNorm(N_FILTERS, self.halves)
        self.place = nn.Parameter(torch.zeros(width, self.halves.n_learned, 1))

    def row_bias(self) -> Tensor:
        """Return what is added to each plane of a row, (width, rows, 1)."""
        return self.halves.whole(self.place, 1)

    def folded(self) -> FoldedScalpMap:
        """Return a module without norms, all rows written out, that does the same at inference."""
        plain = copy.deepcopy(self)
        assert isinstance(self.norm, SharedNorm)
        plain.norm = self.norm.apart()
        return FoldedScalpMap(plain)


def symmetric(directions: scalp.Array, mirror: scalp.Indices) -> scalp.Array:
    """Return unit vectors that are the mirror images of their partners'.

    Examples
    --------
    >>> symmetric(np.array([[-1.0, 0.1, 0.0], [1.0, -0.1, 0.0]]), np.array([1, 0])).tolist()
    [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    both = directions + directions[mirror] * [-1, 1, 1]
    return both / np.linalg.norm(both, axis=1, keepdims=True)


def pairs_far_apart(directions: scalp.Array, mirror: scalp.Indices, n: int) -> scalp.Indices:
    """Return at most n electrodes, ascending: the highest, pairs far from all so far, then others.

    Partners come together; those on the midline take the places that no pair does.

    Examples
    --------
    >>> names, mirror = ("Fz", "C3", "C1", "Cz", "C2", "C4", "Pz"), np.array([0, 5, 4, 3, 2, 1, 6])
    >>> where = symmetric(scalp.directions_of(names, ""), mirror)
    >>> [names[i] for i in pairs_far_apart(where, mirror, 4)]
    ['Fz', 'C3', 'Cz', 'C4']
    """
    every = np.arange(len(mirror), dtype=np.int64)
    apart = scalp.angles(directions, directions).round(3)
    far, chosen = directions[:, 2], np.zeros(len(mirror), dtype=bool)
    while True:
        pairs = ~chosen & (mirror != every) & (chosen.sum() + 2 <= n)
        alone = ~chosen & (mirror == every) & (chosen.sum() + 1 <= n)
        free = pairs if chosen.any() and pairs.any() else pairs | alone
        if not free.any():
            return every[chosen]
        one = np.where(free, far, -np.inf).argmax()
        chosen[[one, mirror[one]]] = True
        far = apart[chosen].min(axis=0)
