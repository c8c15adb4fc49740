"""Straight lines beside a network: linear classifiers of what is known to tell trials apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.blocks_of_time import shifted_sum
from eegvit.networks.efficientvit.maps.durations import samples

SHRINKAGE = 0.1  # towards channels that have nothing to do with each other
N_COLUMNS = 16  # of the course in time
WINDOW = 1.0  # seconds that a spectrum is of; half of it later comes the next
LOWEST, HIGHEST, SPACING = 4.0, 40.0, 2.0  # Hz
N_TAPERS = 2  # windows in the form of sines, for each stretch
LEAST = 1e-2  # of the mean power: what is added before the logarithm
PENALTY = 0.1  # of squared weights, beside the mean loss
MANY = 2**26  # features of all trials, from which on single precision must do
N_STEPS = 200  # of the search for the weights, at most


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


class Lines(nn.Module):
    """A linear classifier of each trial's covariance, one of its course, one of its spectrum.

    Their weights are found at once by `settle`, not by the training of networks beside them.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
    sfreq : float
    order : Tensor or None
        An order of the channels of their own, so that how they are listed changes nothing.

    Examples
    --------
    >>> lines = Lines(4, 250, 2, sfreq=125.0)
    >>> [logits.shape for logits in lines(torch.randn(3, 4, 250))]
    [torch.Size([3, 2]), torch.Size([3, 2]), torch.Size([3, 2])]
    """

    order: Tensor

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        sfreq: float,
        order: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        order = torch.arange(n_channels) if order is None else order.clone()
        self.register_buffer("order", order, persistent=False)
        self.views = nn.ModuleList(
            [Covariance(n_channels), Course(n_times), Spectrum(n_times, sfreq)]
        )
        with torch.no_grad():
            sizes = [view(torch.zeros(1, n_channels, n_times)).shape[1] for view in self.views]
        self.judges = nn.ModuleList(nn.Linear(size, n_classes) for size in sizes)
        for each in self.judges.parameters():
            nn.init.zeros_(each)
            each.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the logits (n, classes) of each line."""
        return [judge(seen) for judge, seen in zip(self.judges, self.seen(x), strict=True)]

    def folded(self) -> FoldedLines:
        """Return a module that says the same at inference, in fewer operations."""
        return FoldedLines(self)

    def seen(self, x: Tensor) -> list[Tensor]:
        """Return what each line sees of trials: (n, features)."""
        x = x.index_select(1, self.order)
        return [view(x) for view in self.views]

    @torch.no_grad()
    def settle(self, batches: Iterable[Tensor], y: Tensor, weight: Tensor | None = None) -> None:
        """Find the weights on trials, the classes of all and how much each class counts."""
        seen = zip(*(self.seen(x) for x in batches), strict=True)
        for judge, parts in zip(self._judges(), seen, strict=True):
            features = torch.cat(parts)
            if features.numel() <= MANY:
                features = features.double()
            mean = features.mean(0)
            scale = features.sub_(mean).std().clamp_min(1e-9)
            slope, offset = regression(features.div_(scale), y, judge.out_features, weight)
            judge.weight.copy_(slope / scale)
            judge.bias.copy_(offset - judge.weight.to(mean) @ mean)

    def _judges(self) -> list[nn.Linear]:
        return cast(list[nn.Linear], list(self.judges))


class FoldedLines(nn.Module):
    """What `Lines` say at inference: sums over features are part of the judges, all one product.

    Examples
    --------
    >>> lines, x = Lines(4, 250, 2, sfreq=125.0), torch.randn(3, 4, 250)
    >>> _ = [nn.init.normal_(each.weight, std=0.1) for each in lines.judges]
    >>> torch.allclose(FoldedLines(lines)(x), torch.cat(lines(x), 1), atol=1e-4)
    True
    """

    shrunk: Tensor
    apart: Tensor
    waves: Tensor
    groups: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        views: Any = lines.views
        covariance, course, spectrum = views
        n_channels, waves = len(lines.order), spectrum.waves[:, 0]
        even = waves.new_ones(n_channels, n_channels)
        alone = torch.eye(n_channels).to(even)
        self.register_buffer("shrunk", (1 - SHRINKAGE) * alone + SHRINKAGE / n_channels * even)
        self.register_buffer("apart", (1 - SHRINKAGE) * (even - alone))
        self.n_columns: int = course.n_columns
        self.length: int = spectrum.length
        self.step = max(1, self.length // 2)
        self.n_seen = -(-self.length // self.step)  # stretches of a window
        waves = F.pad(waves, (0, self.n_seen * self.step - self.length))
        waves = waves.unflatten(1, (-1, self.step)).permute(2, 1, 0)
        self.register_buffer("waves", waves.flatten(1))  # (samples, stretches * waves)
        n_hertz = waves.shape[2] // (2 * N_TAPERS)
        alone = torch.eye(n_hertz).to(waves)
        self.register_buffer("groups", (alone + LEAST / n_hertz).repeat(2 * N_TAPERS, 1))
        self.register_buffer("weight", judging(lines, covariance.pairs))
        self.register_buffer("bias", torch.cat([judge.bias.detach() for judge in lines._judges()]))

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the logits (n, lines * classes)."""
        seen = torch.cat([*self.covariance(x), self.course(x), self.spectrum(x)], 1)
        return F.linear(seen, self.weight, self.bias)

    def covariance(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logarithm of variances, and what is apart of them, for each pair twice."""
        products = x @ x.mT / x.shape[2]
        variance = products.flatten(1)[:, :: x.shape[1] + 1] @ self.shrunk
        variance = variance.clamp_min(1e-12)
        scale = variance.rsqrt()
        apart = products * self.apart * (scale[:, :, None] * scale[:, None])
        return variance.log(), (apart - apart @ apart / 2).flatten(1)

    def course(self, x: Tensor) -> Tensor:
        """Return means over stretches, (n, channels * columns)."""
        n_each = x.shape[2] // self.n_columns
        return x[..., : self.n_columns * n_each].unflatten(2, (-1, n_each)).mean(3).flatten(1)

    def spectrum(self, x: Tensor) -> Tensor:
        """Return the logarithm of power, (n, channels * frequencies)."""
        n_windows = (x.shape[2] - self.length) // self.step + 1
        n_stretches = n_windows + self.n_seen - 1
        n_seen = n_stretches * self.step
        x = F.pad(x, (0, n_seen - x.shape[2])) if n_seen > x.shape[2] else x[..., :n_seen]
        x = x.unflatten(2, (-1, self.step))
        found = shifted_sum(x @ self.waves, self.n_seen, n_windows)
        power = (found * found).mean(2) @ self.groups
        return (power + 1e-12).log().flatten(1)


def judging(lines: Lines, pairs: Tensor) -> Tensor:
    """Return what all lines make of all features, of channels as they are listed."""
    n_channels, listed = len(lines.order), lines.order.argsort()
    first, *others = (judge.weight.detach() for judge in lines._judges())
    own, shared = first[:, :n_channels], first[:, n_channels:]
    apart = own.diag_embed().flatten(1).index_copy(1, pairs, 2**0.5 * shared)
    apart = apart.unflatten(1, (n_channels, -1))[:, listed][:, :, listed]
    first = torch.cat([own[:, listed], apart.flatten(1)], 1)
    rest = (each.unflatten(1, (n_channels, -1))[:, listed].flatten(1) for each in others)
    return torch.block_diag(first, *rest)


def regression(
    features: Tensor, y: Tensor, n_classes: int, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return slope (classes, features) and offset of a logistic regression with a penalty.

    Examples
    --------
    >>> x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).double()
    >>> slope, offset = regression(x, (x[:, 0] > 0).long(), 2)
    >>> ((x @ slope.T + offset).argmax(1) == (x[:, 0] > 0)).float().mean().item() > 0.9
    True
    """
    n_features = features.shape[1]
    weight = None if weight is None else weight.to(features)
    found = torch.zeros(n_classes, n_features + 1).to(features).requires_grad_()
    search = torch.optim.LBFGS(
        [found],
        max_iter=N_STEPS,
        tolerance_grad=1e-7,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        told = features @ found[:, :-1].T + found[:, -1]
        value = F.cross_entropy(told, y, weight) + PENALTY / 2 * found[:, :-1].square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        search.step(loss)
    return found[:, :-1].detach(), found[:, -1].detach()
