"""EfficientViT with multi-scale linear attention.

Cai et al., EfficientViT: Multi-Scale Linear Attention for High-Resolution Dense Prediction,
ICCV 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import (
    ConvNorm,
    InvertedResidual,
    Size,
    Stages,
    convolution,
    residual,
)
from eegvit.networks.efficientvit.depthwise import FEW_PLANES
from eegvit.networks.efficientvit.families.folded_linear import (
    EPS,
    FoldedLinearAttention,
    full_precision,
)
from eegvit.networks.fold import folded, within


class LinearAttention(nn.Module):
    """Attention whose weights are ReLU products of queries and keys, at two scales.

    Next to the heads that see single positions are as many whose queries, keys and values
    are sums over a neighbourhood. The cost is linear in the number of positions, and sums are
    taken in float32 at least.

    Parameters
    ----------
    n_planes : int
        A multiple of `dim`.
    dim : int
        Width of a head.
    kernel : int or (int, int)
        Rows and columns of the neighbourhood, odd.
    gain : float
        Of the last batch norm at the start.
    dims : sequence of (int, int) or None
        Width of the keys and of the values of each head, those of the second scale last; None
        has all as wide as `dim`.

    Attributes
    ----------
    record : bool
        Whether `forward` stores `recorded`.
    recorded : Tensor, shape (n, heads, rows, columns)
        Attention that each position receives, the mean over all queries.

    Examples
    --------
    >>> attention = LinearAttention(32, dim=8, kernel=(3, 5))
    >>> attention(torch.randn(2, 32, 5, 9)).shape
    torch.Size([2, 32, 5, 9])
    """

    recorded: Tensor

    def __init__(
        self,
        n_planes: int,
        *,
        dim: int,
        kernel: Size = 5,
        gain: float = 1.0,
        dims: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        if n_planes % dim:
            raise ValueError(f"{n_planes} planes are no multiple of dim={dim}")
        self.record = False
        n_heads = n_planes // dim
        given = [(dim, dim)] * (2 * n_heads) if dims is None else list(dims)
        if len(given) != 2 * n_heads:
            raise ValueError(f"dims={dims!r}: there are {n_heads} heads at each of two scales")
        self.key_dims, self.value_dims = [key for key, _ in given], [value for _, value in given]
        widths, further = self.widths(first=True), self.widths(first=False)
        n_qkv = sum(widths)
        mix: nn.Module = Within(widths, further)
        if dims is None:
            mix = convolution(n_qkv, n_qkv, groups=3 * n_heads, bias=False)
        self.qkv = convolution(n_planes, n_qkv, bias=False)
        self.aggregate = nn.Sequential(
            convolution(n_qkv, n_qkv, kernel, groups=n_qkv, bias=False), mix
        )
        self.project = ConvNorm(sum(self.value_dims), n_planes, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        n, _, rows, columns = x.shape
        qkv = self.qkv(x)
        qkv = torch.cat([qkv, self.aggregate(qkv)], 1)
        with full_precision(x.device.type):
            dtype = torch.promote_types(x.dtype, torch.float32)
            if len({*self.key_dims, *self.value_dims}) == 1:
                each = [qkv.reshape(n, -1, 3, self.key_dims[0], rows * columns).unbind(2)]
            else:
                parts = qkv.flatten(2).split([*self.widths(True), *self.widths(False)], 1)
                heads = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
                each = [tuple(part[:, None] for part in head) for head in heads]
            out, seen = [], []
            for q, k, v in each:  # (n, heads, dim, tokens): all at once, or one by one
                q, k, v = q.to(dtype).relu(), k.to(dtype).relu(), v.to(dtype)
                if self.record:
                    seen.append(received(q, k).unflatten(-1, (rows, columns)))
                out.append(attend(q, k, v).to(x.dtype).flatten(1, 2))
        if self.record:
            self.recorded = torch.cat(seen, 1)
        return self.project(torch.cat(out, 1).unflatten(2, (rows, columns)))

    def folded(self) -> nn.Module:
        """Return a module without norms that does the same at inference."""
        near, mix = self.aggregate
        alike = len({*self.key_dims, *self.value_dims}) == 1
        few = self.qkv.in_channels <= FEW_PLANES
        if not (alike and few and isinstance(near, nn.Conv2d) and isinstance(mix, nn.Conv2d)):
            return within(self)
        weights = [each.weight.detach() for each in (self.qkv, near, mix)]
        return FoldedLinearAttention(
            weights[0].flatten(1), weights[1], weights[2].flatten(1), folded(self.project)
        )

    def widths(self, first: bool) -> list[int]:
        """Return the planes of queries, keys and values of each head of a scale, in order."""
        half = len(self.key_dims) // 2
        which = slice(half) if first else slice(half, None)
        dims = zip(self.key_dims[which], self.value_dims[which], strict=True)
        return [width for key, value in dims for width in (key, key, value)]


class Within(nn.Module):
    """Convolutions across the planes of each part of a map by itself, of parts of any width.

    Parameters
    ----------
    n_in, n_out : sequence of int
        Planes of each part before and after.

    Examples
    --------
    >>> Within((3, 1), (2, 4))(torch.randn(2, 4, 5, 9)).shape
    torch.Size([2, 6, 5, 9])
    """

    def __init__(self, n_in: Sequence[int], n_out: Sequence[int]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            nn.Conv2d(before, after, 1, bias=False)
            for before, after in zip(n_in, n_out, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes of all parts, rows, columns) to the same with other planes."""
        convolutions = cast(list[nn.Conv2d], list(self.parts))
        parts = x.split([part.in_channels for part in convolutions], 1)
        return torch.cat([part(own) for part, own in zip(convolutions, parts, strict=True)], 1)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return the means of v by weights q·k, without a table of weights.

    Parameters
    ----------
    q, k, v : Tensor, shape (n, heads, dim, tokens)
        Queries and keys are at least 0.

    Examples
    --------
    >>> q, k, v = torch.rand(3, 2, 4, 8, 50)
    >>> weights = q.mT @ k  # (n, heads, queries, keys)
    >>> expected = v @ (weights / weights.sum(-1, keepdim=True)).mT
    >>> torch.allclose(attend(q, k, v), expected, atol=1e-4)
    True
    """
    v = F.pad(v, (0, 0, 0, 1), value=1.0)  # a row of ones: its mean is the sum of weights
    out = (v @ k.mT) @ q  # (n, heads, dim + 1, tokens)
    return out[:, :, :-1] / (out[:, :, -1:] + EPS)


@torch.no_grad()
def received(q: Tensor, k: Tensor) -> Tensor:
    """Return the weight of each key, the mean over queries: (n, heads, tokens)."""
    total = k.sum(-1, keepdim=True).mT @ q  # (n, heads, 1, queries)
    share = (q / (total + EPS)).mean(-1, keepdim=True)
    return (share.mT @ k).squeeze(2)


class SeparableConv(nn.Sequential):
    """A depthwise convolution, then one across planes.

    Examples
    --------
    >>> SeparableConv(8)(torch.randn(2, 8, 5, 9)).shape
    torch.Size([2, 8, 5, 9])
    """

    def __init__(self, n_planes: int, *, gain: float = 1.0) -> None:
        super().__init__(
            ConvNorm(n_planes, n_planes, 3, groups=n_planes),
            nn.Hardswish(),
            ConvNorm(n_planes, n_planes, gain=gain),
        )


class LinearStages(Stages):
    """Stages of convolutions, then of linear attention, halving the map from stage to stage.

    Parameters
    ----------
    widths : tuple of int
        Planes of each stage.
    depths : tuple of int
        Blocks of each stage. In stages without attention but the first, the one that halves
        the map is among them.
    n_local : int
        How many stages, from the first on, are without attention.
    dim : int
        Width of a head.
    kernel : int or (int, int)
        Rows and columns of the neighbourhood that the heads of the second scale sum over.
    expansion : float
        Hidden over outer planes of an inverted residual.
    drop_path : float
        Share of residual branches left out in training at the last block, less in earlier ones.

    Attributes
    ----------
    widths : tuple of int

    Examples
    --------
    >>> stages = LinearStages(widths=(16, 32), depths=(1, 2), n_local=1, dim=8)
    >>> [tuple(x.shape) for x in stages(torch.randn(2, 16, 11, 32))]
    [(2, 16, 11, 32), (2, 32, 6, 16)]
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        n_local: int = 3,
        dim: int = 16,
        kernel: Size = 5,
        expansion: float = 4,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__(widths, depths=depths)
        n_blocks = 0
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            local = stage < n_local
            inverted = partial(InvertedResidual, expansion=expansion, norms=local)
            layers: list[nn.Module] = []
            if stage:
                layers.append(inverted(widths[stage - 1], width, stride=2))
            for block in range(depth):
                drop = drop_path * n_blocks / max(1, sum(depths) - 1)
                n_blocks += 1
                if not local:
                    attention = LinearAttention(width, dim=dim, kernel=kernel, gain=0.0)
                    layers.append(residual(attention, drop))
                    layers.append(residual(inverted(width, width, gain=0.0), drop))
                elif stage == 0:
                    layers.append(residual(SeparableConv(width, gain=0.0), drop))
                elif block:  # the first is the one that halves the map
                    layers.append(residual(inverted(width, width, gain=0.0), drop))
            self.stages.append(nn.Sequential(*layers))
