"""Electrodes in fixed places of a map, in overlapping patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.maps.durations import STEP, odd_samples, samples
from eegvit.networks.efficientvit.maps.scalp import Array
from eegvit.networks.temporal_spatial import scale_and_shift


class ElectrodeMap(nn.Module):
    """Filters in time, over the places around a row, then patches of three rows and 0.288 s.

    A column is 0.128 s.

    Parameters
    ----------
    matrix : array (planes, rows, channels)
        What each place is of the channels. It is no part of the state: weights move freely
        between networks of different montages whose maps have the same size.
    width : int
    sfreq : float

    Examples
    --------
    >>> import numpy as np
    >>> ElectrodeMap(np.eye(5)[None], 16, sfreq=250.0)(torch.randn(2, 5, 1000)).shape
    torch.Size([2, 16, 5, 32])
    """

    def __init__(self, matrix: Array, width: int, *, sfreq: float) -> None:
        super().__init__()
        n_middle = max(8, width // 2)
        self.filters = PlacedFilters(
            matrix, n_middle, kernel=odd_samples(4 * STEP, sfreq), stride=samples(STEP, sfreq)
        )
        self.project = ConvNorm(n_middle, width, (3, 9), stride=(1, 4))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, rows, columns)."""
        return self.project(self.filters(x[:, None]).relu())

    def shares(self) -> Tensor:
        """Return how much of each row a channel is, (channels, rows): a channel's sum is 1."""
        seen = self.filters.matrix.abs().sum((1, 3))
        return seen / seen.sum(1, keepdim=True).clamp_min(1e-12)


class PlacedFilters(nn.Module):
    """Filters over time, then over all planes of the places in three rows, batch norm, a bias.

    The bias of each row lets filters that are the same in every row treat rows differently.
    The filters over places are not applied to signals in places but to the matrix that would
    put them there, which gives the same for less.

    Parameters
    ----------
    matrix : array (planes, rows, channels)
    width : int
        Filters.
    kernel : int
        Of the filters over time, odd.
    stride : int
        Over times.

    Examples
    --------
    >>> import numpy as np
    >>> layer = PlacedFilters(np.eye(8)[None], 16, kernel=5, stride=4)
    >>> layer(torch.randn(2, 1, 8, 100)).shape
    torch.Size([2, 16, 8, 25])
    """

    matrix: Tensor

    def __init__(
        self,
        matrix: Array,
        width: int,
        *,
        kernel: int,
        stride: int,
    ) -> None:
        super().__init__()
        n_planes, n_rows, _ = matrix.shape
        places = torch.from_numpy(matrix).float().permute(2, 0, 1)[..., None]
        self.register_buffer("matrix", places, persistent=False)  # (channels, planes, rows, 1)
        self.time = nn.Conv2d(
            1, width, (1, kernel), stride=(1, stride), padding=(0, kernel // 2), bias=False
        )
        self.space = nn.Conv2d(n_planes, width, (3, 1), padding=(1, 0), bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.place = nn.Parameter(torch.zeros(width, n_rows, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, 1, channels, times) to (n, width, rows, steps)."""
        return self.norm(self.over_channels() @ self.time(x)) + self.place

    def over_channels(self) -> Tensor:
        """Return the filters over places as filters over channels: (width, rows, channels)."""
        return self.space(self.matrix).squeeze(3).permute(1, 2, 0)

    def folded(self) -> FoldedPlacedFilters:
        """Return a module without norm or places that does the same at inference."""
        return FoldedPlacedFilters(self)


class FoldedPlacedFilters(nn.Module):
    """What `PlacedFilters` do at inference.

    Examples
    --------
    >>> import numpy as np
    >>> layer = PlacedFilters(np.eye(8)[None], 16, kernel=5, stride=4).eval()
    >>> x = torch.randn(2, 1, 8, 100)
    >>> torch.allclose(FoldedPlacedFilters(layer)(x), layer(x), atol=1e-5)
    True
    """

    def __init__(self, filters: PlacedFilters) -> None:
        super().__init__()
        gain, shift = (value[:, None, None] for value in scale_and_shift(filters.norm))
        self.space = nn.Parameter(filters.over_channels().detach() * gain)
        self.bias = nn.Parameter(filters.place.detach() + shift)
        self.time = filters.time

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, 1, channels, times) to (n, width, rows, steps)."""
        return self.space @ self.time(x) + self.bias
