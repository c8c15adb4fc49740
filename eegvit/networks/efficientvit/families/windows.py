"""Rectangular windows of a map, and a bias for each offset within one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Window = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """How a map is cut: `down` x `across` windows of `rows` x `columns` positions.

    Parameters
    ----------
    height, width : int
        Of the map.
    down, across, rows, columns : int

    Examples
    --------
    >>> windows = Windows.cut((11, 32), (7, 7))
    >>> windows
    Windows(height=11, width=32, down=2, across=5, rows=6, columns=7)
    >>> parts = windows.split(torch.randn(2, 3, 11, 32))
    >>> parts.shape, windows.merge(parts).shape
    (torch.Size([20, 3, 6, 7]), torch.Size([2, 3, 11, 32]))
    """

    height: int
    width: int
    down: int
    across: int
    rows: int
    columns: int

    @classmethod
    def cut(cls, size: tuple[int, int], largest: Window) -> Windows:
        """Cut into as few windows of at most `largest` as will do, as small as will do."""
        down, across = (math.ceil(n / most) for n, most in zip(size, largest, strict=True))
        return cls(*size, down, across, math.ceil(size[0] / down), math.ceil(size[1] / across))

    @property
    def padded(self) -> bool:
        """Whether the windows reach over the bottom or the right of the map."""
        return self.down * self.rows > self.height or self.across * self.columns > self.width

    @property
    def whole(self) -> bool:
        """Whether the map is one window."""
        return self.down == self.across == 1

    def split(self, x: Tensor) -> Tensor:
        """Map (n, planes, height, width) to (n * windows, planes, rows, columns), with zeros."""
        if self.whole:
            return x
        x = x.permute(0, 2, 3, 1)  # planes last, also in memory: cheap to cut and to multiply
        if self.padded:
            right = self.across * self.columns - self.width
            x = F.pad(x, (0, 0, 0, right, 0, self.down * self.rows - self.height))
        n, _, _, planes = x.shape
        x = x.reshape(n, self.down, self.rows, self.across, self.columns, planes)
        x = x.transpose(2, 3).reshape(-1, self.rows, self.columns, planes)
        return x.permute(0, 3, 1, 2)

    def merge(self, x: Tensor) -> Tensor:
        """Undo `split`: the padding is cropped."""
        if self.whole:
            return x
        x = x.permute(0, 2, 3, 1)
        x = x.reshape(-1, self.down, self.across, self.rows, self.columns, x.shape[-1])
        x = x.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return x[:, : self.height, : self.width].permute(0, 3, 1, 2)

    def each(self) -> Windows:
        """Return the cut, into one piece, of a map that is one of the windows."""
        return Windows(self.rows, self.columns, 1, 1, self.rows, self.columns)

    def inside(self, device: torch.device) -> Tensor:
        """Tell which positions of each window are on the map: bool (windows, positions)."""
        row = torch.arange(self.down * self.rows, device=device) < self.height
        column = torch.arange(self.across * self.columns, device=device) < self.width
        row, column = row.view(self.down, 1, -1, 1), column.view(1, self.across, 1, -1)
        return (row & column).flatten(2).flatten(0, 1)

    def hide(self, bias: Tensor) -> Tensor:
        """Make biases (heads, queries, keys) -inf at keys that are padding, for each window.

        Returns
        -------
        Tensor, shape (heads, windows or 1, queries, keys)
        """
        if not self.padded:
            return bias[:, None]
        return bias[:, None].masked_fill(~self.inside(bias.device)[:, None], -torch.inf)

    def received(self, weights: Tensor) -> Tensor:
        """Return the attention that each position of the map receives, the mean over queries.

        Parameters
        ----------
        weights : Tensor, shape (n * windows, heads, queries, keys)

        Returns
        -------
        Tensor, shape (n, heads, height, width)
        """
        share = self.inside(weights.device).to(weights.dtype)  # padding asks nothing
        share = share / share.sum(1, keepdim=True)
        weights = weights.unflatten(0, (-1, len(share))) * share[:, None, :, None]
        return self.merge(weights.sum(3).unflatten(3, (self.rows, self.columns)).flatten(0, 1))
