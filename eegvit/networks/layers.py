"""Layers that several networks share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Standardise(nn.Module):
    """Subtract a mean from each channel and divide by a scale; both are fixed, not learned.

    Examples
    --------
    >>> layer = Standardise(mean=torch.tensor([1.0, 0.0]), scale=torch.tensor([2.0, 1.0]))
    >>> layer(torch.tensor([[[3.0], [5.0]]])).flatten().tolist()
    [1.0, 5.0]
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None])  # (channels, 1)
        self.register_buffer("scale", scale[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to the same shape."""
        return (x - self.mean) / self.scale


def max_norm(weight: Tensor, limit: float) -> Tensor:
    """Shrink each row of a weight to a Euclidean norm of at most `limit`.

    Examples
    --------
    >>> max_norm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0).norm(dim=1)
    tensor([1.0000, 0.5000])
    """
    return weight.renorm(p=2, dim=0, maxnorm=limit)


def convolve(x: Tensor, kernel: Tensor, padding: int) -> Tensor:
    """Convolve each row of x with the kernel of its group, as products with Toeplitz blocks.

    On a CPU this is several times faster than a depthwise convolution, backwards above all.

    Parameters
    ----------
    x : Tensor, shape (n, groups, rows, times)
    kernel : Tensor, shape (groups, length)
    padding : int
        Zeros added on both sides.

    Examples
    --------
    >>> x, kernel = torch.ones(1, 1, 1, 5), torch.tensor([[1.0, 2.0]])
    >>> convolve(x, kernel, padding=1).flatten().tolist()
    [2.0, 3.0, 3.0, 3.0, 3.0, 1.0]
    """
    length = kernel.shape[-1]
    n_out = x.shape[-1] + 2 * padding - length + 1
    block = min(64, n_out)
    n_blocks = math.ceil(n_out / block)
    missing = n_blocks * block + length - 1 - x.shape[-1] - padding
    windows = F.pad(x, (padding, missing)).unfold(-1, block + length - 1, block)
    n, groups, rows = x.shape[:3]
    flat = windows.transpose(0, 1).reshape(groups, -1, block + length - 1)
    # toeplitz[g, i, j] = kernel[g, i - j]
    toeplitz = F.pad(kernel, (block - 1, block - 1)).unfold(-1, block, 1).flip(-1)
    out = (flat @ toeplitz).view(groups, n, rows, n_blocks * block)
    return out.transpose(0, 1)[..., :n_out]


class TemporalSpatial(nn.Module):
    """Temporal filters, batch norm, then spatial filters of each: linear from end to end.

    Being linear, the spatial filters can go first, which leaves far fewer signals to
    convolve. The batch statistics of the signals that are then never computed follow from
    the autocorrelation of the input, so the function, its gradients and the running
    statistics are those of the order in which the layer is written down. A single trial
    takes that plain order.

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
        if len(x) == 1 or x.shape[-1] < self.temporal.shape[-1]:
            return self.temporal_first(x)
        return self.spatial_first(x)

    def temporal_first(self, x: Tensor) -> Tensor:
        """Compute the layer in the order in which it is written down."""
        kernel = self.temporal[:, None, None, :]
        x = F.conv2d(x[:, None], kernel, padding=(0, self.padding))
        x = self.norm(x)  # (n, filters, channels, times)
        spatial = max_norm(self.spatial, self.limit)[:, None, :, None]
        return F.conv2d(x, spatial, groups=len(kernel)).squeeze(2)

    def spatial_first(self, x: Tensor) -> Tensor:
        """Compute the same with the spatial filters moved to the front."""
        mean, variance = self.statistics(x)
        gain = self.norm.weight * (variance + self.norm.eps).rsqrt()  # (filters,)
        shift = self.norm.bias - mean * gain
        spatial = max_norm(self.spatial, self.limit)
        x = (spatial @ x).unflatten(1, (-1, self.depth))  # (n, filters, depth, times)
        x = convolve(x, self.temporal * gain[:, None], self.padding)
        constant = spatial.sum(1).view(-1, self.depth) * shift[:, None]  # (filters, depth)
        return (x + constant[:, :, None]).flatten(1, 2)

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of each temporal filter's output, as batch norm uses them."""
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        assert norm.num_batches_tracked is not None and norm.momentum is not None
        if not norm.training:
            return norm.running_mean, norm.running_var
        mean, variance, count = filtered_moments(x, self.temporal, self.padding)
        with torch.no_grad():
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean.detach(), norm.momentum)
            unbiased = variance.detach() * (count / (count - 1))
            norm.running_var.lerp_(unbiased, norm.momentum)
        return mean, variance


def filtered_moments(x: Tensor, kernels: Tensor, padding: int) -> tuple[Tensor, Tensor, int]:
    """Mean and variance that x would have after each filter, without filtering it.

    The energy of a full convolution is the product of two autocorrelations, the signals'
    and the kernel's; the outputs at either end that padding leaves out are subtracted.

    Parameters
    ----------
    x : Tensor, shape (n, channels, times)
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
    >>> mean, variance, count = filtered_moments(x, kernels, padding=3)
    >>> y = F.conv1d(x.flatten(0, 1)[:, None], kernels[:, None], padding=3)
    >>> torch.allclose(variance, y.var((0, 2), correction=0), atol=1e-5), count
    (True, 300)
    """
    length = kernels.shape[-1]
    signals = x.flatten(0, 1)  # (signals, times)
    n_left_out = length - 1 - padding  # at either end
    count = len(signals) * (signals.shape[-1] + 2 * padding - length + 1)
    padded = F.pad(kernels, (0, length - 1)).unfold(-1, length, 1)
    kernel_lags = (padded @ kernels[:, :, None]).squeeze(-1)  # (filters, length)
    lags = autocorrelation(signals, length)
    energy = kernel_lags @ torch.cat([lags[:1], 2 * lags[1:]])
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


def autocorrelation(signals: Tensor, n_lags: int) -> Tensor:
    """Sum over signals and times of x[t] x[t + lag], for each lag below `n_lags`.

    Examples
    --------
    >>> autocorrelation(torch.tensor([[1.0, 2.0, 3.0]]), 2).tolist()
    [14.0, 8.0]
    """
    n_signals, n_times = signals.shape
    n_blocks = math.ceil(n_times / n_lags)
    padded = F.pad(signals, (0, (n_blocks + 1) * n_lags - n_times))
    here = padded[:, :-n_lags].reshape(-1, n_lags)
    there = padded[:, n_lags:].reshape(-1, n_lags)
    products = torch.cat([here.T @ here, here.T @ there], 1)  # (n_lags, 2 * n_lags)
    position = torch.arange(n_lags, device=signals.device)
    return products.gather(1, position[:, None] + position).sum(0)
