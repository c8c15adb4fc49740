"""ShallowConvNet [1]_.

.. [1] Schirrmeister et al., Deep learning with convolutional neural networks for EEG
   decoding and visualization. Human Brain Mapping 38(11), 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ShallowConvNet(nn.Module):
    """Temporal and spatial filters, then the logarithm of the pooled power.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Shape of a trial and number of logits.
    n_temporal, n_spatial : int
        Temporal and spatial filters.
    kernel_length : int
        Samples in a temporal filter.
    pool_length, pool_stride : int
        Samples that power is averaged over, and samples from one average to the next.
    dropout : float

    Examples
    --------
    >>> network = ShallowConvNet(n_channels=22, n_times=1000, n_classes=4)
    >>> network(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        n_temporal: int = 40,
        n_spatial: int = 40,
        kernel_length: int = 25,
        pool_length: int = 75,
        pool_stride: int = 15,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if n_times < kernel_length + pool_length - 1:
            raise ValueError(
                f"ShallowConvNet needs trials of {kernel_length + pool_length - 1} samples or"
                f" more (kernel_length {kernel_length} + pool_length {pool_length} - 1), these"
                f" have {n_times}: take a longer window or a smaller pool_length"
            )
        n_steps = (n_times - kernel_length + 1 - pool_length) // pool_stride + 1
        self.pool_length, self.pool_stride, self.dropout = pool_length, pool_stride, dropout
        self.temporal = nn.Parameter(torch.empty(n_temporal, kernel_length))
        self.temporal_bias = nn.Parameter(torch.zeros(n_temporal))
        self.spatial = nn.Parameter(torch.empty(n_spatial, n_temporal, n_channels))
        self.norm = nn.BatchNorm1d(n_spatial)
        self.head = nn.Linear(n_spatial * n_steps, n_classes)
        nn.init.xavier_uniform_(self.temporal[:, None])  # fans of a convolution
        nn.init.xavier_uniform_(self.spatial)
        with torch.no_grad():  # fans of a convolution over the steps
            bound = (6 / (n_steps * (n_spatial + n_classes))) ** 0.5
            self.head.weight.uniform_(-bound, bound)
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the map of the only stage."""
        return [self.features(x)]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map that map to logits (n, classes)."""
        return self.head(maps[-1].flatten(1))

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to log-power (n, filters, steps)."""
        # nothing nonlinear lies between the two filters, so they are one convolution
        kernel = torch.einsum("tk,stc->sck", self.temporal, self.spatial)
        bias = self.spatial.sum(2) @ self.temporal_bias
        x = self.norm(F.conv1d(x, kernel, bias))
        x = F.avg_pool1d(x.square(), self.pool_length, self.pool_stride)
        return F.dropout(x.clamp_min(1e-6).log(), self.dropout, self.training)
