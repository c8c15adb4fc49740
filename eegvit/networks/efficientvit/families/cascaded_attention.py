"""Cascaded group attention [1]_, and plain attention to compare it with.

.. [1] Liu et al., EfficientViT: Memory efficient vision transformer with cascaded group
   attention. CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, Size
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.efficientvit.families.windows import Window, Windows


class CascadedAttention(nn.Module):
    """Attention whose heads see one group of planes each, plus what the head before them gave.

    Where windows reach over the map, the padding is hidden from attention; only the statistics
    of the batch norm on the queries count it.

    Parameters
    ----------
    n_planes : int
        A multiple of `n_heads`.
    n_heads : int
    kernels : sequence of int or (int, int)
        Of the depthwise convolution on each head's queries; the first `n_heads` are used.
    key_dim : int or None
        Width of a head's queries and keys; None is that of its values, ``n_planes // n_heads``.
    window : (int, int)
        Most rows and columns to attend over.
    cascade : bool
        Whether a head sees what the one before it gave.

    Attributes
    ----------
    record : bool
        Whether `forward` stores `recorded`.
    recorded : Tensor, shape (n, heads, rows, columns)
        Attention that each position receives, the mean over the queries of its window.

    Examples
    --------
    >>> attention = CascadedAttention(32, 2, kernels=(5, 3))
    >>> attention(torch.randn(2, 32, 3, 20)).shape
    torch.Size([2, 32, 3, 20])
    """

    recorded: Tensor

    def __init__(
        self,
        n_planes: int,
        n_heads: int,
        *,
        kernels: Sequence[Size],
        key_dim: int | None = 16,
        window: Window = (7, 7),
        cascade: bool = True,
    ) -> None:
        super().__init__()
        check_heads(n_planes, n_heads)
        if len(kernels) < n_heads:
            raise ValueError(f"{n_heads} heads need as many kernels, not {len(kernels)}")
        group = n_planes // n_heads
        self.key_dim = key_dim or group
        self.window = window
        self.cascade = cascade
        self.record = False
        planes = 2 * self.key_dim + group
        self.qkv = nn.ModuleList(ConvNorm(group, planes) for _ in range(n_heads))
        self.query = nn.ModuleList(
            ConvNorm(self.key_dim, self.key_dim, kernel, groups=self.key_dim)
            for kernel in kernels[:n_heads]
        )
        self.bias = OffsetBias(n_heads, window)
        self.project = nn.Sequential(nn.ReLU(), ConvNorm(n_planes, n_planes, gain=0.0))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        windows = Windows.cut((x.shape[2], x.shape[3]), self.window)
        if windows.padded:  # each head cuts the map: its queries and keys outside are nothing
            out, received = self.heads(x, windows)
        else:
            out, received = self.heads(windows.split(x), windows.each())
            out, received = windows.merge(out), [windows.merge(part) for part in received]
        if self.record:
            self.recorded = torch.cat(received, 1)
        return self.project(out)

    def heads(self, x: Tensor, windows: Windows) -> tuple[Tensor, list[Tensor]]:
        """Run the heads one after the other: (n, planes, height, width) to the same."""
        bias = windows.hide(self.bias(windows.rows, windows.columns))
        outputs: list[Tensor] = []
        received: list[Tensor] = []
        for i, group in enumerate(x.chunk(len(bias), 1)):
            if self.cascade and i:
                group = group + outputs[-1]
            qkv = windows.split(self.qkv[i](group))
            q = self.query[i](qkv[:, : self.key_dim])
            k, v = qkv[:, self.key_dim :].split([self.key_dim, group.shape[1]], 1)
            weights = attention(tokens(q), tokens(k), bias[i])
            out = (weights @ tokens(v)).unflatten(1, (windows.rows, windows.columns))
            outputs.append(windows.merge(out.permute(0, 3, 1, 2)))
            if self.record:
                received.append(windows.received(weights[:, None].detach()))
        return torch.cat(outputs, 1), received


class PlainAttention(nn.Module):
    """Multi-head attention in windows, with the same biases: what cascading is compared with.

    Parameters
    ----------
    n_planes : int
        A multiple of `n_heads`.
    n_heads : int
    key_dim : int or None
        Width of a head's queries and keys; None is that of its values, ``n_planes // n_heads``.
    window : (int, int)
        Most rows and columns to attend over.

    Attributes
    ----------
    record : bool
        Whether `forward` stores `recorded`.
    recorded : Tensor, shape (n, heads, rows, columns)
        Attention that each position receives, the mean over the queries of its window.

    Examples
    --------
    >>> PlainAttention(32, 2)(torch.randn(2, 32, 3, 20)).shape
    torch.Size([2, 32, 3, 20])
    """

    recorded: Tensor

    def __init__(
        self,
        n_planes: int,
        n_heads: int,
        *,
        key_dim: int | None = 16,
        window: Window = (7, 7),
    ) -> None:
        super().__init__()
        check_heads(n_planes, n_heads)
        self.n_heads = n_heads
        self.key_dim = key_dim or n_planes // n_heads
        self.window = window
        self.record = False
        self.qkv = ConvNorm(n_planes, 2 * self.key_dim * n_heads + n_planes)
        self.bias = OffsetBias(n_heads, window)
        self.project = ConvNorm(n_planes, n_planes, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        windows = Windows.cut((x.shape[2], x.shape[3]), self.window)
        bias = windows.hide(self.bias(windows.rows, windows.columns))
        qkv = tokens(windows.split(self.qkv(x)))  # (n * windows, tokens, heads * dim)
        qkv = qkv.unflatten(2, (self.n_heads, -1)).transpose(1, 2)
        group = x.shape[1] // self.n_heads
        q, k, v = qkv.split([self.key_dim, self.key_dim, group], 3)
        # (windows * heads, queries, keys), as the batch below is ordered
        weights = attention(q.flatten(0, 1), k.flatten(0, 1), bias.transpose(0, 1).flatten(0, 1))
        out = (weights @ v.flatten(0, 1)).unflatten(0, (-1, self.n_heads))
        if self.record:
            weights = weights.detach().unflatten(0, (-1, self.n_heads))
            self.recorded = windows.received(weights)
        out = out.transpose(1, 2).flatten(2).unflatten(1, (windows.rows, windows.columns))
        return self.project(windows.merge(out.permute(0, 3, 1, 2)))


def check_heads(n_planes: int, n_heads: int) -> None:
    """Raise ValueError if the heads cannot share the planes evenly."""
    if n_planes % n_heads:
        raise ValueError(f"{n_planes} planes cannot be shared evenly by {n_heads} heads")


def tokens(x: Tensor) -> Tensor:
    """Map (n, planes, rows, columns) to (n, rows * columns, planes)."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def attention(q: Tensor, k: Tensor, bias: Tensor) -> Tensor:
    """Return the weight of each key for each query, (n * parts, queries, keys).

    Parameters
    ----------
    q, k : Tensor, shape (n * parts, tokens, dim)
    bias : Tensor, shape (parts, queries, keys)

    Examples
    --------
    >>> attention(torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), torch.zeros(1, 3, 3))[0, 0]
    tensor([0.3333, 0.3333, 0.3333])
    """
    n, n_tokens, dim = q.shape
    bias = bias.expand(n // len(bias), *bias.shape).reshape(n, n_tokens, n_tokens)
    return torch.baddbmm(bias, q, k.mT, alpha=dim**-0.5).softmax(-1)
