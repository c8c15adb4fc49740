"""Batch norm of positive definite matrices, with a mean for each person [1]_.

.. [1] Kobler et al., SPD domain-specific batch normalization to crack interpretable unsupervised
   domain adaptation in EEG. NeurIPS 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eegvit.networks.spd.eigenvalues import INVERSE_ROOT, ROOT, apply, exp, log


class PersonNorm(nn.Module):
    """Logarithms of matrices seen from the geometric mean of their person, at a learned scale.

    In training the mean and the spread of each person follow the person's trials in each batch,
    and gradients pass through them. Predicting knows no person: all are seen from one mean.

    Parameters
    ----------
    size : int
        Rows of a matrix.
    n_people : int
        People in training.
    momentum : float
        By how much of the way a batch moves the statistics of its people; more as long as they
        are of few batches.

    Examples
    --------
    >>> norm, C = PersonNorm(size=2, n_people=2, momentum=1.0), torch.eye(2).repeat(4, 1, 1)
    >>> C[2:] *= 5  # another person, the same at another scale
    >>> norm(C, torch.tensor([0, 0, 1, 1])).abs().max() < 1e-3
    tensor(True)
    """

    log_means: Tensor  # of each person: any symmetric matrix is the logarithm of a mean
    spreads: Tensor
    n_batches: Tensor
    log_mean: Tensor  # of all
    spread: Tensor

    def __init__(self, size: int, n_people: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.scale = nn.Parameter(torch.full((1,), float(size)))  # features of about unit size
        self.register_buffer("log_means", torch.zeros(n_people, size, size))
        self.register_buffer("spreads", torch.ones(n_people))
        self.register_buffer("n_batches", torch.zeros(n_people))
        self.register_buffer("log_mean", torch.zeros(size, size))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, C: Tensor, people: Tensor | None = None) -> Tensor:
        """Map positive matrices (n, size, size) to symmetric ones, by the number of each person.

        Without numbers all are of one person.
        """
        if not self.training:
            return self.scaled(log(seen_from(C, exp(self.log_mean.to(C)))), self.spread)
        if people is None:
            people = torch.zeros(len(C), dtype=torch.int64, device=C.device)
        present, own = people.unique(return_inverse=True)
        rate = (1 / (self.n_batches[present] + 1)).clamp_min(self.momentum).to(C)
        means, spreads = exp(self.log_means[present].to(C)), self.spreads[present].to(C)
        step = averaged(log(seen_from(C, means[own])), own)
        means = moved(means, rate[:, None, None] * step)
        logs = log(seen_from(C, means[own]))
        spreads = spreads.lerp(averaged(logs.square().sum((1, 2)), own), rate)
        self.remember(present, means.detach(), spreads.detach(), rate.mean())
        return self.scaled(logs, spreads[own][:, None, None])

    @torch.no_grad()
    def remember(self, people: Tensor, means: Tensor, spreads: Tensor, rate: Tensor) -> None:
        """Keep what is now known of some people, and move the mean of all towards theirs."""
        mean = exp(self.log_mean.to(means))
        self.log_mean.copy_(log(moved(mean, rate * log(seen_from(means, mean)).mean(0))))
        self.spread.lerp_(spreads.mean().to(self.spread), rate.item())
        self.log_means[people] = log(means).to(self.log_means)
        self.spreads[people] = spreads.to(self.spreads)
        self.n_batches[people] += 1

    def scaled(self, logs: Tensor, spread: Tensor) -> Tensor:
        """Return logarithms at the learned scale, whatever their spread is."""
        return self.scale * logs * (spread.to(logs) + 1e-5).rsqrt()

    @torch.no_grad()
    def settle(self, mean: Tensor, spread: Tensor) -> None:
        """See all from a mean, and forget those of people."""
        self.log_mean.copy_(log(mean))
        self.spread.copy_(spread)
        self.log_means, self.spreads = self.log_mean[None].clone(), self.spread[None].clone()
        self.n_batches = torch.zeros_like(self.spreads)


def averaged(values: Tensor, own: Tensor) -> Tensor:
    """Return the mean of the values (n, ...) of each group, by the number of each value's group.

    Examples
    --------
    >>> averaged(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0, 1, 1]))
    tensor([1., 3.])
    """
    counts = own.bincount().to(values)
    sums = values.new_zeros(len(counts), *values.shape[1:]).index_add(0, own, values)
    return sums / counts.view(-1, *[1] * (values.ndim - 1))


def seen_from(C: Tensor, mean: Tensor) -> Tensor:
    """Return positive matrices as they are seen from a mean, which itself becomes the identity.

    Examples
    --------
    >>> seen_from(torch.tensor([[8.0]]), torch.tensor([[4.0]]))
    tensor([[2.]])
    """
    whitener = apply(mean, INVERSE_ROOT)
    return whitener @ C @ whitener


def moved(mean: Tensor, step: Tensor) -> Tensor:
    """Return a mean after a step, which is a logarithm seen from it.

    Examples
    --------
    >>> moved(torch.tensor([[4.0]]), torch.tensor([[2.0]]).log())
    tensor([[8.]])
    """
    root = apply(mean, ROOT)
    return root @ exp(step) @ root
