"""What a head sees of maps: sums over rows, then means over stretches of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.hemispheres import Halves
from eegvit.networks.fold import OncePerSize

N_SUMS = 2


class RowSums(nn.Module):
    """Weighted sums over the rows of each plane, so that a head can tell left from right.

    Parameters
    ----------
    n_planes, n_rows : int

    Examples
    --------
    >>> RowSums(8, 5)(torch.randn(2, 8, 5, 16)).shape
    torch.Size([2, 16, 1, 16])
    """

    def __init__(self, n_planes: int, n_rows: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_planes, N_SUMS, n_rows) * n_rows**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to (n, planes * sums, 1, columns)."""
        sums = self.weight @ x  # (n, planes, sums, columns)
        return sums.flatten(1, 2)[:, :, None]


class SharedRowSums(nn.Module):
    """Sums over the rows of each plane that a mirror leaves as they are, or turns the sign of.

    In one of the two, partners on the left and on the right count alike; in the other they count
    with opposite signs, and the midline not at all.

    Parameters
    ----------
    n_planes : int
    halves : Halves

    Examples
    --------
    >>> sums, x = SharedRowSums(1, Halves(2, 1)), torch.randn(1, 1, 5, 16)
    >>> seen, mirrored = sums(x), sums(x[:, :, [3, 4, 2, 0, 1]])
    >>> torch.allclose(mirrored, seen * torch.tensor([1, -1])[:, None, None], atol=1e-5)
    True
    """

    def __init__(self, n_planes: int, halves: Halves) -> None:
        super().__init__()
        self.halves, scale = halves, halves.n_rows**-0.5
        self.even = nn.Parameter(torch.randn(n_planes, halves.n_learned) * scale)
        self.odd = nn.Parameter(torch.randn(n_planes, halves.n_pairs) * scale)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to (n, planes * sums, 1, columns)."""
        sums = self.over_rows() @ x  # (n, planes, sums, columns)
        return sums.flatten(1, 2)[:, :, None]

    def over_rows(self) -> Tensor:
        """Return the weight of each row in each sum, (planes, sums, rows)."""
        middle = self.odd.new_zeros(len(self.odd), self.halves.n_middle)
        odd = torch.cat([self.odd, middle, -self.odd], 1)
        return torch.stack([self.halves.whole(self.even, 1), odd], 1)

    def folded(self) -> RowSums:
        """Return sums whose weights are written out."""
        weight = self.over_rows().detach()
        plain = RowSums(weight.shape[0], weight.shape[2])
        plain.weight = nn.Parameter(weight)
        return plain


class FoldedHead(nn.Module):
    """A linear layer of sums over rows and means over stretches of columns, as one product.

    Parameters
    ----------
    linear : nn.Linear
    rows : sequence of RowSums
        One for each map; without any, the head sees means over rows.
    segments : int

    Examples
    --------
    >>> head, x = FoldedHead(nn.Linear(16, 2), [], 2), torch.randn(3, 8, 5, 4)
    >>> torch.allclose(head([x]), head.linear(segment_means(x, 2)), atol=1e-6)
    True
    """

    def __init__(self, linear: nn.Linear, rows: Sequence[RowSums], segments: int) -> None:
        super().__init__()
        self.linear, self.rows, self.segments = linear, nn.ModuleList(rows), segments
        self.weight = OncePerSize(self.of_maps)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps (n, width, rows, columns) that it sees to logits (n, classes)."""
        weight = self.weight(maps[0], *(tuple(x.shape[1:]) for x in maps))
        seen = maps[0].flatten(1) if len(maps) == 1 else torch.cat([x.flatten(1) for x in maps], 1)
        return F.linear(seen, weight, self.linear.bias)

    def of_maps(self, *sizes: tuple[int, int, int]) -> Tensor:
        """Return the weight (classes, positions) of maps of some widths, rows and columns."""
        n_sums = N_SUMS if self.rows else 1
        whole = self.linear.weight.detach()
        parts = whole.split([width * n_sums * self.segments for width, _, _ in sizes], 1)
        found = []
        for i, (width, n_rows, n_columns) in enumerate(sizes):
            shares = [
                [(a <= at < b) / (b - a) for a, b in stretches(n_columns, self.segments)]
                for at in range(n_columns)
            ]
            of_columns = parts[i].reshape(-1, self.segments) @ whole.new_tensor(shares).T
            of_columns = of_columns.view(len(whole), width, n_sums, n_columns)
            if self.rows:
                sums = cast(RowSums, self.rows[i]).weight.detach()
            else:
                sums = whole.new_full((width, 1, n_rows), 1 / n_rows)
            found.append((sums.mT @ of_columns).flatten(1))
        return torch.cat(found, 1)


def segment_means(x: Tensor, segments: int) -> Tensor:
    """Return the means of a map over all rows and equal stretches of its columns.

    Where columns do not divide evenly, neighbouring stretches share one; so do all where there
    are fewer columns than segments.

    Parameters
    ----------
    x : Tensor, shape (n, width, rows, columns)
    segments : int

    Returns
    -------
    Tensor, shape (n, width * segments)

    Examples
    --------
    >>> segment_means(torch.arange(6.0).view(1, 1, 1, 6), 2).tolist()
    [[1.0, 4.0]]
    >>> segment_means(torch.arange(3.0).view(1, 1, 1, 3), 2).tolist()
    [[0.5, 1.5]]
    """
    over_rows, ends = x.mean(2), stretches(x.shape[3], segments)
    return torch.stack([over_rows[..., a:b].mean(2) for a, b in ends], 2).flatten(1)


def stretches(n_columns: int, segments: int) -> list[tuple[int, int]]:
    """Return where each stretch of columns starts and stops.

    Examples
    --------
    >>> stretches(6, 2), stretches(3, 2)
    ([(0, 3), (3, 6)], [(0, 2), (1, 3)])
    """
    starts = [k * n_columns // segments for k in range(segments)]
    stops = [-(-(k + 1) * n_columns // segments) for k in range(segments)]
    return list(zip(starts, stops, strict=True))
