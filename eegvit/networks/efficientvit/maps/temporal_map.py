"""Temporal and spatial filters as a map of one row."""

from __future__ import annotations

from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.durations import STEP, odd_samples, samples
from eegvit.networks.norm_elu_pool import NormEluPool, elu_pool
from eegvit.networks.temporal_spatial import FoldedFilters, TemporalSpatial


class TemporalSpatialMap(nn.Module):
    """Temporal filters of 0.25 s, spatial filters of each, then means over steps of 64 ms.

    Parameters
    ----------
    n_channels : int
    width : int
        Planes of the map; half as many temporal filters if it is even.
    sfreq : float

    Examples
    --------
    >>> import torch
    >>> TemporalSpatialMap(22, 16, sfreq=250.0)(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 16, 1, 62])
    """

    def __init__(self, n_channels: int, width: int, *, sfreq: float) -> None:
        super().__init__()
        depth = 1 if width % 2 else 2
        kernel = odd_samples(0.25, sfreq)
        self.front = TemporalSpatial(n_channels, width // depth, depth, kernel, momentum=0.1)
        self.norm = NormEluPool(width, samples(2 * STEP, sfreq), momentum=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, 1, steps)."""
        return self.norm(self.front(x))[:, :, None]

    def folded(self) -> FoldedTemporalSpatialMap:
        """Return a module without norms that does the same at inference."""
        return FoldedTemporalSpatialMap(self)


class FoldedTemporalSpatialMap(nn.Module):
    """What a `TemporalSpatialMap` does at inference.

    Examples
    --------
    >>> import torch
    >>> layout = TemporalSpatialMap(3, 8, sfreq=125.0).eval()
    >>> x = torch.randn(2, 3, 250)
    >>> torch.allclose(FoldedTemporalSpatialMap(layout)(x), layout(x), atol=1e-5)
    True
    """

    def __init__(self, layout: TemporalSpatialMap) -> None:
        super().__init__()
        self.filters = FoldedFilters(layout.front, layout.norm)
        self.pool = layout.norm.pool

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, 1, steps)."""
        return elu_pool(self.filters(x), self.pool)[:, :, None]
