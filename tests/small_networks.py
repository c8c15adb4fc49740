"""One small network of each kind that units can be taken out of, its weights drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from random_weights import randomise
from torch import nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.twin import TwinEfficientViT
from eegvit.networks.shallow import ShallowConvNet
from eegvit.networks.spiking.network import SpikingNetwork

SHAPE = 4, 96, 3  # channels, times, classes
NAMES = ("C3", "Cz", "C4", "Pz")
VIT = {"sfreq": 125.0, "preset": "eeg_xs"}

KINDS: dict[str, Callable[..., nn.Module]] = {
    "cascaded": partial(EfficientViT, family="cascaded", layout="conv", **VIT),
    "cascaded scalp": partial(EfficientViT, ch_names=NAMES, **VIT),
    "shared hemispheres": partial(EfficientViT, ch_names=NAMES, hemispheres="shared", **VIT),
    "no cascade": partial(EfficientViT, settings={"cascade": False}, **VIT),
    "plain": partial(EfficientViT, settings={"attention": "plain"}, **VIT),
    "linear": partial(EfficientViT, family="linear", **VIT),
    "former": partial(EfficientViT, family="former", layout="scalp", **VIT),
    "multiscale": partial(EfficientViT, family="multiscale", settings={"heads": (2, 2)}, **VIT),
    "former row": partial(EfficientViT, family="former", layout="conv", **VIT),
    "twin": partial(TwinEfficientViT, **VIT),
    "eegnet": partial(EEGNet, kernel_length=16),
    "shallow": partial(ShallowConvNet, n_temporal=6, n_spatial=5, pool_length=20),
    "spiking": partial(SpikingNetwork, sfreq=125.0, n_features=7, n_hidden=5),
    "recurrent": partial(
        SpikingNetwork, sfreq=125.0, n_features=7, n_hidden=0, recurrent=True, readout="membrane"
    ),
}


def network_of(kind: str) -> nn.Module:
    """Return a network in double precision, at inference."""
    torch.manual_seed(0)
    return randomise(KINDS[kind](*SHAPE)).double().eval()


def trials(n: int = 3, seed: int = 1) -> torch.Tensor:
    """Return noise in place of trials."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, *SHAPE[:2], generator=generator, dtype=torch.float64)
