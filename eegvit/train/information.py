"""How much predictions of some trials say of their classes: a loss without labels."""

from __future__ import annotations

from torch import Tensor

PRIOR = 4  # trials of each class that count as seen before the first
LEAST = 1e-12  # a share below it is one


def information_loss(P: Tensor, seen: Tensor | None = None) -> Tensor:
    """Return how doubtful trials are one by one, less how doubtful they are together.

    Parameters
    ----------
    P : Tensor, shape (trials, classes)
        Probabilities.
    seen : Tensor, shape (classes,), or None
        How many trials of each class were seen: a class may have its share of them. None: all
        classes should be as frequent.

    Examples
    --------
    >>> import torch
    >>> sure_of_both = torch.eye(2)
    >>> sure_of_one = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> bool(information_loss(sure_of_both) < information_loss(sure_of_one))
    True
    >>> P, often, rarely = torch.tensor([[0.8, 0.2]]), torch.tensor([12.0, 0.0]), None
    >>> bool(information_loss(P, often) < information_loss(P, rarely))
    True
    """
    share = P.mean(0)
    if seen is not None:
        share = share / (PRIOR + seen)
        share = share / share.sum()
    return _doubt(P).mean() - _doubt(share)


def _doubt(P: Tensor) -> Tensor:
    """Return the entropy of probabilities along the last axis."""
    return -(P * P.clamp_min(LEAST).log()).sum(-1)
