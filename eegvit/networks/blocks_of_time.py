"""Filters along time as products of matrices, for one trial at a time."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.choice import traced

LEAST, MOST, STEP = 32, 64, 16  # samples of a block


class BlockFilters(nn.Module):
    """Each filter applied to its share of the features, as convolution layers do (correlation).

    A block of samples, times the filter at every shift, is what it gives to its own place in the
    output and to those before it: of all blocks that is one product of matrices. It is up to twice
    the arithmetic of term by term, in a form that processors are ten times as fast at.

    Parameters
    ----------
    kernels : Tensor, shape (filters, length)
    depth : int
        Features of each filter, one after the other.
    padding : int
        Zeros added on both sides.

    Examples
    --------
    >>> kernels, x = torch.randn(4, 31), torch.randn(2, 8, 250)
    >>> expected = F.conv1d(x, kernels.repeat_interleave(2, 0)[:, None], padding=15, groups=8)
    >>> torch.allclose(BlockFilters(kernels, 2, 15)(x), expected, atol=1e-5)
    True
    """

    def __init__(self, kernels: Tensor, depth: int, padding: int) -> None:
        super().__init__()
        n_filters, self.length = kernels.shape
        self.depth, self.padding = depth, padding
        self.block = min(MOST, max(LEAST, -(-self.length // STEP) * STEP))
        self.n_seen = 1 + math.ceil((self.length - 1) / self.block)  # blocks, for one
        shifted = kernels.new_zeros(n_filters, self.n_seen * self.block, self.block)
        for shift in range(self.block):
            shifted[:, shift : shift + self.length, shift] = kernels
        seen = shifted.unflatten(1, (self.n_seen, -1)).transpose(1, 2).flatten(2)
        self.shifted = nn.Parameter(
            seen
        )  # (filters, samples in, blocks that see them * samples out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, filters * depth, times) to the same, but for the padding."""
        if traced(x) or len(x) == 1:
            return self.filtered(x)
        return torch.cat([self.filtered(one) for one in x.split(1)])  # each stays in the cache

    def filtered(self, x: Tensor) -> Tensor:
        """Filter all trials at once."""
        return self.blocks(x)[..., : self.n_out(x)]

    def n_out(self, x: Tensor) -> int:
        """Return how many samples there are after the filter."""
        return x.shape[-1] + 2 * self.padding - self.length + 1

    def blocks(self, x: Tensor) -> Tensor:
        """Filter all trials, with samples behind the last to make a block full."""
        n_times, block = x.shape[-1], self.block
        n_blocks = -(-self.n_out(x) // block)
        n_all = n_blocks + self.n_seen - 1
        after = n_all * block - self.padding - n_times
        parts = F.pad(x, (self.padding, after)).unflatten(2, (n_all, block))
        y = parts.unflatten(1, (-1, self.depth)).flatten(2, 3) @ self.shifted
        y = y.unflatten(2, (self.depth, n_all)).flatten(1, 2)
        return shifted_sum(y, self.n_seen, n_blocks).flatten(2)


def shifted_sum(x: Tensor, n_seen: int, n_blocks: int) -> Tensor:
    """Return what blocks give, each the sum of what it and the next ones give to it.

    Parameters
    ----------
    x : Tensor, shape (..., blocks, n_seen * size)
        What each block gives to itself, to the one before it, and so on.
    n_seen, n_blocks : int

    Examples
    --------
    >>> shifted_sum(torch.tensor([[1, 0], [2, 10], [3, 20]]), 2, 2).tolist()
    [[11], [22]]
    """
    parts = x.chunk(n_seen, -1)
    out = parts[0][..., :n_blocks, :]
    for at in range(1, n_seen):
        out = out + parts[at][..., at : at + n_blocks, :]
    return out


class FilteredWhitened(nn.Module):
    """Raw signals through a causal filter and a matrix across channels.

    Parameters
    ----------
    response : Tensor, shape (length,)
        What the filter makes of a one and zeros after it.
    matrix : Tensor, shape (channels, channels)
    level : bool
        Whether the filter lets pass what never changes. If not, that is taken out before: a
        large one would leave little precision to what is upon it.

    Examples
    --------
    >>> filtered = FilteredWhitened(torch.tensor([0.5, 0.25]), torch.eye(1), level=True)
    >>> filtered(torch.tensor([[[1.0, 0.0, 0.0, 8.0]]])).tolist()
    [[[0.25, 0.0, 4.0]]]
    """

    matrix: Tensor

    def __init__(self, response: Tensor, matrix: Tensor, *, level: bool) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)
        self.filter = BlockFilters(response.flip(0)[None], len(matrix), 0)
        self.level = level

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to as many samples less as the response has after its first."""
        return self.filter(self.matrix @ (x if self.level else x - x.mean(2, keepdim=True)))
