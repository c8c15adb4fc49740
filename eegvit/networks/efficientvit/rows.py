"""What a head sees of the rows of a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.hemispheres import Halves

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
