"""Stages of window attention at three scales: small windows, medium windows, a pooled map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, InvertedResidual, Stages, residual
from eegvit.networks.efficientvit.families.heads import Dims, dims_of, mixtures, products
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.efficientvit.families.windows import Window, Windows


class WindowHeads(nn.Module):
    """Heads that attend within windows, with a bias for each distance.

    Parameters
    ----------
    n_heads : int
    window : (int, int)
        Most rows and columns of a window.
    dims : sequence of (int, int) or None
        Width of the keys and of the values of each head; None has all share the planes evenly.

    Attributes
    ----------
    record : bool
        Whether `forward` stores `recorded`.
    recorded : Tensor, shape (n, heads, rows, columns)
        Attention that each position receives, the mean over the queries of its window.

    Examples
    --------
    >>> WindowHeads(2, (3, 3))(torch.randn(2, 3 * 8, 5, 20)).shape
    torch.Size([2, 8, 5, 20])
    """

    recorded: Tensor

    def __init__(
        self, n_heads: int, window: Window, dims: Sequence[tuple[int, int]] | None = None
    ) -> None:
        super().__init__()
        self.n_heads, self.window = n_heads, window
        self.dims = None if dims is None else list(dims)
        self.bias = OffsetBias(n_heads, window)
        self.record = False

    def forward(self, qkv: Tensor) -> Tensor:
        """Map queries, keys and values (n, planes of all, rows, columns) to what heads give."""
        windows = Windows.cut((qkv.shape[2], qkv.shape[3]), self.window)
        size = (windows.rows, windows.columns)
        bias = windows.hide(self.bias(*size)).transpose(0, 1)  # (windows or 1, heads, ...)
        parts = windows.split(qkv)
        if self.dims is not None:
            q, k, v = parts.flatten(2).split(sizes(self.dims), 1)
            scores = products(q, k, [key for key, _ in self.dims])
            weights = (scores.unflatten(0, (-1, len(bias))) + bias).softmax(-1).flatten(0, 1)
            if self.record:
                self.recorded = windows.received(weights.detach())
            mixed = mixtures(weights, v, [value for _, value in self.dims])
            return windows.merge(mixed.unflatten(2, size))
        parts = parts.permute(0, 2, 3, 1).flatten(1, 2)
        parts = parts.unflatten(2, (3, self.n_heads, -1)).transpose(1, 3)
        q, k, v = parts.unbind(2)  # (n * windows, heads, tokens, dim)
        scores = (q * q.shape[-1] ** -0.5) @ k.mT
        weights = (scores.unflatten(0, (-1, len(bias))) + bias).softmax(-1).flatten(0, 1)
        if self.record:
            self.recorded = windows.received(weights.detach())
        out = (weights @ v).transpose(1, 2).flatten(2)  # (n * windows, tokens, planes)
        return windows.merge(out.unflatten(1, size).permute(0, 3, 1, 2))


class CellHeads(nn.Module):
    """Heads that attend over the whole map, to the means of its cells.

    Parameters
    ----------
    n_heads : int
    cell : (int, int)
        Most rows and columns of a cell.
    dims : sequence of (int, int) or None
        Width of the keys and of the values of each head; None has all share the planes evenly.

    Attributes
    ----------
    record : bool
        Whether `forward` stores `recorded`.
    recorded : Tensor, shape (n, heads, rows, columns)
        Attention that each position receives, the mean over all queries; positions of one cell
        have equal shares of what it receives.

    Examples
    --------
    >>> CellHeads(2, (2, 4))(torch.randn(2, 3 * 8, 5, 20)).shape
    torch.Size([2, 8, 5, 20])
    """

    recorded: Tensor

    def __init__(
        self, n_heads: int, cell: Window, dims: Sequence[tuple[int, int]] | None = None
    ) -> None:
        super().__init__()
        self.n_heads, self.cell = n_heads, cell
        self.dims = None if dims is None else list(dims)
        self.record = False

    def forward(self, qkv: Tensor) -> Tensor:
        """Map queries, keys and values (n, planes of all, rows, columns) to what heads give."""
        n, planes, *size = qkv.shape
        dims = self.dims or [(planes // 3 // self.n_heads,) * 2] * self.n_heads
        n_queries, n_keys, n_values = sizes(dims)
        queries, rest = qkv.split([n_queries, n_keys + n_values], 1)
        cell = (min(self.cell[0], size[0]), min(self.cell[1], size[1]))
        rest = F.avg_pool2d(rest, cell, ceil_mode=True)
        k, v = rest.flatten(2).split([n_keys, n_values], 1)  # (..., cells)
        scores = products(queries.flatten(2), k, [key for key, _ in dims])
        weights = scores.softmax(-1)  # (n, heads, queries, cells)
        if self.record:
            received = weights.detach().mean(2).unflatten(2, rest.shape[2:])
            self.recorded = spread(received, cell, (size[0], size[1]))
        return mixtures(weights, v, [value for _, value in dims]).unflatten(2, size)


def sizes(dims: Sequence[tuple[int, int]]) -> list[int]:
    """Return the planes of the queries, of the keys and of the values of all heads.

    Examples
    --------
    >>> sizes([(4, 8), (3, 8)])
    [7, 7, 16]
    """
    n_keys = sum(key for key, _ in dims)
    return [n_keys, n_keys, sum(value for _, value in dims)]


def spread(x: Tensor, cell: Window, size: tuple[int, int]) -> Tensor:
    """Share what each cell of a map has evenly among its positions.

    Examples
    --------
    >>> spread(torch.tensor([[[[6.0, 4.0]]]]), (1, 3), (1, 5)).tolist()
    [[[[2.0, 2.0, 2.0, 2.0, 2.0]]]]
    """
    ones = torch.ones(1, 1, *size, dtype=x.dtype, device=x.device)
    x = x / F.avg_pool2d(ones, cell, ceil_mode=True, divisor_override=1)
    x = x.repeat_interleave(cell[0], 2).repeat_interleave(cell[1], 3)
    return x[:, :, : size[0], : size[1]]


class MultiscaleAttention(nn.Module):
    """Three groups of heads over the same map: small windows, medium windows, cells.

    Every head sees all planes; the outputs share them evenly.

    Parameters
    ----------
    n_planes : int
        A multiple of ``3 * n_heads``.
    n_heads : int
        In each group.
    windows : (int, int), (int, int)
        Most rows and columns of the small and of the medium windows.
    cell : (int, int)
        Most rows and columns whose mean is a position of the pooled map.
    gain : float
        Of the last batch norm at the start.
    key_dim, value_dim : int, sequence of int or None
        Of all heads, or of each, those of the small windows first; None has them share the
        planes evenly.

    Examples
    --------
    >>> MultiscaleAttention(24, 2)(torch.randn(2, 24, 5, 20)).shape
    torch.Size([2, 24, 5, 20])
    """

    def __init__(
        self,
        n_planes: int,
        n_heads: int,
        *,
        windows: tuple[Window, Window] = ((3, 3), (7, 7)),
        cell: Window = (2, 4),
        gain: float = 1.0,
        key_dim: Dims | None = None,
        value_dim: Dims | None = None,
    ) -> None:
        super().__init__()
        if n_planes % (3 * n_heads):
            raise ValueError(f"{n_planes} planes cannot be shared evenly by 3 x {n_heads} heads")
        even, n_all = n_planes // (3 * n_heads), 3 * n_heads
        keys, values = dims_of(key_dim or even, n_all), dims_of(value_dim or even, n_all)
        own: list[list[tuple[int, int]] | None] = [None] * 3
        if {*keys, *values} != {even}:
            pairs = list(zip(keys, values, strict=True))
            own = [pairs[group * n_heads : (group + 1) * n_heads] for group in range(3)]
        self.n_planes = n_planes
        self.qkv = ConvNorm(n_planes, 2 * sum(keys) + sum(values))
        self.groups = nn.ModuleList(
            WindowHeads(n_heads, window, dims) for window, dims in zip(windows, own, strict=False)
        )
        self.groups.append(CellHeads(n_heads, cell, own[2]))
        self.project = ConvNorm(sum(values), n_planes, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        parts = self.qkv(x).split([sum(sizes(dims)) for dims in self.dims()], 1)
        out = [group(part) for group, part in zip(self.groups, parts, strict=True)]
        return self.project(torch.cat(out, 1))

    def dims(self) -> list[list[tuple[int, int]]]:
        """Return the width of the keys and of the values of each head of each group."""
        groups = cast(list[WindowHeads | CellHeads], list(self.groups))
        even = self.n_planes // (3 * groups[0].n_heads)
        return [group.dims or [(even, even)] * group.n_heads for group in groups]


class MultiscaleStages(Stages):
    """Stages of attention at three scales, halving the map from stage to stage.

    A block is attention and a feed-forward network with a depthwise convolution in its middle.

    Parameters
    ----------
    widths : tuple of int
        Planes of each stage, multiples of three times its heads.
    depths : tuple of int
        Blocks of each stage.
    heads : tuple of int
        Heads in each of the three groups of a stage.
    windows : (int, int), (int, int)
        Most rows and columns of the small and of the medium windows.
    cell : (int, int)
        Most rows and columns whose mean is a position of the pooled map.
    ffn_ratio : float
        Hidden over outer planes of a feed-forward network.
    drop_path : float
        Share of residual branches left out in training at the last block, less in earlier ones.

    Attributes
    ----------
    widths : tuple of int

    Examples
    --------
    >>> stages = MultiscaleStages(widths=(12, 24), depths=(1, 2), heads=(1, 2))
    >>> [tuple(x.shape) for x in stages(torch.randn(2, 12, 11, 32))]
    [(2, 12, 11, 32), (2, 24, 6, 16)]
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        heads: tuple[int, ...],
        windows: tuple[Window, Window] = ((3, 3), (7, 7)),
        cell: Window = (2, 4),
        ffn_ratio: float = 2.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__(widths, depths=depths, heads=heads)
        n_blocks = 0
        for stage, (width, depth, n_heads) in enumerate(zip(widths, depths, heads, strict=True)):
            layers: list[nn.Module] = []
            if stage:
                layers.append(InvertedResidual(widths[stage - 1], width, stride=2))
            for _ in range(depth):
                drop = drop_path * n_blocks / max(1, sum(depths) - 1)
                n_blocks += 1
                attention = MultiscaleAttention(
                    width, n_heads, windows=windows, cell=cell, gain=0.0
                )
                feed = InvertedResidual(width, width, expansion=ffn_ratio, gain=0.0)
                layers += [residual(attention, drop), residual(feed, drop)]
            self.stages.append(nn.Sequential(*layers))
