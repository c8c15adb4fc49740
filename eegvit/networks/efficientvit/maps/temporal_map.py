"""Temporal and spatial filters as a map of one row."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.durations import STEP, odd_samples, samples
from eegvit.networks.layers import max_norm
from eegvit.networks.norm_elu_pool import NormEluPool
from eegvit.networks.spectral import convolve
from eegvit.networks.temporal_spatial import TemporalSpatial


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
        x = self.filters(x)
        raised = x.clamp_max(0).exp() + x.clamp_min(0)  # ELU and 1; on a CPU faster than F.elu
        return F.avg_pool1d(raised, self.pool)[:, :, None] - 1


class FoldedFilters(nn.Module):
    """Temporal and spatial filters and the norm after them at inference: filters and a bias.

    Parameters
    ----------
    front : TemporalSpatial
    norm : BatchNorm1d

    Examples
    --------
    >>> import torch
    >>> front, norm = TemporalSpatial(3, 4, 2, 31).eval(), nn.BatchNorm1d(8).eval()
    >>> x = torch.randn(2, 3, 250)
    >>> torch.allclose(FoldedFilters(front, norm)(x), norm(front(x)), atol=1e-5)
    True
    """

    def __init__(self, front: TemporalSpatial, norm: nn.BatchNorm1d) -> None:
        super().__init__()
        gain_1, shift_1 = (
            value.repeat_interleave(front.depth) for value in scale_and_shift(front.norm)
        )
        gain_2, shift_2 = scale_and_shift(norm)
        temporal = front.temporal.detach().repeat_interleave(front.depth, 0)
        spatial = max_norm(front.spatial.detach(), front.limit)
        self.spatial = nn.Parameter(spatial)  # (width, channels)
        self.temporal = nn.Parameter(temporal * (gain_1 * gain_2)[:, None])
        self.bias = nn.Parameter((spatial.sum(1) * shift_1 * gain_2 + shift_2)[:, None])
        self.padding = front.padding

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, times)."""
        return convolve(self.spatial @ x, self.temporal, self.padding) + self.bias


def scale_and_shift(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return what a batch norm multiplies by and then adds at inference.

    Examples
    --------
    >>> gain, shift = scale_and_shift(nn.BatchNorm1d(2, eps=0.0))
    >>> gain.tolist(), shift.tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    assert norm.running_mean is not None and norm.running_var is not None
    gain = norm.weight.detach() * (norm.running_var + norm.eps).rsqrt()
    return gain, norm.bias.detach() - norm.running_mean * gain
