"""A network of braindecode without its last layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.logits import Logits


class Headless(nn.Module):
    """What the last layer of a braindecode model sees: one vector of a trial, without time.

    Parameters
    ----------
    network : Logits
        Of a model whose last layer is its `final_layer`, which is taken away.

    Examples
    --------
    >>> from braindecode.models import EEGNet
    >>> network = Headless(Logits(EEGNet(n_chans=3, n_outputs=2, n_times=256), 2))
    >>> [tuple(x.shape) for x in network.forward_features(torch.randn(4, 3, 256))]
    [(4, 128, 1)]
    """

    over_time = False

    def __init__(self, network: Logits) -> None:
        super().__init__()
        model: Any = network.network
        name, last = type(model).__name__, getattr(model, "final_layer", None)
        if last is None or isinstance(last, nn.Identity):
            raise ValueError(f"{name} has no last layer to take away: it cannot be fused")
        several = isinstance(last, nn.ModuleList)
        model.final_layer = nn.ModuleList(nn.Identity() for _ in last) if several else nn.Identity()
        self.network = model
        self.eval()
        try:
            with torch.no_grad():
                (seen,) = self.forward_features(torch.zeros(2, model.n_chans, model.n_times))
        except Exception as error:
            raise ValueError(f"{name} cannot be fused: without its last layer, {error}") from error
        self.train()
        self.head = nn.Linear(seen.shape[1], network.n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to what the last layer saw (n, features, 1)."""
        return [self.network(x).flatten(1)[..., None]]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map that to logits (n, classes)."""
        return self.head(maps[-1].flatten(1))
