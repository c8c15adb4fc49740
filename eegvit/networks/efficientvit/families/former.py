"""EfficientFormerV2 [1]_: convolutional blocks first, attention in the last ones.

.. [1] Li et al., Rethinking vision transformers for MobileNet size and speed. ICCV 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, DropPath, Residual, Stages
from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)


class LayerScale(nn.Module):
    """A learned factor for each plane, small at the start.

    Examples
    --------
    >>> LayerScale(2, 0.5)(torch.ones(1, 2, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """

    def __init__(self, n_planes: int, start: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((n_planes,), start))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        return x * self.factor[:, None, None]


def branch(inner: nn.Module, n_planes: int, layer_scale: float, drop_path: float) -> nn.Module:
    """Return what a residual adds: a module, its layer scale, its stochastic depth.

    Examples
    --------
    >>> branch(nn.Identity(), 2, 0.5, 0.0)(torch.ones(1, 2, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """
    return nn.Sequential(inner, LayerScale(n_planes, layer_scale), DropPath(drop_path))


def unified_ffn(n_planes: int, expansion: int) -> nn.Sequential:
    """Return a feed-forward network with a depthwise convolution in its middle.

    Examples
    --------
    >>> unified_ffn(8, 4)(torch.randn(2, 8, 3, 5)).shape
    torch.Size([2, 8, 3, 5])
    """
    n_hidden = n_planes * expansion
    return nn.Sequential(
        ConvNorm(n_planes, n_hidden, bias=True),
        nn.GELU(),
        ConvNorm(n_hidden, n_hidden, 3, groups=n_hidden, bias=True),
        nn.GELU(),
        ConvNorm(n_hidden, n_planes, bias=True),
    )


class FormerBlock(nn.Module):
    """Attention, if there is one, and a unified FFN, each added to what came in.

    Examples
    --------
    >>> FormerBlock(8, None, expansion=4)(torch.randn(2, 8, 3, 5)).shape
    torch.Size([2, 8, 3, 5])
    """

    def __init__(
        self,
        n_planes: int,
        attention: nn.Module | None,
        *,
        expansion: int,
        layer_scale: float = 1e-5,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if attention is None:
            self.attend: nn.Module = nn.Identity()
        else:
            self.attend = Residual(branch(attention, n_planes, layer_scale, drop_path))
        ffn = unified_ffn(n_planes, expansion)
        self.feed = Residual(branch(ffn, n_planes, layer_scale, drop_path))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        return self.feed(self.attend(x))


class FormerStages(Stages):
    """Stages of blocks, each stage at half the rows and columns of the one before.

    Parameters
    ----------
    widths, depths : tuple of int
        Planes and blocks of each stage.
    expansions : tuple of int or tuple of int
        Hidden planes of the FFN to each plane, of a stage or of each of its blocks.
    attention : tuple of int
        How many blocks of each stage attend: its last ones.
    strides : tuple of int
        Of the attention of each stage; 2 attends over a map of half the rows and columns.
    dual_path : tuple of bool
        Whether attention takes part in the downsampling before each stage but the first.
    n_heads : int
    key_dim, value_dim : int
        Of each head; downsampling has half of each.
    reach : (int, int)
        Rows and columns of offset that the bias of an attention tells apart, twice as many
        in downsampling, whose map is twice as fine; further offsets share the last.
    layer_scale : float
        Factor of every residual branch at the start.
    drop_path : float
        Chance that the last block's branches are left out for a trial in training, growing
        from 0 in the first block.

    Examples
    --------
    >>> stages = FormerStages(
    ...     widths=(8, 16),
    ...     depths=(1, 2),
    ...     expansions=(2, 4),
    ...     attention=(0, 1),
    ...     strides=(1, 1),
    ...     dual_path=(True,),
    ...     n_heads=2,
    ...     key_dim=4,
    ...     value_dim=8,
    ...     reach=(6, 16),
    ... )
    >>> [tuple(x.shape) for x in stages(torch.randn(2, 8, 11, 32))]
    [(2, 8, 11, 32), (2, 16, 6, 16)]
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        expansions: tuple[int | tuple[int, ...], ...],
        attention: tuple[int, ...],
        strides: tuple[int, ...],
        dual_path: tuple[bool, ...],
        n_heads: int = 8,
        key_dim: int = 32,
        value_dim: int = 128,
        reach: tuple[int, int] = (7, 7),
        layer_scale: float = 1e-5,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__(
            widths, depths=depths, expansions=expansions, attention=attention, strides=strides
        )
        if len(dual_path) != len(widths) - 1:
            raise ValueError(
                f"dual_path={dual_path!r}: there are {len(widths)} stages, one is never halved"
            )
        fine = (2 * reach[0], 2 * reach[1])
        heads = {"n_heads": n_heads, "key_dim": key_dim, "value_dim": value_dim}
        halves = {
            "n_heads": n_heads,
            "key_dim": max(1, key_dim // 2),
            "value_dim": max(1, value_dim // 2),
        }
        last = max(1, sum(depths) - 1)
        drops = (drop_path * block / last for block in range(sum(depths)))
        for stage, width in enumerate(widths):
            layers: list[nn.Module] = []
            if stage > 0 and dual_path[stage - 1]:
                layers.append(DualPathDownsampling(widths[stage - 1], width, reach=fine, **halves))
            elif stage > 0:
                layers.append(ConvNorm(widths[stage - 1], width, 3, stride=2, bias=True))
            ratios = per_block(expansions[stage], depths[stage])
            for block, expansion in enumerate(ratios):
                mixer = None
                if block >= depths[stage] - attention[stage]:
                    mixer = TalkingAttention(width, stride=strides[stage], reach=reach, **heads)
                rates = {"layer_scale": layer_scale, "drop_path": next(drops)}
                layers.append(FormerBlock(width, mixer, expansion=expansion, **rates))
            self.stages.append(nn.Sequential(*layers))


def per_block(expansion: int | tuple[int, ...], depth: int) -> tuple[int, ...]:
    """Return the expansion of each block of a stage.

    Examples
    --------
    >>> per_block(4, 3), per_block((4, 3), 2)
    ((4, 4, 4), (4, 3))
    """
    ratios = (expansion,) * depth if isinstance(expansion, int) else tuple(expansion)
    if len(ratios) != depth:
        raise ValueError(f"{len(ratios)} expansions {ratios} for a stage of {depth} blocks")
    return ratios
