"""The attentions of EfficientFormerV2 [1]_.

.. [1] Li et al., Rethinking vision transformers for MobileNet size and speed. ICCV 2023.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.depthwise import convolution
from eegvit.networks.efficientvit.families.heads import Dims, dims_of, mixtures, products
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias


class TalkingHeads(nn.Linear):
    """A linear layer across heads: a 1 x 1 convolution, many times faster as one product.

    Examples
    --------
    >>> TalkingHeads(2)(torch.randn(3, 2, 5, 7)).shape
    torch.Size([3, 2, 5, 7])
    """

    def __init__(self, n_heads: int) -> None:
        super().__init__(n_heads, n_heads)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, heads, queries, keys) to the same shape."""
        weight = self.weight.expand(len(x), -1, -1)
        bias = self.bias[:, None].expand(len(x), -1, 1)
        return torch.baddbmm(bias, weight, x.flatten(2)).view_as(x)


class TalkingAttention(nn.Module):
    """Attention whose heads mix before and after the softmax, beside a local path of values.

    With a stride the map is first made coarser by a depthwise convolution, and what
    attention gives is made finer again, by bilinear interpolation cropped to the map.

    Parameters
    ----------
    n_planes : int
    n_heads : int
    key_dim, value_dim : int or sequence of int
        Of all heads, or of each.
    reach : (int, int)
        Offsets that the bias tells apart, on the map that is attended over.
    stride : int

    Attributes
    ----------
    record : bool
        Keep in `recorded` the attention that each position receives, before heads mix the
        second time: (n, heads, rows, columns), the mean over queries.

    Examples
    --------
    >>> attention = TalkingAttention(16, n_heads=2, key_dim=4, value_dim=8, reach=(3, 8), stride=2)
    >>> attention(torch.randn(2, 16, 5, 9)).shape
    torch.Size([2, 16, 5, 9])
    """

    recorded: Tensor

    def __init__(
        self,
        n_planes: int,
        *,
        n_heads: int,
        key_dim: Dims,
        value_dim: Dims,
        reach: tuple[int, int],
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.key_dims, self.value_dims = dims_of(key_dim, n_heads), dims_of(value_dim, n_heads)
        self.record = False
        n_keys, n_values = sum(self.key_dims), sum(self.value_dims)
        if stride > 1:
            self.reduce = ConvNorm(n_planes, n_planes, 3, stride=stride, groups=n_planes, bias=True)
        self.query = ConvNorm(n_planes, n_keys, bias=True)
        self.key = ConvNorm(n_planes, n_keys, bias=True)
        self.value = ConvNorm(n_planes, n_values, bias=True)
        self.local = ConvNorm(n_values, n_values, 3, groups=n_values, bias=True)
        self.bias = OffsetBias(n_heads, reach)
        self.talk_before = TalkingHeads(n_heads)
        self.talk_after = TalkingHeads(n_heads)
        self.project = ConvNorm(n_values, n_planes, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        rows, columns = x.shape[2:]
        if self.stride > 1:
            x = self.reduce(x)
        value = self.value(x)
        query, key = self.query(x).flatten(2), self.key(x).flatten(2)
        scores = products(query, key, self.key_dims) + self.bias(*x.shape[2:])
        weights = self.talk_before(scores).softmax(-1)  # (n, heads, queries, keys)
        if self.record:
            self.recorded = weights.detach().mean(2).unflatten(-1, x.shape[2:])
        mixed = mixtures(self.talk_after(weights), value.flatten(2), self.value_dims)
        x = mixed.reshape(value.shape) + self.local(value)
        if self.stride > 1:
            x = F.interpolate(x, scale_factor=self.stride, mode="bilinear")
            x = x[..., :rows, :columns]
        return self.project(F.gelu(x))


class DualPathDownsampling(nn.Module):
    """Attention of a coarse grid over the fine one, added to a strided convolution.

    A query is a point of the fine map plus a strided depthwise convolution of it; the local
    path of the values is strided too.

    Parameters
    ----------
    n_in, n_out : int
        Planes before and after.
    n_heads : int
    key_dim, value_dim : int or sequence of int
        Of all heads, or of each.
    reach : (int, int)
        Offsets that the bias tells apart, on the fine map.

    Attributes
    ----------
    record : bool
        Keep in `recorded` the attention that each position of the fine map receives:
        (n, heads, rows, columns), the mean over queries.

    Examples
    --------
    >>> down = DualPathDownsampling(16, 24, n_heads=2, key_dim=4, value_dim=8, reach=(3, 8))
    >>> down(torch.randn(2, 16, 5, 9)).shape
    torch.Size([2, 24, 3, 5])
    """

    recorded: Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        n_heads: int,
        key_dim: Dims,
        value_dim: Dims,
        reach: tuple[int, int],
    ) -> None:
        super().__init__()
        self.key_dims, self.value_dims = dims_of(key_dim, n_heads), dims_of(value_dim, n_heads)
        self.record = False
        n_keys, n_values = sum(self.key_dims), sum(self.value_dims)
        self.conv = ConvNorm(n_in, n_out, 3, stride=2, bias=True)
        self.query_local = convolution(n_in, n_in, 3, stride=2, groups=n_in)
        self.query = ConvNorm(n_in, n_keys, bias=True)
        self.key = ConvNorm(n_in, n_keys, bias=True)
        self.value = ConvNorm(n_in, n_values, bias=True)
        self.local = ConvNorm(n_values, n_values, 3, stride=2, groups=n_values, bias=True)
        self.bias = OffsetBias(n_heads, reach)
        self.project = ConvNorm(n_values, n_out, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, n_in, rows, columns) to (n, n_out, half the rows, half the columns)."""
        query = self.query(self.query_local(x) + x[..., ::2, ::2])
        scores = products(query.flatten(2), self.key(x).flatten(2), self.key_dims)
        scores = scores + self.bias(*x.shape[2:], stride=2)
        weights = scores.softmax(-1)  # (n, heads, queries, keys)
        if self.record:
            self.recorded = weights.detach().mean(2).unflatten(-1, x.shape[2:])
        value = self.value(x)
        local = self.local(value)
        mixed = mixtures(weights, value.flatten(2), self.value_dims)
        return self.conv(x) + self.project(F.gelu(mixed.reshape(local.shape) + local))
