"""One network in front of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged


class Series(nn.Module):
    """Fronts that map trials to trials, then a network that classifies what they make.

    Parameters
    ----------
    fronts : sequence of nn.Module, or nn.Sequential
        Each maps (n, channels, times) to (n, features, times).
    network : nn.Module
    frozen : bool
        Whether the fronts stay as they are.

    Examples
    --------
    >>> import torch
    >>> from eegvit.networks.eegnet import EEGNet
    >>> from eegvit.networks.spiking.front import SpikingFront
    >>> front = SpikingFront(3, sfreq=125.0, n_features=8)
    >>> network = Series([front], EEGNet(8, 250, 2))
    >>> network(torch.randn(4, 3, 250)).shape, len(network.forward_features(torch.zeros(1, 3, 250)))
    (torch.Size([4, 2]), 2)
    """

    def __init__(
        self,
        fronts: Sequence[nn.Module] | nn.Sequential,
        network: nn.Module,
        *,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.fronts, self.network, self.frozen = nn.Sequential(*fronts), network, frozen
        if frozen:
            self.fronts.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor | Judged:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.network(self.fronts(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the maps of the last network."""
        network: Any = self.network
        return network.forward_features(self.fronts(x))

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map its maps to logits (n, classes)."""
        network: Any = self.network
        return network.forward_head(maps)

    def train(self, mode: bool = True) -> Self:
        """Change the mode; frozen fronts stay in that of inference."""
        super().train(mode)
        self.fronts.train(mode and not self.frozen)
        return self
