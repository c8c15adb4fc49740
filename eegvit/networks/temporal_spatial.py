"""Temporal filters, batch norm and spatial filters in the order that costs least."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.blocks_of_time import BlockFilters
from eegvit.networks.choice import fastest, traced
from eegvit.networks.layers import max_norm
from eegvit.networks.spectral import MixAndFilter, one_sided, spectrum, transform_length


class TemporalSpatial(nn.Module):
    """Temporal filters, batch norm, then spatial filters of each: linear from end to end.

    Being linear, the spatial filters can go first, which leaves far fewer signals to
    filter in time; both then are products with the spectrum of the input. The batch
    statistics of the signals that are then never computed follow from the power spectrum
    of the input, so the function, its gradients and the running statistics are those of
    the order in which the layer is written down. A single trial takes that plain order.

    Parameters
    ----------
    n_channels : int
    n_filters : int
        Temporal filters.
    depth : int
        Spatial filters for each temporal filter.
    kernel_length : int
    limit : float
        Largest Euclidean norm of a spatial filter.
    momentum, eps : float
        Of the batch norm.

    Examples
    --------
    >>> layer = TemporalSpatial(n_channels=22, n_filters=8, depth=2, kernel_length=64)
    >>> layer(torch.randn(4, 22, 500)).shape
    torch.Size([4, 16, 501])
    """

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        depth: int,
        kernel_length: int,
        *,
        limit: float = 1.0,
        momentum: float = 0.01,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        self.depth = depth
        self.limit = limit
        self.padding = kernel_length // 2
        bound = kernel_length**-0.5
        self.temporal = nn.Parameter(torch.empty(n_filters, kernel_length).uniform_(-bound, bound))
        self.norm = nn.BatchNorm2d(n_filters, momentum=momentum, eps=eps)
        bound = math.sqrt(6 / (n_channels * (1 + n_filters * depth)))
        self.spatial = nn.Parameter(
            torch.empty(n_filters * depth, n_channels).uniform_(-bound, bound)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, filters * depth, times + 1), times if odd kernel."""
        if traced(x) or len(x) == 1 or x.shape[-1] < self.temporal.shape[-1]:
            return self.temporal_first(x)
        n_spatial = len(self.temporal) * self.depth
        question = f"temporal-spatial {n_spatial} {tuple(self.temporal.shape)}"
        forms = {
            "spatial first": lambda: copy.deepcopy(self).spatial_first(x.detach()),
            "temporal first": lambda: copy.deepcopy(self).temporal_first(x.detach()),
        }
        if fastest(question, x, forms) == "spatial first":
            return self.spatial_first(x)
        return self.temporal_first(x)

    def spatial_filters(self) -> Tensor:
        """Return the spatial filters (filters * depth, channels), of whatever norm."""
        return self.spatial

    def temporal_first(self, x: Tensor) -> Tensor:
        """Compute the layer in the order in which it is written down."""
        kernel = self.temporal[:, None, None, :]
        x = F.conv2d(x[:, None], kernel, padding=(0, self.padding))
        x = self.norm(x)  # (n, filters, channels, times)
        spatial = max_norm(self.spatial_filters(), self.limit)[:, None, :, None]
        return F.conv2d(x, spatial, groups=len(kernel)).squeeze(2)

    def spatial_first(self, x: Tensor) -> Tensor:
        """Compute the same with the spatial filters moved to the front."""
        n_times, length = x.shape[-1], self.temporal.shape[-1]
        n_fft = transform_length(n_times + length - 1)
        parts = torch.view_as_real(spectrum(x.transpose(0, 1), n_fft, self.padding))
        mean, variance = self.statistics(x, parts)
        gain = self.norm.weight * (variance + self.norm.eps).rsqrt()  # (filters,)
        shift = self.norm.bias - mean * gain
        spatial = max_norm(self.spatial_filters(), self.limit)
        constant = spatial.sum(1) * shift.repeat_interleave(self.depth)
        kernels = self.temporal * gain[:, None]
        n_out = n_times + 2 * self.padding - length + 1
        return MixAndFilter.apply(parts, spatial, kernels, constant, n_fft, n_out).transpose(0, 1)

    def statistics(self, x: Tensor, parts: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of each temporal filter's output, as batch norm uses them."""
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        assert norm.num_batches_tracked is not None and norm.momentum is not None
        if not norm.training:
            return norm.running_mean, norm.running_var
        mean, variance, count = filtered_moments(x, power(parts), self.temporal, self.padding)
        with torch.no_grad():
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean.detach(), norm.momentum)
            unbiased = variance.detach() * (count / (count - 1))
            norm.running_var.lerp_(unbiased, norm.momentum)
        return mean, variance


class FoldedFilters(nn.Module):
    """Temporal and spatial filters and the norm after them at inference: filters and a bias.

    Parameters
    ----------
    front : TemporalSpatial
    norm : BatchNorm1d

    Examples
    --------
    >>> front, norm = TemporalSpatial(3, 4, 2, 31).eval(), nn.BatchNorm1d(8).eval()
    >>> x = torch.randn(2, 3, 250)
    >>> torch.allclose(FoldedFilters(front, norm)(x), norm(front(x)), atol=1e-5)
    True
    """

    def __init__(self, front: TemporalSpatial, norm: nn.BatchNorm1d) -> None:
        super().__init__()
        gain_1, shift_1 = scale_and_shift(front.norm)
        gain_2, shift_2 = scale_and_shift(norm)
        spatial = max_norm(front.spatial_filters().detach(), front.limit)
        shift = spatial.sum(1) * shift_1.repeat_interleave(front.depth) * gain_2 + shift_2
        self.spatial = nn.Parameter(spatial * gain_2[:, None])  # (width, channels)
        temporal = front.temporal.detach() * gain_1[:, None]
        self.temporal = BlockFilters(temporal, front.depth, front.padding)
        self.bias = nn.Parameter(shift[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to (n, width, times)."""
        return self.temporal(self.spatial @ x) + self.bias

    def blocks(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to the same, with samples behind the last to fill a block."""
        return self.temporal.blocks(self.spatial @ x) + self.bias


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


def power(parts: Tensor) -> Tensor:
    """Sum the power spectrum over channels and trials.

    Examples
    --------
    >>> power(torch.ones(3, 2, 5, 2)).tolist()
    [12.0, 12.0, 12.0, 12.0, 12.0]
    """
    if parts.requires_grad:
        return parts.square().sum((0, 1, 3))
    total = torch.zeros_like(parts[0])
    for channel in parts:
        total.addcmul_(channel, channel)
    return total.view(len(total), -1).sum(0).view(-1, 2).sum(1)


def filtered_moments(
    x: Tensor, power: Tensor, kernels: Tensor, padding: int
) -> tuple[Tensor, Tensor, int]:
    """Mean and variance that x would have after each filter, without filtering it.

    The energy of a full convolution is the product of two power spectra, the signals' and
    the kernel's; the outputs at either end that padding leaves out are subtracted.

    Parameters
    ----------
    x : Tensor, shape (n, channels, times)
    power : Tensor, shape (frequencies,)
        Sum over trials and channels of the power spectrum of x, of an even length of at
        least ``times + length - 1``.
    kernels : Tensor, shape (filters, length)
    padding : int
        Zeros on both sides of x, at most ``length - 1``.

    Returns
    -------
    mean, variance : Tensor, shape (filters,)
    count : int
        Number of output samples that they are over.

    Examples
    --------
    >>> x, kernels = torch.randn(2, 3, 50), torch.randn(4, 7)
    >>> power = spectrum(x, 60).abs().square().sum((0, 1))
    >>> mean, variance, count = filtered_moments(x, power, kernels, padding=3)
    >>> y = F.conv1d(x.flatten(0, 1)[:, None], kernels[:, None], padding=3)
    >>> torch.allclose(variance, y.var((0, 2), correction=0), atol=1e-5), count
    (True, 300)
    """
    length = kernels.shape[-1]
    signals = x.flatten(0, 1)  # (signals, times)
    n_left_out = length - 1 - padding  # at either end
    count = len(signals) * (signals.shape[-1] + 2 * padding - length + 1)
    n_fft = 2 * (len(power) - 1)
    gains = torch.view_as_real(spectrum(kernels, n_fft)).square().sum(-1)
    energy = gains @ (power * one_sided(n_fft, power))
    total = signals.sum() * kernels.sum(1)
    if n_left_out:
        head = signals[:, :n_left_out], kernels[:, padding + 1 :]
        tail = signals[:, -n_left_out:].flip(-1), kernels[:, :n_left_out].flip(-1)
        for edge, part in (head, tail):
            # hankel[f, i, j] = part[f, i + j]: weight of edge sample j in left-out output i
            hankel = F.pad(part, (0, n_left_out - 1)).unfold(-1, n_left_out, 1)
            energy = energy - ((hankel @ (edge.T @ edge)) * hankel).sum((1, 2))
            total = total - hankel.sum(1) @ edge.sum(0)
    mean = total / count
    return mean, (energy / count - mean.square()).clamp_min(0), count
