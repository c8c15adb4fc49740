"""A branch of a fused network: maps by depth, and the vector that its own head would see.

What the axes of a map are is said in `eegvit.networks.fusion.maps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn

from eegvit.networks.fusion.headless import Headless
from eegvit.networks.fusion.series import Series
from eegvit.networks.logits import Logits

WIDTH = 32  # of what is made of the features of a classical branch


class NetworkBranch(nn.Module):
    """A network without its head.

    Parameters
    ----------
    standardise : nn.Module
        What trials pass first.
    network : nn.Module
        Has `forward_features`, trials to maps by depth, `forward_head`, maps to logits, and
        `head`, the last step of it, which becomes that of the branch. Where its maps know no
        time it says `over_time = False`.
    frozen : bool
        Whether the branch stays as it is: nothing in it learns, drops or counts.

    Examples
    --------
    >>> import torch
    >>> from eegvit.networks.eegnet import EEGNet
    >>> branch = NetworkBranch(nn.Identity(), EEGNet(3, 500, 2))
    >>> maps = branch(torch.randn(4, 3, 500))
    >>> [tuple(x.shape) for x in maps], branch.vector(maps).shape
    ([(4, 16, 125), (4, 16, 15)], torch.Size([4, 240]))
    >>> branch.head(branch.vector(maps)).shape
    torch.Size([4, 2])
    """

    def __init__(self, standardise: nn.Module, network: nn.Module, *, frozen: bool = False) -> None:
        super().__init__()
        if not callable(getattr(network, "forward_features", None)):
            raise ValueError(f"{type(network).__name__} gives no feature maps to fuse")
        self.standardise, self.network, self.frozen = standardise, network, frozen
        last: Any = network.network if isinstance(network, Series) else network
        self.over_time: bool = getattr(last, "over_time", True)
        self.head: nn.Module = last.head
        last.head = nn.Identity()
        if frozen:
            self.network.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the maps of all depths."""
        network: Any = self.network
        return list(network.forward_features(self.standardise(x)))

    def vector(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps to what the network's own head sees (n, features)."""
        network: Any = self.network
        return network.forward_head(maps)

    def train(self, mode: bool = True) -> Self:
        """Change the mode; a frozen network stays in that of inference."""
        super().train(mode)
        self.network.train(mode and not self.frozen)
        return self


def streams(network: nn.Module) -> list[nn.Module]:
    """Return the networks that one consists of, if it has streams that are judged apart.

    One of braindecode comes without its last layer.

    Examples
    --------
    >>> from eegvit.networks.efficientvit.twin import TwinEfficientViT
    >>> twin = TwinEfficientViT(3, 500, 2, sfreq=125.0, preset="eeg_xs")
    >>> len(streams(twin)), len(streams(nn.Linear(2, 2)))
    (2, 1)
    """
    if isinstance(network, Series):
        own = streams(network.network)
        return [Series(network.fronts, each, frozen=network.frozen) for each in own]
    if isinstance(network, Logits):
        return [Headless(network)]
    return list(getattr(network, "streams", [network]))


class VectorBranch(nn.Module):
    """Features of a classical branch through a layer of neurons: one place.

    Parameters
    ----------
    shape : tuple of int
        Of the features of a trial.
    n_classes : int
    dropout : float

    Examples
    --------
    >>> import torch
    >>> branch = VectorBranch((9, 1, 4), n_classes=2)
    >>> [tuple(x.shape) for x in branch(torch.randn(5, 9, 1, 4))]
    [(5, 32, 1)]
    """

    over_time = False

    def __init__(self, shape: Sequence[int], n_classes: int, dropout: float = 0.25) -> None:
        super().__init__()
        n_features = 1
        for size in shape:
            n_features *= size
        self.layers = nn.Sequential(
            nn.Linear(n_features, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH),
            nn.ELU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(WIDTH, n_classes)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map features (n, ...) to a map (n, width, 1)."""
        return [self.layers(x.flatten(1))[..., None]]

    def vector(self, maps: Sequence[Tensor]) -> Tensor:
        """Map it to (n, width)."""
        return maps[-1].flatten(1)


class BandBranch(nn.Module):
    """Features of a filter bank as a map of bands and components, through convolutions.

    The first looks at all components of three neighbouring bands, the second at three bands.

    Parameters
    ----------
    shape : (int, int, int)
        Bands, sets of filters and components of a trial.
    n_classes : int
    dropout : float

    Examples
    --------
    >>> import torch
    >>> branch = BandBranch((9, 4, 3), n_classes=4)
    >>> [tuple(x.shape) for x in branch(torch.randn(5, 9, 4, 3))]
    [(5, 16, 9), (5, 16, 9)]
    """

    over_time = False

    def __init__(self, shape: Sequence[int], n_classes: int, dropout: float = 0.25) -> None:
        super().__init__()
        if len(shape) != 3:
            raise ValueError(
                f"features of shape {tuple(shape)} are no map of bands, sets and components:"
                " only those of a filter bank enter by convolutions, others by classical='mlp'"
            )
        n_bands, n_sets, n_components = shape
        width = WIDTH // 2
        self.across = nn.Sequential(
            nn.Conv2d(n_sets, width, (3, n_components), padding=(1, 0), bias=False),
            nn.BatchNorm2d(width),
            nn.ELU(),
        )
        self.along = nn.Sequential(
            nn.Conv1d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm1d(width),
            nn.ELU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(width * n_bands, n_classes)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map features (n, bands, sets, components) to maps (n, width, bands)."""
        first = self.across(x.transpose(1, 2)).squeeze(3)
        return [first, self.along(first)]

    def vector(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the last one to (n, width * bands)."""
        return maps[-1].flatten(1)
