"""Where a query is from a key, as a learned bias of attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class OffsetBias(nn.Module):
    """A learned bias for each head and offset (rows apart, columns apart) of query and key.

    Parameters
    ----------
    n_heads : int
    reach : (int, int)
        Offsets told apart in each direction; those further off share the last one's bias.

    Examples
    --------
    >>> OffsetBias(2, (3, 4))(5, 7).shape, OffsetBias(2, (3, 4))(5, 7, stride=2).shape
    (torch.Size([2, 35, 35]), torch.Size([2, 12, 35]))
    """

    def __init__(self, n_heads: int, reach: tuple[int, int]) -> None:
        super().__init__()
        self.shape = (n_heads, *reach)
        self.table = nn.Parameter(torch.zeros(math.prod(self.shape)))  # flat: it does not decay

    def forward(self, rows: int, columns: int, stride: int = 1) -> Tensor:
        """Give (heads, queries, keys), with a query at every `stride`-th row and column."""
        n_heads, n_rows, n_columns = self.shape
        apart_rows = self.offsets(rows, stride).clamp_max(n_rows - 1)
        apart_columns = self.offsets(columns, stride).clamp_max(n_columns - 1)
        bias = self.table.view(self.shape).index_select(1, apart_rows.flatten())
        bias = bias.index_select(2, apart_columns.flatten())
        # (heads, row of query, row of key, column of query, column of key)
        bias = bias.view(n_heads, *apart_rows.shape, *apart_columns.shape).transpose(2, 3)
        return bias.flatten(3, 4).flatten(1, 2)

    def offsets(self, length: int, stride: int) -> Tensor:
        """Return how far apart each query and each key are: (queries, keys)."""
        keys = torch.arange(length, device=self.table.device)
        return (keys[::stride, None] - keys).abs()
