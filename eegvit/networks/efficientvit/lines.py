"""Straight lines beside a network: linear classifiers of what is known to tell trials apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.blocks_of_time import shifted_sum
from eegvit.networks.efficientvit.seen import (
    LEAST,
    N_TAPERS,
    SHRINKAGE,
    Course,
    Covariance,
    Spectrum,
)
from eegvit.networks.efficientvit.shares import parts_of, shares

PENALTY = 0.1  # of squared weights, beside the mean loss
MANY = 2**26  # features of all trials, from which on single precision must do
N_STEPS = 200  # of the search for the weights, at most


class Lines(nn.Module):
    """A linear classifier of each trial's covariance, one of its course, one of its spectrum.

    Their weights are found at once by `settle`, not by the training of networks beside them, and
    so is how much each counts.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
    sfreq : float
    order : Tensor or None
        An order of the channels of their own, so that how they are listed changes nothing.

    Attributes
    ----------
    shares : Tensor (3,)
        How much each line counts; their mean is 1.

    Examples
    --------
    >>> lines = Lines(4, 250, 2, sfreq=125.0)
    >>> [logits.shape for logits in lines(torch.randn(3, 4, 250))]
    [torch.Size([3, 2]), torch.Size([3, 2]), torch.Size([3, 2])]
    """

    order: Tensor
    shares: Tensor

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
        self.register_buffer("shares", torch.ones(len(sizes)))

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
    def settle(
        self,
        batches: Iterable[Tensor],
        y: Tensor,
        weight: Tensor | None = None,
        people: Tensor | None = None,
    ) -> None:
        """Find the weights on all trials, and the shares by leaving out people.

        Parameters
        ----------
        batches : iterable of Tensor
            Trials (n, channels, times).
        y : Tensor
            The class of each.
        weight : Tensor or None
            How much each class counts.
        people : Tensor or None
            A number for each trial's person. With too few of them the lines count alike.
        """
        seen = zip(*(self.seen(x) for x in batches), strict=True)
        parts = None if people is None else parts_of(people)
        said = []
        for judge, own in zip(self._judges(), seen, strict=True):
            features = torch.cat(own)
            if features.numel() <= MANY:
                features = features.double()
            mean = features.mean(0)
            scale = features.sub_(mean).std().clamp_min(1e-9)
            features.div_(scale)
            slope, offset = regression(features, y, judge.out_features, weight)
            judge.weight.copy_(slope / scale)
            judge.bias.copy_(offset - judge.weight.to(mean) @ mean)
            if parts is not None:
                out = said_of_left_out(features, y, parts, judge.out_features, weight)
                said.append(out.double())
        if parts is not None:
            self.shares.copy_(shares(torch.stack(said), y))

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        # decoders written before lines had shares
        state.setdefault(f"{prefix}shares", torch.ones_like(self.shares))
        super()._load_from_state_dict(state, prefix, *rest)

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
    shares: Tensor

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
        self.register_buffer("shares", lines.shares)

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


def said_of_left_out(
    features: Tensor, y: Tensor, parts: Tensor, n_classes: int, weight: Tensor | None = None
) -> Tensor:
    """Return the logits of each trial, (trials, classes), by a regression of all other parts."""
    logits = features.new_empty(len(y), n_classes)
    for part in parts.unique():
        left_out = parts == part
        slope, offset = regression(features[~left_out], y[~left_out], n_classes, weight)
        logits[left_out] = features[left_out] @ slope.T + offset
    return logits


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
