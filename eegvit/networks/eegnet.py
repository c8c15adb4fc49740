"""EEGNet [1]_.

.. [1] Lawhern et al., EEGNet: a compact convolutional neural network for EEG-based
   brain-computer interfaces. Journal of Neural Engineering 15(5), 2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.norm_elu_pool import NormEluPool, elu_pool
from eegvit.networks.spectral import convolve
from eegvit.networks.temporal_spatial import FoldedFilters, TemporalSpatial, scale_and_shift


class EEGNet(nn.Module):
    """Temporal filters, spatial filters of each, then a separable convolution.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Shape of a trial and number of logits.
    n_filters : int
        Temporal filters.
    depth : int
        Spatial filters for each temporal filter.
    kernel_length : int
        Samples in a temporal filter.
    separable_length : int
        Samples in a filter of the separable convolution.
    pool_1, pool_2 : int
        Samples averaged into one after the first and the second stage.
    dropout : float

    Examples
    --------
    >>> network = EEGNet(n_channels=22, n_times=1000, n_classes=4)
    >>> network(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        n_filters: int = 8,
        depth: int = 2,
        kernel_length: int = 64,
        separable_length: int = 16,
        pool_1: int = 4,
        pool_2: int = 8,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        n_features = n_filters * depth
        n_steps = (n_times + 1 - kernel_length % 2) // pool_1
        n_steps = (n_steps + 1 - separable_length % 2) // pool_2
        if n_steps < 1:
            raise ValueError(
                f"EEGNet pools {pool_1} x {pool_2} samples into one, but a trial has only"
                f" {n_times}: take a longer window or smaller pool_1 and pool_2"
            )
        self.dropout = dropout
        self.front = TemporalSpatial(n_channels, n_filters, depth, kernel_length)
        self.norm_1 = NormEluPool(n_features, pool_1)
        bound = separable_length**-0.5
        self.depthwise = nn.Parameter(
            torch.empty(n_features, separable_length).uniform_(-bound, bound)
        )
        bound = n_features**-0.5
        self.pointwise = nn.Parameter(torch.empty(n_features, n_features).uniform_(-bound, bound))
        self.norm_2 = NormEluPool(n_features, pool_2)
        self.head = nn.Linear(n_features * n_steps, n_classes)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the map (n, features, steps) of each stage."""
        first = F.dropout(self.norm_1(self.front(x)), self.dropout, self.training)
        x = convolve(first, self.depthwise, self.depthwise.shape[-1] // 2)
        x = torch.einsum("gf,nft->ngt", self.pointwise, x)
        return [first, F.dropout(self.norm_2(x), self.dropout, self.training)]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps of all stages to logits (n, classes)."""
        return self.head(maps[-1].flatten(1))

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the last feature map (n, features, steps)."""
        return self.forward_features(x)[-1]

    def folded(self) -> FoldedEEGNet:
        """Return a network without norms that does the same at inference."""
        return FoldedEEGNet(self)


class FoldedEEGNet(nn.Module):
    """What an `EEGNet` does at inference: spatial filters first, norms within filters.

    Examples
    --------
    >>> network, x = EEGNet(3, 500, 2).eval(), torch.randn(2, 3, 500)
    >>> torch.allclose(FoldedEEGNet(network)(x), network(x), atol=1e-5)
    True
    """

    def __init__(self, network: EEGNet) -> None:
        super().__init__()
        gain, shift = scale_and_shift(network.norm_2)
        self.front = FoldedFilters(network.front, network.norm_1)
        each = network.depthwise.detach()  # (features, length)
        across = network.pointwise.detach() * gain[:, None]
        n_out, n_in = across.shape
        self.separable = nn.Conv1d(n_in, n_out, each.shape[1], padding=each.shape[1] // 2)
        self.separable.weight = nn.Parameter(across[:, :, None] * each)  # one of both
        self.separable.bias = nn.Parameter(shift)
        self.pools = network.norm_1.pool, network.norm_2.pool
        self.head = network.head

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the map (n, features, steps) of each stage."""
        first = elu_pool(self.front(x), self.pools[0])
        return [first, elu_pool(self.separable(first), self.pools[1])]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps of all stages to logits (n, classes)."""
        return self.head(maps[-1].flatten(1))
