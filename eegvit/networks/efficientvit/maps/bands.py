"""A fixed filter bank in front of a map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.durations import STEP, odd_samples, samples

BANDS = ((1.0, 4.0), (4.0, 8.0), (8.0, 12.0), (12.0, 16.0), (16.0, 24.0), (24.0, 40.0))
N_PLANES = 3 * len(BANDS)
FLOOR = 1e-4  # power of a standardised channel below which a band counts as silent


class FilterBank(nn.Module):
    """Fixed band-pass filters without phase shift, sampled every 32 ms.

    Each band gives three planes, each standardised: the filtered signal, the same a quarter
    of a period later, and the logarithm of the power of the two together. The filters are
    ideal ones cut to 0.75 s by a Hann window.

    Parameters
    ----------
    sfreq : float

    Examples
    --------
    >>> FilterBank(sfreq=250.0)(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 18, 22, 125])
    """

    kernels: Tensor

    def __init__(self, *, sfreq: float) -> None:
        super().__init__()
        highest = BANDS[-1][1]
        if sfreq <= 2 * highest:
            raise ValueError(
                f"layout 'bands' filters up to {highest:g} Hz and so needs more than"
                f" {2 * highest:g} samples a second, not {sfreq:g}: resample less"
            )
        self.step = samples(STEP, sfreq)
        kernels = band_pass(odd_samples(0.75, sfreq), sfreq)
        self.register_buffer("kernels", kernels, persistent=False)
        self.norm = nn.BatchNorm2d(N_PLANES)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, rows, times) to (n, 3 * bands, rows, steps)."""
        signals = x.flatten(0, 1)[:, None]
        padding = self.kernels.shape[-1] // 2
        signals = F.conv1d(signals, self.kernels, stride=self.step, padding=padding)
        planes = signals.unflatten(0, x.shape[:2]).transpose(1, 2)  # (n, 2 * bands, rows, steps)
        phase, quadrature = planes.chunk(2, dim=1)
        power = (phase.square() + quadrature.square() + FLOOR).log()
        return self.norm(torch.cat([planes, power], 1))


def band_pass(length: int, sfreq: float) -> Tensor:
    """Return (2 * bands, 1, length): the in-phase filters of all bands, then the quadrature ones.

    A wave of a band's middle frequency and amplitude 1 comes out with amplitude 1.

    Examples
    --------
    >>> kernels = band_pass(187, 250.0)
    >>> torch.equal(kernels[:6], kernels[:6].flip(-1))
    True
    """
    time = (torch.arange(length, dtype=torch.float64) - length // 2) / sfreq
    window = torch.hann_window(length + 2, periodic=False, dtype=torch.float64)[1:-1]
    phase, quadrature = [], []
    for low, high in BANDS:
        envelope = window * torch.sinc((high - low) * time)
        envelope = 2 * envelope / envelope.sum()
        turns = torch.pi * (low + high) * time
        phase.append(envelope * turns.cos())
        quadrature.append(envelope * turns.sin())
    return torch.stack(phase + quadrature)[:, None].float()
