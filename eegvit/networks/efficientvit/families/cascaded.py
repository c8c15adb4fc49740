"""Stages of EfficientViT with cascaded group attention [1]_.

.. [1] Liu et al., EfficientViT: Memory efficient vision transformer with cascaded group
   attention. CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from eegvit.networks.efficientvit.blocks import ConvNorm, Size, SqueezeExcite, Stages, residual
from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.windows import Window

MOST_TOKENS = 256  # that attention is over at once, where rows are places
OfBlocks = Sequence[Sequence[float]]  # a number for each block of each stage


class LocalMixer(nn.Sequential):
    """A depthwise convolution (token interaction), then a feed-forward network; residual both.

    Parameters
    ----------
    width : int
    ffn_ratio : float
        Hidden over outer planes.
    interaction : bool
        Whether there is a convolution.
    feed : bool
        Whether there is a feed-forward network.
    gain : float
        Of the convolution's batch norm at the start.
    drop_path : float
    reach : int or (int, int)
        Kernel of the convolution.

    Examples
    --------
    >>> import torch
    >>> LocalMixer(8, ffn_ratio=2)(torch.randn(2, 8, 3, 5)).shape
    torch.Size([2, 8, 3, 5])
    """

    def __init__(
        self,
        width: int,
        *,
        ffn_ratio: float,
        interaction: bool = True,
        feed: bool = True,
        gain: float = 1.0,
        drop_path: float = 0.0,
        reach: Size = 3,
    ) -> None:
        super().__init__()
        hidden = max(1, round(width * ffn_ratio))
        if interaction:
            convolution = ConvNorm(width, width, reach, groups=width, gain=gain)
            self.add_module("interaction", residual(convolution, drop_path))
        if feed:
            network = nn.Sequential(
                ConvNorm(width, hidden), nn.ReLU(), ConvNorm(hidden, width, gain=0.0)
            )
            self.add_module("feed", residual(network, drop_path))


class Merging(nn.Sequential):
    """An inverted residual with squeeze and excitation that halves the map, or its columns.

    Parameters
    ----------
    width, n_out : int
        Planes before and after.
    ratio : float
        Hidden planes over those before.
    columns_only : bool
        Whether all rows are kept, and none is mixed with another.

    Examples
    --------
    >>> import torch
    >>> Merging(8, 16)(torch.randn(2, 8, 3, 8)).shape
    torch.Size([2, 16, 2, 4])
    """

    def __init__(
        self, width: int, n_out: int, *, ratio: float = 4.0, columns_only: bool = False
    ) -> None:
        hidden = round(ratio * width)
        kernel, stride = ((1, 3), (1, 2)) if columns_only else (3, 2)
        super().__init__(
            ConvNorm(width, hidden),
            nn.ReLU(),
            ConvNorm(hidden, hidden, kernel, stride=stride, groups=hidden),
            nn.ReLU(),
            SqueezeExcite(hidden, max(1, hidden // 4)),
            ConvNorm(hidden, n_out),
        )


class CascadedStages(Stages):
    """Stages of blocks around cascaded group attention, halving the map from stage to stage.

    Where rows are places on the scalp there is no raster of them: convolutions go along time
    only, columns alone are halved, and attention is over the whole map, or over all rows and
    as many columns as make `MOST_TOKENS`.

    Parameters
    ----------
    widths : tuple of int
        Planes of each stage.
    depths : tuple of int
        Blocks of each stage.
    heads : tuple of int
        Heads in each stage; they share its planes evenly.
    kernels : tuple of int or (int, int)
        Of the convolution on the queries, one for each head.
    window : (int, int) or one for each stage
        Most rows and columns to attend over.
    key_dim : int, None or one for each block
        Width of a head's queries and keys; None is as wide as its group of planes. For each
        block: a list for each stage.
    value_dim : int, None or one for each block
        Width of a head's values; None is that of its group of planes.
    ffn_ratio : float or one for each block
        Hidden over outer planes of a feed-forward network. Those around the place where the map
        is halved are as of the blocks before and after it.
    merging_ratio : float
        Hidden planes over those before where the map is halved.
    cascade : bool
        Whether a head sees what the one before it gave.
    sandwich : bool
        Whether a feed-forward network is on both sides of attention, or only after it.
    interaction : bool
        Whether depthwise convolutions come before attention and feed-forward networks.
    attention : {"cascaded", "plain"}
        "plain" is multi-head attention in the same windows.
    drop_path : float
        Share of residual branches left out in training at the last block, less in earlier ones.
    places : array (rows, 3) or None
        Unit vector of each row, if rows are places.
    mirrored : bool
        Whether places are treated as their mirror images are.

    Attributes
    ----------
    widths, heads : tuple of int

    Examples
    --------
    >>> import torch
    >>> stages = CascadedStages(widths=(16, 24), depths=(1, 2), heads=(2, 2), kernels=(5, 3))
    >>> [tuple(x.shape) for x in stages(torch.randn(2, 16, 11, 32))]
    [(2, 16, 11, 32), (2, 24, 6, 16)]
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        heads: tuple[int, ...],
        kernels: tuple[Size, ...] = (5, 5, 5, 5),
        window: Window | tuple[Window, ...] = (7, 7),
        key_dim: int | None | OfBlocks = 16,
        value_dim: int | None | OfBlocks = None,
        ffn_ratio: float | OfBlocks = 2.0,
        merging_ratio: float = 4.0,
        cascade: bool = True,
        sandwich: bool = True,
        interaction: bool = True,
        attention: str = "cascaded",
        drop_path: float = 0.0,
        places: NDArray[np.floating] | None = None,
        mirrored: bool = False,
    ) -> None:
        super().__init__(widths, depths=depths, heads=heads)
        if attention not in ("cascaded", "plain"):
            raise ValueError(f"attention={attention!r}: it must be 'cascaded' or 'plain'")
        self.heads = tuple(heads)
        placed = places is not None
        keys = of_blocks("key_dim", key_dim, depths)
        values = of_blocks("value_dim", value_dim, depths)
        ratios = of_blocks("ffn_ratio", ffn_ratio, depths)
        if places is None:
            windows = window_of_stages(window, len(widths))
        else:
            windows = [(len(places), max(1, MOST_TOKENS // len(places)))] * len(widths)
            kernels = tuple((1, size if isinstance(size, int) else size[1]) for size in kernels)

        def attend(stage: int, block: int) -> nn.Module:
            sizes: dict[str, Any] = {
                "n_planes": widths[stage],
                "n_heads": heads[stage],
                "key_dim": keys[stage][block],
                "value_dim": values[stage][block],
                "places": places,
                "mirrored": mirrored,
            }
            if attention == "plain":
                return PlainAttention(**sizes, window=windows[stage])
            return CascadedAttention(
                **sizes, window=windows[stage], kernels=kernels, cascade=cascade
            )

        mixer: dict[str, Any] = {
            "interaction": interaction,
            "reach": (1, 3) if placed else 3,
        }
        last = mixer if sandwich else mixer | {"interaction": False}
        rates = [drop_path * block / sum(depths) for block in range(sum(depths) + 1)]
        for stage, width in enumerate(widths):
            layers: list[nn.Module] = []
            if stage > 0:
                before = widths[stage - 1]
                old, new = ratios[stage - 1][-1], ratios[stage][0]
                layers += [
                    LocalMixer(before, ffn_ratio=old, drop_path=rates[0], **mixer),
                    Merging(before, width, ratio=merging_ratio, columns_only=placed),
                    LocalMixer(width, ffn_ratio=new, drop_path=rates[0], **mixer),
                ]
            for block in range(depths[stage]):
                rates, ratio = rates[1:], ratios[stage][block]
                own: dict[str, Any] = {"ffn_ratio": ratio, "gain": 0.0, "drop_path": rates[0]}
                layers += [
                    LocalMixer(width, feed=sandwich, **own, **mixer),
                    residual(attend(stage, block), rates[0]),
                    LocalMixer(width, **own, **last),
                ]
            self.stages.append(nn.Sequential(*layers))


def of_blocks(name: str, given: Any, depths: Sequence[int]) -> list[list[Any]]:
    """Return a value for each block of each stage, given one for all or those.

    A stage without blocks has one as well, for what is around it.

    Examples
    --------
    >>> of_blocks("key_dim", 8, (1, 2)), of_blocks("key_dim", [[8], [8, 4]], (1, 2))
    ([[8], [8, 8]], [[8], [8, 4]])
    """
    if given is None or isinstance(given, int | float):
        return [[given] * max(1, depth) for depth in depths]
    if [len(stage) for stage in given] != list(depths):
        raise ValueError(
            f"{name}={given!r}: give one value, or a list for each stage with one for each of its"
            f" blocks: there are {', '.join(map(str, depths))}"
        )
    return [list(stage) for stage in given]


def window_of_stages(window: Window | tuple[Window, ...], n_stages: int) -> list[Window]:
    """Return a window for each stage, given one for all or one for each.

    Examples
    --------
    >>> window_of_stages((7, 5), 2), window_of_stages(((7, 7), (4, 4)), 2)
    ([(7, 5), (7, 5)], [(7, 7), (4, 4)])
    """
    sizes = [size for size in window if isinstance(size, int)]
    pairs = [pair for pair in window if not isinstance(pair, int)]
    if len(sizes) == 2 and not pairs:
        pairs = [(sizes[0], sizes[1])] * n_stages
    if len(pairs) != n_stages or min(min(pair) for pair in pairs) < 1:
        raise ValueError(f"window={window!r}: give (rows, columns), or that for each stage")
    return pairs
