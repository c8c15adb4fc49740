"""Places on the scalp x time: log-power in place, beside the signal itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.maps import scalp
from eegvit.networks.efficientvit.maps.durations import odd_samples, samples
from eegvit.networks.fold import OncePerSize
from eegvit.networks.temporal_spatial import FoldedFilters, TemporalSpatial, scale_and_shift

N_ROWS = 6  # places, where there are as many electrodes
N_FILTERS = 8  # over time, each with a spatial filter of its own at every place
AROUND = 0.4  # radians from its place within which a spatial filter begins
N_COLUMNS = 16
SHORTEST = 0.04  # seconds of a column
SPAN = 0.4  # seconds that a column's power is the mean of, or half the trial
LEAST = 1e-2  # of the mean power: what is added before the logarithm


class ScalpMap(nn.Module):
    """Filters in time, each with a spatial filter at every place; their log-power and mean.

    A row is a place on the scalp: that of an electrode, chosen far from the others. Its spatial
    filters see all electrodes and begin around it. A column is a sixteenth of the trial. The
    planes are each filter's log-power about a column and its mean over it; the latter holds
    responses that are locked to the stimulus.

    Channels are put in an order of their own first: how they are listed changes nothing.

    Parameters
    ----------
    n_channels, n_times : int
    width : int
        Planes of the map.
    sfreq : float
    ch_names : sequence of str or None
        If the 10-05 system does not know them all, places are unknown: rows are just filters.

    Attributes
    ----------
    places : array (rows, 3) or None
        Unit vector of each row.

    Examples
    --------
    >>> layout = ScalpMap(3, 1000, 16, sfreq=250.0, ch_names=("C3", "Cz", "C4"))
    >>> layout(torch.randn(2, 3, 1000)).shape
    torch.Size([2, 16, 3, 16])
    """

    order: Tensor

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        width: int,
        *,
        sfreq: float,
        ch_names: Sequence[str] | None = None,
        seconds: float = 0.25,
    ) -> None:
        super().__init__()
        self.n_rows = min(N_ROWS, n_channels)
        directions = scalp.directions_if_known(ch_names)
        order = np.arange(n_channels) if directions is None else scalp.front_to_back(directions)
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        length = odd_samples(seconds, sfreq)
        self.front = TemporalSpatial(n_channels, N_FILTERS, self.n_rows, length, momentum=0.1)
        self.places: scalp.Array | None = None
        if directions is not None:
            electrodes = directions[order]
            self.places = electrodes[scalp.far_apart(electrodes, self.n_rows)]
            begin_around(self.front.spatial, scalp.angles(self.places, electrodes))
        self.norm = nn.BatchNorm1d(len(self.front.spatial))
        self.log_norm = nn.BatchNorm2d(N_FILTERS)
        self.project = ConvNorm(2 * N_FILTERS, width)
        self.place = nn.Parameter(torch.zeros(width, self.n_rows, 1))
        self.step = samples(max(SHORTEST, n_times / sfreq / N_COLUMNS), sfreq)
        self.span = max(self.step, samples(min(SPAN, n_times / sfreq / 2), sfreq))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, rows, columns)."""
        filtered = self.norm(self.front(x.index_select(1, self.order)))
        power, mean = power_and_mean(filtered, self.step, self.span)
        power, mean = (planes.unflatten(1, (-1, self.n_rows)) for planes in (power, mean))
        return self.project(torch.cat([self.log_norm(power), mean], 1)) + self.row_bias()

    def row_bias(self) -> Tensor:
        """Return what is added to each plane of a row, (width, rows, 1)."""
        return self.place

    def shares(self) -> Tensor:
        """Return how much of each row a channel is, (channels, rows): a channel's sum is 1."""
        spatial = self.front.spatial_filters().detach()
        seen = spatial.abs().unflatten(0, (-1, self.n_rows)).sum(0).T
        seen = seen / seen.sum(1, keepdim=True).clamp_min(1e-12)
        return seen[self.order.argsort()]

    def folded(self) -> FoldedScalpMap:
        """Return a module without norms that does the same at inference."""
        return FoldedScalpMap(self)


class FoldedScalpMap(nn.Module):
    """What a `ScalpMap` does at inference.

    Examples
    --------
    >>> layout = ScalpMap(3, 250, 8, sfreq=125.0, ch_names=("C4", "Cz", "C3")).eval()
    >>> x = torch.randn(2, 3, 250)
    >>> torch.allclose(FoldedScalpMap(layout)(x), layout(x), atol=1e-5)
    True
    """

    def __init__(self, layout: ScalpMap) -> None:
        super().__init__()
        self.filters = FoldedFilters(layout.front, layout.norm)
        # one product puts the channels in order and filters them
        spatial = self.filters.spatial.detach()[:, layout.order.argsort()]
        self.filters.spatial = nn.Parameter(spatial)
        project = layout.project.folded()
        gain, shift = scale_and_shift(layout.log_norm)
        weight = project.weight.detach().flatten(1)  # (width, planes)
        assert project.bias is not None
        bias = project.bias.detach() + weight[:, : len(shift)] @ shift
        self.mix = nn.Parameter(weight * torch.cat([gain, torch.ones_like(gain)]))
        self.bias = nn.Parameter(layout.row_bias().detach() + bias[:, None, None])
        self.pooling = OncePerSize(partial(pooling, layout.step, layout.span))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, rows, columns)."""
        n_rows, n_times = self.bias.shape[1], self.filters.temporal.n_out(x)
        x = self.filters.blocks(x)
        of_columns = self.pooling(x, n_times, x.shape[2])
        planes = torch.cat([((x * x) @ of_columns[0] + LEAST).log(), x @ of_columns[1]], 1)
        planes = planes.unflatten(1, (-1, n_rows)).flatten(2)  # (n, planes, rows * columns)
        return (self.mix @ planes).unflatten(2, (n_rows, -1)) + self.bias


def begin_around(spatial: Tensor, angles: scalp.Array) -> None:
    """Scale filters (all, channels) down with the angle (rows, channels) from each one's row.

    Examples
    --------
    >>> filters = torch.ones(2, 3)
    >>> begin_around(filters, np.array([[0.0, 0.4, 0.8], [0.8, 0.4, 0.0]]))
    >>> filters[0, 0] > filters[0, 1] > filters[0, 2], round(float(filters.norm()), 3)
    (tensor(True), 2.449)
    """
    near = torch.from_numpy(np.exp(-((angles / AROUND) ** 2) / 2)).to(spatial)
    with torch.no_grad():
        size = spatial.norm()
        spatial.view(-1, *near.shape).mul_(near)
        spatial.mul_(size / spatial.norm())


def power_and_mean(x: Tensor, step: int, span: int) -> tuple[Tensor, Tensor]:
    """Return log-power about each column, and the mean over it: (n, filters, columns) both.

    Examples
    --------
    >>> power, mean = power_and_mean(10 * torch.ones(1, 1, 24), step=4, span=8)
    >>> power.exp().round().unique(), mean.unique(), power.shape == mean.shape
    (tensor([100.]), tensor([10.]), True)
    """
    before = (span - step) // 2
    mean = F.avg_pool1d(x, step)
    power = F.avg_pool1d(x.square(), span, step, before, count_include_pad=False)
    n_columns = min(power.shape[2], mean.shape[2])
    return (power[..., :n_columns] + LEAST).log(), mean[..., :n_columns]


def pooling(step: int, span: int, n_times: int, n_all: int) -> Tensor:
    """Return how much of a column's power a sample is, and of its mean: (2, samples, columns).

    Samples from `n_times` on are none of the trial's.

    Examples
    --------
    >>> x = torch.cat([torch.randn(1, 2, 24), torch.ones(1, 2, 3)], 2).double()
    >>> of_power, of_mean = pooling(4, 9, 24, 27)
    >>> power, mean = power_and_mean(x[..., :24], step=4, span=9)
    >>> torch.allclose((x**2 @ of_power + LEAST).log(), power), torch.allclose(x @ of_mean, mean)
    (True, True)
    """
    before = (span - step) // 2
    n_columns = min((n_times + 2 * before - span) // step + 1, n_times // step)
    found = torch.zeros(2, n_all, n_columns, dtype=torch.float64)
    for column in range(n_columns):
        begin = column * step - before
        inside = found[0, max(0, begin) : min(begin + span, n_times), column]
        inside[:] = 1 / len(inside)
        found[1, column * step : (column + 1) * step, column] = 1 / step
    return found
