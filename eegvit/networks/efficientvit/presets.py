"""Settings of the families by name: on images as published, and on EEG maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from eegvit.networks.efficientvit.image.cascaded import CascadedImage
from eegvit.networks.efficientvit.image.former import FormerImage
from eegvit.networks.efficientvit.image.linear import LinearImage

Settings = dict[str, Any]

CASCADED_WINDOWS = ((7, 7), (7, 7), (4, 4))  # maps of 14 x 14, 7 x 7 and 4 x 4
LATER_KERNELS_SMALLER = (7, 5, 3, 3)

FORMER_GRID: Settings = {"strides": (1, 1, 2, 1), "dual_path": (False, False, True)}

# name -> the network's class and its arguments
IMAGE: dict[str, tuple[Callable[..., nn.Module], Settings]] = {
    "m0": (
        CascadedImage,
        {
            "widths": (64, 128, 192),
            "depths": (1, 2, 3),
            "heads": (4, 4, 4),
            "kernels": (5, 5, 5, 5),
            "window": CASCADED_WINDOWS,
        },
    ),
    "m1": (
        CascadedImage,
        {
            "widths": (128, 144, 192),
            "depths": (1, 2, 3),
            "heads": (2, 3, 3),
            "kernels": LATER_KERNELS_SMALLER,
            "window": CASCADED_WINDOWS,
        },
    ),
    "m2": (
        CascadedImage,
        {
            "widths": (128, 192, 224),
            "depths": (1, 2, 3),
            "heads": (4, 3, 2),
            "kernels": LATER_KERNELS_SMALLER,
            "window": CASCADED_WINDOWS,
        },
    ),
    "m3": (
        CascadedImage,
        {
            "widths": (128, 240, 320),
            "depths": (1, 2, 3),
            "heads": (4, 3, 4),
            "kernels": (5, 5, 5, 5),
            "window": CASCADED_WINDOWS,
        },
    ),
    "m4": (
        CascadedImage,
        {
            "widths": (128, 256, 384),
            "depths": (1, 2, 3),
            "heads": (4, 4, 4),
            "kernels": LATER_KERNELS_SMALLER,
            "window": CASCADED_WINDOWS,
        },
    ),
    "m5": (
        CascadedImage,
        {
            "widths": (192, 288, 384),
            "depths": (1, 3, 4),
            "heads": (3, 3, 4),
            "kernels": LATER_KERNELS_SMALLER,
            "window": CASCADED_WINDOWS,
        },
    ),
    "b0": (
        LinearImage,
        {
            "widths": (8, 16, 32, 64, 128),
            "depths": (1, 2, 2, 2, 2),
            "dim": 16,
            "head": (1024, 1280),
        },
    ),
    "b1": (
        LinearImage,
        {
            "widths": (16, 32, 64, 128, 256),
            "depths": (1, 2, 3, 3, 4),
            "dim": 16,
            "head": (1536, 1600),
        },
    ),
    "b2": (
        LinearImage,
        {
            "widths": (24, 48, 96, 192, 384),
            "depths": (1, 3, 4, 4, 6),
            "dim": 32,
            "head": (2304, 2560),
        },
    ),
    "b3": (
        LinearImage,
        {
            "widths": (32, 64, 128, 256, 512),
            "depths": (1, 4, 6, 6, 9),
            "dim": 32,
            "head": (2304, 2560),
        },
    ),
    "s0": (
        FormerImage,
        {
            "widths": (32, 48, 96, 176),
            "depths": (2, 2, 6, 4),
            "expansions": (4, 4, (4, 3, 3, 3, 4, 4), (4, 3, 3, 4)),
            "attention": (0, 0, 2, 2),
            **FORMER_GRID,
        },
    ),
    "s1": (
        FormerImage,
        {
            "widths": (32, 48, 120, 224),
            "depths": (3, 3, 9, 6),
            "expansions": (4, 4, (4, 4, 3, 3, 3, 3, 4, 4, 4), (4, 4, 3, 3, 4, 4)),
            "attention": (0, 0, 2, 2),
            **FORMER_GRID,
        },
    ),
    "s2": (
        FormerImage,
        {
            "widths": (32, 64, 144, 288),
            "depths": (4, 4, 12, 8),
            "expansions": (4, 4, (4, 4, *(3,) * 6, *(4,) * 4), (4, 4, *(3,) * 4, 4, 4)),
            "attention": (0, 0, 4, 4),
            **FORMER_GRID,
        },
    ),
    "l": (
        FormerImage,
        {
            "widths": (40, 80, 192, 384),
            "depths": (5, 5, 15, 10),
            "expansions": (
                4,
                4,
                (*(4,) * 4, *(3,) * 7, *(4,) * 4),
                (*(4,) * 3, *(3,) * 4, *(4,) * 3),
            ),
            "attention": (0, 0, 6, 6),
            **FORMER_GRID,
        },
    ),
}

# Windows get longer as the map gets coarser: on one row the last one spans four seconds.
CASCADED_MAP: Settings = {
    "kernels": (5, 3),
    "window": ((11, 16), (6, 16), (3, 32)),
    "merging_ratio": 2.0,
}

# Layer scale starts larger than on images: these networks are shallow and train for few steps.
FORMER_MAP: Settings = {
    "attention": (0, 1, 1),
    "strides": (1, 2, 1),
    "dual_path": (False, True),
    "layer_scale": 0.1,
}

# family -> size -> arguments of its stages; about 4k, 10k, 60k and 300k parameters in all
EEG: dict[str, dict[str, Settings]] = {
    "multiscale": {
        "eeg_xxs": {"widths": (24,), "depths": (1,), "heads": (1,)},
        "eeg_xs": {"widths": (12, 24), "depths": (1, 1), "heads": (1, 1)},
        "eeg_s": {"widths": (12, 24, 48), "depths": (1, 1, 2), "heads": (1, 1, 2)},
        "eeg_m": {"widths": (36, 60, 108), "depths": (1, 1, 2), "heads": (1, 1, 2)},
    },
    "linear": {
        "eeg_xxs": {
            "widths": (20,),
            "depths": (1,),
            "n_local": 1,
            "dim": 8,
            "kernel": (3, 5),
            "expansion": 2,
        },
        "eeg_xs": {
            "widths": (16, 24),
            "depths": (1, 1),
            "n_local": 1,
            "dim": 8,
            "kernel": (3, 5),
            "expansion": 2,
        },
        "eeg_s": {
            "widths": (16, 32, 40),
            "depths": (1, 1, 2),
            "n_local": 1,
            "dim": 8,
            "kernel": (3, 5),
            "expansion": 2,
        },
        "eeg_m": {
            "widths": (32, 48, 96),
            "depths": (1, 1, 2),
            "n_local": 1,
            "dim": 16,
            "kernel": (3, 5),
            "expansion": 3,
        },
    },
    "cascaded": {
        "eeg_xxs": {
            "widths": (16,),
            "depths": (1,),
            "heads": (2,),
            "key_dim": 4,
            **CASCADED_MAP,
            "window": CASCADED_MAP["window"][:1],
            "sandwich": False,
            "ffn_ratio": 1.0,
        },
        "eeg_xs": {
            "widths": (12, 16),
            "depths": (1, 1),
            "heads": (2, 2),
            "key_dim": 4,
            **CASCADED_MAP,
            "window": CASCADED_MAP["window"][:2],
        },
        "eeg_s": {
            "widths": (16, 24, 36),
            "depths": (1, 1, 2),
            "heads": (2, 2, 2),
            "key_dim": 8,
            **CASCADED_MAP,
        },
        "eeg_m": {
            "widths": (32, 64, 80),
            "depths": (1, 1, 2),
            "heads": (2, 2, 2),
            "key_dim": 16,
            **CASCADED_MAP,
        },
    },
    "former": {
        "eeg_xxs": {
            "widths": (16,),
            "depths": (1,),
            "expansions": (2,),
            "n_heads": 2,
            "key_dim": 8,
            "value_dim": 8,
            "reach": (3, 8),
            **FORMER_MAP,
            "attention": (1,),
            "strides": (1,),
            "dual_path": (),
        },
        "eeg_xs": {
            "widths": (12, 12, 16),
            "depths": (1, 1, 1),
            "expansions": (2, 2, 2),
            "n_heads": 2,
            "key_dim": 8,
            "value_dim": 8,
            "reach": (3, 8),
            **FORMER_MAP,
        },
        "eeg_s": {
            "widths": (24, 28, 36),
            "depths": (1, 1, 2),
            "expansions": (2, 2, 2),
            "n_heads": 4,
            "key_dim": 8,
            "value_dim": 16,
            "reach": (3, 16),
            **FORMER_MAP,
        },
        "eeg_m": {
            "widths": (32, 48, 80),
            "depths": (1, 2, 3),
            "expansions": (3, 3, 3),
            "n_heads": 4,
            "key_dim": 16,
            "value_dim": 32,
            "reach": (3, 16),
            **FORMER_MAP,
        },
    },
}


def usual_preset(layout: str) -> str:
    """Return the size that a layout has where none is named.

    Examples
    --------
    >>> usual_preset("scalp"), usual_preset("conv")
    ('eeg_xxs', 'eeg_xs')
    """
    return "eeg_xxs" if layout == "scalp" else "eeg_xs"


def image_model(name: str) -> nn.Module:
    """Build a network on images as published: 3 x 224 x 224 to 1000 classes.

    Examples
    --------
    >>> sum(p.numel() for p in image_model("m0").parameters())
    2349436
    """
    if name not in IMAGE:
        raise ValueError(f"{name!r} is no image preset: there are {', '.join(IMAGE)}")
    build, settings = IMAGE[name]
    return build(**settings)
