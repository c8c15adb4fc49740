"""Filters along time as products of matrices, for one trial at a time."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.choice import traced

LEAST, MOST = 32, 64  # samples of a block


class BlockFilters(nn.Module):
    """Each filter applied to its share of the features, as convolution layers do (correlation).

    A few blocks of samples, times the filter at every shift, are a block of the output: all blocks
    are one product of matrices. That is up to twice the arithmetic of term by term, in a form that
    processors are ten times as fast at.

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
        self.block = min(MOST, max(LEAST, self.length))
        self.n_seen = 1 + math.ceil((self.length - 1) / self.block)  # blocks, for one
        shifted = kernels.new_zeros(n_filters, self.n_seen * self.block, self.block)
        for shift in range(self.block):
            shifted[:, shift : shift + self.length, shift] = kernels
        self.shifted = nn.Parameter(shifted)  # (filters, samples in, samples out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, filters * depth, times) to the same, but for the padding."""
        if traced(x) or len(x) == 1:
            return self.filtered(x)
        return torch.cat([self.filtered(one) for one in x.split(1)])  # each stays in the cache

    def filtered(self, x: Tensor) -> Tensor:
        """Filter all trials at once."""
        n_times, block = x.shape[-1], self.block
        n_out = n_times + 2 * self.padding - self.length + 1
        n_blocks = -(-n_out // block)
        n_all = n_blocks + self.n_seen - 1
        after = n_all * block - self.padding - n_times
        parts = F.pad(x, (self.padding, after)).unflatten(2, (n_all, block))
        shifts = range(self.n_seen)  # each block beside the next ones
        parts = torch.cat([parts[:, :, at : at + n_blocks] for at in shifts], 3)
        parts = parts.unflatten(1, (-1, self.depth)).flatten(2, 3)
        y = parts @ self.shifted  # (n, filters, depth * blocks, block)
        return y.unflatten(2, (self.depth, n_blocks)).flatten(3).flatten(1, 2)[..., :n_out]


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
