"""What a head sees of the rows of a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
