"""Cascaded group attention [1]_, and plain attention to compare it with.

.. [1] Liu et al., EfficientViT: Memory efficient vision transformer with cascaded group
   attention. CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, Size
from eegvit.networks.efficientvit.families.folded_cascaded import FoldedCascadedAttention
from eegvit.networks.efficientvit.families.heads import Dims, dims_of
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.efficientvit.families.place_bias import PlaceBias
from eegvit.networks.efficientvit.families.windows import Window, Windows
from eegvit.networks.fold import within
from eegvit.networks.spread import Spread


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
    key_dim : int, sequence of int or None
        Width of a head's queries and keys; None is that of its group, ``n_planes // n_heads``.
    value_dim : int, sequence of int or None
        Width of a head's values, which the next head sees added to the first planes of its
        group; None is all of them.
    window : (int, int)
        Most rows and columns to attend over.
    cascade : bool
        Whether a head sees what the one before it gave.
    places : array (rows, 3) or None
        Unit vector of each row if rows are places on the scalp: the bias is then of them.
    mirrored : bool
        Whether the bias of two places is that of their mirror images.

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
        key_dim: Dims | None = 16,
        value_dim: Dims | None = None,
        window: Window = (7, 7),
        cascade: bool = True,
        places: NDArray[np.floating] | None = None,
        mirrored: bool = False,
    ) -> None:
        super().__init__()
        check_heads(n_planes, n_heads)
        if len(kernels) < n_heads:
            raise ValueError(f"{n_heads} heads need as many kernels, not {len(kernels)}")
        group = n_planes // n_heads
        self.n_groups, self.groups = n_heads, list(range(n_heads))  # the group each head sees
        self.key_dims = dims_of(key_dim or group, n_heads)
        self.value_dims = dims_of(value_dim or group, n_heads)
        self.window = window
        self.cascade = cascade
        self.record = False
        dims = list(zip(self.key_dims, self.value_dims, strict=True))
        self.qkv = nn.ModuleList(ConvNorm(group, 2 * key + value) for key, value in dims)
        self.query = nn.ModuleList(
            ConvNorm(key, key, kernel, groups=key)
            for (key, _), kernel in zip(dims, kernels, strict=False)
        )
        self.spread = nn.ModuleList(
            nn.Identity() if value == group else Spread(group, range(value)) for _, value in dims
        )
        self.bias = bias_of(n_heads, window, places, mirrored)
        n_values = sum(self.value_dims)
        self.project = nn.Sequential(nn.ReLU(), ConvNorm(n_values, n_planes, gain=0.0))

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

    def folded(self) -> FoldedCascadedAttention:
        """Return a module without norms that does the same at inference."""
        return FoldedCascadedAttention(within(self))

    def heads(self, x: Tensor, windows: Windows) -> tuple[Tensor, list[Tensor]]:
        """Run the heads one after the other: (n, planes, height, width) to the same."""
        bias = windows.hide(self.bias(windows.rows, windows.columns))
        outputs: list[Tensor] = []
        received: list[Tensor] = []
        groups = x.chunk(self.n_groups, 1)
        for i, number in enumerate(self.groups):
            group, dim = groups[number], self.key_dims[i]
            if self.cascade and i and self.groups[i - 1] == number - 1:
                group = group + self.spread[i - 1](outputs[-1])
            qkv = windows.split(self.qkv[i](group))
            q = self.query[i](qkv[:, :dim])
            k, v = qkv[:, dim:].split([dim, self.value_dims[i]], 1)
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
    key_dim, value_dim : int, sequence of int or None
        Width of a head's queries and keys, and of its values; None is ``n_planes // n_heads``.
    window : (int, int)
        Most rows and columns to attend over.
    places, mirrored
        As for `CascadedAttention`.

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
        key_dim: Dims | None = 16,
        value_dim: Dims | None = None,
        window: Window = (7, 7),
        places: NDArray[np.floating] | None = None,
        mirrored: bool = False,
    ) -> None:
        super().__init__()
        check_heads(n_planes, n_heads)
        self.key_dims = dims_of(key_dim or n_planes // n_heads, n_heads)
        self.value_dims = dims_of(value_dim or n_planes // n_heads, n_heads)
        self.window = window
        self.record = False
        n_values = sum(self.value_dims)
        self.qkv = ConvNorm(n_planes, 2 * sum(self.key_dims) + n_values)
        self.bias = bias_of(n_heads, window, places, mirrored)
        self.project = ConvNorm(n_values, n_planes, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        windows = Windows.cut((x.shape[2], x.shape[3]), self.window)
        bias = windows.hide(self.bias(windows.rows, windows.columns))
        qkv = tokens(windows.split(self.qkv(x)))  # (n * windows, tokens, planes of all heads)
        out, weights = self.heads(qkv, bias)
        if self.record:
            self.recorded = windows.received(weights.detach())
        out = out.unflatten(1, (windows.rows, windows.columns)).permute(0, 3, 1, 2)
        return self.project(windows.merge(out))

    def heads(self, qkv: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return what heads give (n, tokens, values of all), and (n, heads, queries, keys)."""
        dims = list(zip(self.key_dims, self.value_dims, strict=True))
        if len(set(dims)) > 1:
            parts = qkv.split([2 * key + value for key, value in dims], 2)
            each = [
                part.split([key, key, value], 2)
                for part, (key, value) in zip(parts, dims, strict=True)
            ]
            weights = [attention(q, k, own) for (q, k, _), own in zip(each, bias, strict=True)]
            out = [own @ v for own, (_, _, v) in zip(weights, each, strict=True)]
            return torch.cat(out, 2), torch.stack(weights, 1)
        ((key, value),) = set(dims)
        qkv = qkv.unflatten(2, (len(dims), -1)).transpose(1, 2)
        q, k, v = qkv.split([key, key, value], 3)
        # (windows * heads, queries, keys), as the batch below is ordered
        joint = attention(q.flatten(0, 1), k.flatten(0, 1), bias.transpose(0, 1).flatten(0, 1))
        mixed = (joint @ v.flatten(0, 1)).unflatten(0, (-1, len(dims)))
        return mixed.transpose(1, 2).flatten(2), joint.unflatten(0, (-1, len(dims)))


def bias_of(
    n_heads: int, window: Window, places: NDArray[np.floating] | None, mirrored: bool = False
) -> nn.Module:
    """Return the bias of places on the scalp, or that of a raster.

    Examples
    --------
    >>> type(bias_of(2, (7, 7), None)).__name__
    'OffsetBias'
    """
    if places is None:
        return OffsetBias(n_heads, window)
    return PlaceBias(n_heads, places, window[1], mirrored)


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
    if len(bias) > 1:
        bias = bias.expand(n // len(bias), *bias.shape).reshape(n, n_tokens, n_tokens)
    return torch.baddbmm(bias, q, k.mT, alpha=dim**-0.5).softmax(-1)
