"""Stages of window attention at three scales: small windows, medium windows, a pooled map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, InvertedResidual, Stages, residual
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.efficientvit.families.windows import Window, Windows


class WindowHeads(nn.Module):
    """Heads that attend within windows, with a bias for each distance.

    Parameters
    ----------
    n_heads : int
    window : (int, int)
        Most rows and columns of a window.

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

    def __init__(self, n_heads: int, window: Window) -> None:
        super().__init__()
        self.n_heads, self.window = n_heads, window
        self.bias = OffsetBias(n_heads, window)
        self.record = False

    def forward(self, qkv: Tensor) -> Tensor:
        """Map queries, keys and values (n, 3 * planes, rows, columns) to as many planes each."""
        windows = Windows.cut((qkv.shape[2], qkv.shape[3]), self.window)
        size = (windows.rows, windows.columns)
        bias = windows.hide(self.bias(*size)).transpose(0, 1)  # (windows or 1, heads, ...)
        parts = windows.split(qkv).permute(0, 2, 3, 1).flatten(1, 2)
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

    def __init__(self, n_heads: int, cell: Window) -> None:
        super().__init__()
        self.n_heads, self.cell = n_heads, cell
        self.record = False

    def forward(self, qkv: Tensor) -> Tensor:
        """Map queries, keys and values (n, 3 * planes, rows, columns) to as many planes each."""
        n, planes, *size = qkv.shape
        queries, rest = qkv.split([planes // 3, planes - planes // 3], 1)
        cell = (min(self.cell[0], size[0]), min(self.cell[1], size[1]))
        rest = F.avg_pool2d(rest, cell, ceil_mode=True)
        q = queries.reshape(n, self.n_heads, -1, size[0] * size[1])
        k, v = rest.reshape(n, 2, self.n_heads, q.shape[2], -1).unbind(1)  # (..., dim, cells)
        weights = ((q * q.shape[2] ** -0.5).mT @ k).softmax(-1)  # (n, heads, queries, cells)
        if self.record:
            received = weights.detach().mean(2).unflatten(2, rest.shape[2:])
            self.recorded = spread(received, cell, (size[0], size[1]))
        return (v @ weights.mT).reshape(n, -1, *size)


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
    ) -> None:
        super().__init__()
        if n_planes % (3 * n_heads):
            raise ValueError(f"{n_planes} planes cannot be shared evenly by 3 x {n_heads} heads")
        self.qkv = ConvNorm(n_planes, 3 * n_planes)
        self.groups = nn.ModuleList(WindowHeads(n_heads, window) for window in windows)
        self.groups.append(CellHeads(n_heads, cell))
        self.project = ConvNorm(n_planes, n_planes, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        parts = self.qkv(x).chunk(3, 1)
        out = [group(part) for group, part in zip(self.groups, parts, strict=True)]
        return self.project(torch.cat(out, 1))


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
