"""A small space of shapes, and networks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from random_weights import randomise
from torch import nn

from eegvit.compress.search.space import Shape, Space, settings_of
from eegvit.networks.efficientvit.model import EfficientViT

BASE: dict[str, Any] = {
    "widths": (16, 24),
    "depths": (2, 2),
    "heads": (2, 2),
    "key_dim": 4,
    "kernels": (5, 3),
    "window": ((6, 16), (3, 32)),
    "merging_ratio": 2.0,
}
NAMES = ("C3", "Cz", "C4", "Pz")


@pytest.fixture
def space() -> Space:
    """Return all shapes within two stages of two blocks."""
    return Space.of(BASE)


@pytest.fixture
def make_build() -> Callable[..., Callable[[Shape], nn.Module]]:
    """Return what returns what builds a network of a shape, its weights drawn at random."""

    def make(**settings: Any) -> Callable[[Shape], nn.Module]:
        of_network = ("layout", "multi_scale", "hemispheres")
        own = {key: settings.pop(key) for key in tuple(settings) if key in of_network}

        def build(shape: Shape) -> nn.Module:
            preset = settings_of(shape, BASE | settings)
            network = EfficientViT(4, 250, 2, sfreq=125.0, ch_names=NAMES, preset=preset, **own)
            return nn.Sequential(nn.Identity(), randomise(network))

        return build

    return make
