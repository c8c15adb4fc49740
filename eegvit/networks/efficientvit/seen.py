"""What straight lines see of a trial: its covariance, its course, its spectrum."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.durations import samples

SHRINKAGE = 0.1  # towards channels that have nothing to do with each other
N_COLUMNS = 16  # of the course in time
WINDOW = 1.0  # seconds that a spectrum is of; half of it later comes the next
LOWEST, HIGHEST, SPACING = 4.0, 40.0, 2.0  # Hz
N_TAPERS = 2  # windows in the form of sines, for each stretch
LEAST = 1e-2  # of the mean power: what is added before the logarithm


class Covariance(nn.Module):
    """The logarithm of each trial's covariance, from its series to the second order.

    Variances of all channels, and how each pair goes together. For aligned trials, whose
    correlations are small, it is close to the matrix logarithm, but takes products only.

    Examples
    --------
    >>> Covariance(4)(torch.randn(2, 4, 100)).shape
    torch.Size([2, 10])
    """

    pairs: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        one, other = torch.triu_indices(n_channels, n_channels, 1)
        self.register_buffer("pairs", one * n_channels + other, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, channels + pairs of them)."""
        covariance = x @ x.transpose(1, 2) * ((1 - SHRINKAGE) / x.shape[2])
        variance = x.square().mean(2)
        variance = (1 - SHRINKAGE) * variance + SHRINKAGE * variance.mean(1, keepdim=True)
        variance = variance.clamp_min(1e-12)
        scale = variance.rsqrt()
        apart = covariance * scale[:, :, None] * scale[:, None]
        apart = apart * (1 - torch.eye(x.shape[1], dtype=x.dtype, device=x.device))
        second = apart @ apart / 2
        own = variance.log() - apart.square().sum(2) / 2
        shared = (apart - second).flatten(1).index_select(1, self.pairs)
        return torch.cat([own, 2**0.5 * shared], 1)


class Course(nn.Module):
    """The mean of each channel over equal stretches of the trial.

    Examples
    --------
    >>> Course(100)(torch.randn(2, 4, 100)).shape
    torch.Size([2, 64])
    """

    def __init__(self, n_times: int) -> None:
        super().__init__()
        self.n_columns = min(N_COLUMNS, n_times)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, channels x columns)."""
        means = F.avg_pool1d(x, x.shape[2] // self.n_columns)
        return means[..., : self.n_columns].flatten(1)


class Spectrum(nn.Module):
    """The logarithm of each channel's power, every two Hz, by windows in the form of sines [1]_.

    References
    ----------
    .. [1] Riedel and Sidorenko, Minimum bias multiple taper spectral estimation. IEEE
       Transactions on Signal Processing 43(1), 1995.

    Examples
    --------
    >>> Spectrum(250, 125.0)(torch.randn(2, 4, 250)).shape
    torch.Size([2, 76])
    """

    waves: Tensor

    def __init__(self, n_times: int, sfreq: float) -> None:
        super().__init__()
        self.length = min(samples(WINDOW, sfreq), n_times)
        top = min(HIGHEST, 0.45 * sfreq)
        hertz = torch.arange(LOWEST, top + 1e-6, SPACING, dtype=torch.float64)
        phase = 2 * torch.pi * hertz[:, None] * torch.arange(self.length) / sfreq
        turns = torch.pi * torch.arange(1, self.length + 1) / (self.length + 1)
        tapers = [(k * turns).sin() for k in range(1, N_TAPERS + 1)]
        waves = torch.cat([w * t for t in tapers for w in (phase.cos(), phase.sin())])
        waves = waves / self.length**0.5
        self.register_buffer("waves", waves[:, None].float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, channels x frequencies)."""
        found = F.conv1d(x.flatten(0, 1)[:, None], self.waves, stride=max(1, self.length // 2))
        power = found.square().mean(2).unflatten(1, (2 * N_TAPERS, -1)).sum(1)
        power = power + LEAST * power.mean(1, keepdim=True) + 1e-12
        return power.log().unflatten(0, x.shape[:2]).flatten(1)
