"""Log-power of filtered signals as a map of one row."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.durations import STEP, odd_samples, samples
from eegvit.networks.temporal_spatial import FoldedFilters, TemporalSpatial, scale_and_shift

SMOOTH = 5  # columns that a column's power is the mean of
LEAST = 1e-2  # of the mean power: what is added before the logarithm


class PowerMap(nn.Module):
    """Temporal filters of 0.25 s, spatial filters of each, then the log-power about each step.

    What filter-bank common spatial patterns measure, over time: a column every 64 ms has the
    power of the 0.32 s around it.

    Parameters
    ----------
    n_channels : int
    width : int
        Planes of the map; half as many temporal filters if it is even.
    sfreq : float

    Examples
    --------
    >>> import torch
    >>> PowerMap(22, 16, sfreq=250.0)(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 16, 1, 62])
    """

    def __init__(self, n_channels: int, width: int, *, sfreq: float) -> None:
        super().__init__()
        depth = 1 if width % 2 else 2
        kernel = odd_samples(0.25, sfreq)
        self.front = TemporalSpatial(n_channels, width // depth, depth, kernel, momentum=0.1)
        self.norm = nn.BatchNorm1d(width)
        self.log_norm = nn.BatchNorm1d(width)
        self.pool = samples(2 * STEP, sfreq)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, 1, steps)."""
        return self.log_norm(log_power(self.norm(self.front(x)), self.pool))[:, :, None]

    def folded(self) -> FoldedPowerMap:
        """Return a module without norms that does the same at inference."""
        return FoldedPowerMap(self)


class FoldedPowerMap(nn.Module):
    """What a `PowerMap` does at inference.

    Examples
    --------
    >>> import torch
    >>> layout = PowerMap(3, 8, sfreq=125.0).eval()
    >>> x = torch.randn(2, 3, 250)
    >>> torch.allclose(FoldedPowerMap(layout)(x), layout(x), atol=1e-5)
    True
    """

    def __init__(self, layout: PowerMap) -> None:
        super().__init__()
        self.filters = FoldedFilters(layout.front, layout.norm)
        gain, shift = scale_and_shift(layout.log_norm)
        self.gain, self.shift = nn.Parameter(gain[:, None]), nn.Parameter(shift[:, None])
        self.pool = layout.pool

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, 1, steps)."""
        return (log_power(self.filters(x), self.pool) * self.gain + self.shift)[:, :, None]


def log_power(x: Tensor, pool: int) -> Tensor:
    """Return the logarithm of the power about each step: (n, width, times // pool).

    Examples
    --------
    >>> import torch
    >>> log_power(10 * torch.ones(1, 1, 24), pool=4).exp().round().tolist()
    [[[100.0, 100.0, 100.0, 100.0, 100.0, 100.0]]]
    """
    power = F.avg_pool1d(x.square(), pool)
    smooth = F.avg_pool1d(power, SMOOTH, 1, SMOOTH // 2, count_include_pad=False)
    return (smooth + LEAST).log()
