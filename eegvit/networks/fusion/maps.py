"""What a branch's maps are: rows of places, columns of time.

A network's map is (n, width, columns) or (n, width, rows, columns). Its columns are stretches
of the trial in the order of time, evenly over all of it; its rows are places that are seen at
the same time, such as electrodes. A network whose maps know no time, or a branch that makes them
of features, says `over_time = False`: then all its places are rows of one column.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rows_and_columns(x: Tensor, over_time: bool = True) -> Tensor:
    """Return a map as (n, width, rows, columns).

    Examples
    --------
    >>> rows_and_columns(torch.zeros(5, 16, 31)).shape
    torch.Size([5, 16, 1, 31])
    >>> rows_and_columns(torch.zeros(5, 16, 9), over_time=False).shape
    torch.Size([5, 16, 9, 1])
    """
    if not over_time:
        return x.flatten(2)[..., None]
    return x if x.ndim == 4 else x[:, :, None]


def resampled(x: Tensor, n_rows: int, n_columns: int) -> Tensor:
    """Bring a map (n, width, rows, columns) to a size: means of neighbours, or repeats.

    Examples
    --------
    >>> resampled(torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]]), 1, 2).tolist()
    [[[[2.0, 6.0]]]]
    >>> resampled(torch.tensor([[[[1.0, 3.0]]]]), 1, 4).tolist()
    [[[[1.0, 1.0, 3.0, 3.0]]]]
    """
    return (
        x if x.shape[2:] == (n_rows, n_columns) else F.adaptive_avg_pool2d(x, (n_rows, n_columns))
    )


class OverRows(nn.Module):
    """A sum over the rows, learned for each feature; at first their mean. One row stays as it is.

    Parameters
    ----------
    width, n_rows : int

    Examples
    --------
    >>> OverRows(8, n_rows=3)(torch.randn(5, 8, 3, 16)).shape
    torch.Size([5, 8, 16])
    """

    def __init__(self, width: int, n_rows: int) -> None:
        super().__init__()
        start = torch.full((width, n_rows), 1 / n_rows)
        self.weights = nn.Parameter(start) if n_rows > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, width, rows, columns) to (n, width, columns)."""
        if self.weights is None:
            return x.squeeze(2)
        return torch.einsum("nwrc,wr->nwc", x, self.weights)
