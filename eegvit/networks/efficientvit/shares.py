"""How much each of several judges counts, by what they say of people who were left out."""

from __future__ import annotations

from torch import Tensor

N_PARTS = 5  # that people are left out in, at most
LEAST_PEOPLE = 4  # with fewer, what is said of one who is left out says little of others
LEAST = 1e-3  # the effect that a judge has at least


def parts_of(people: Tensor) -> Tensor | None:
    """Return the part of people that each trial's person is in; None where people are too few.

    Examples
    --------
    >>> import torch
    >>> parts_of(torch.tensor([7, 7, 2, 3, 5, 9, 11])).tolist()
    [3, 3, 0, 1, 2, 4, 0]
    """
    names, numbers = people.unique(return_inverse=True)
    return numbers % N_PARTS if len(names) >= LEAST_PEOPLE else None


def effects(logits: Tensor, y: Tensor) -> Tensor:
    """Return by how many deviations each judge has trials apart from what they are not.

    The mean over trials, all classes alike, of the logit of a trial's class above the mean of
    its logits, divided by the deviation of that. How sure a judge is of itself changes nothing.

    Parameters
    ----------
    logits : Tensor, shape (judges, trials, classes)
        Of trials that no judge had learned from.
    y : Tensor, shape (trials,)
        The class of each.

    Examples
    --------
    >>> import torch
    >>> y = torch.arange(60) % 2
    >>> useless = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    >>> good = useless + 2 * torch.eye(2)[y]
    >>> [round(effect, 1) for effect in effects(torch.stack([good, useless]), y).tolist()]
    [1.4, -0.2]
    """
    apart = logits.gather(2, y.expand(len(logits), -1)[..., None])[..., 0] - logits.mean(2)
    counts = 1.0 / y.bincount()[y].to(logits)
    counts = counts / counts.sum()
    mean = apart @ counts
    spread = ((apart - mean[:, None]).square() @ counts).sqrt()
    return mean / spread.clamp_min(1e-12)


def shares(logits: Tensor, y: Tensor) -> Tensor:
    """Return how much each judge counts, (judges,), in proportion to `effects`; their mean is 1."""
    found = effects(logits, y).clamp_min(LEAST)
    return found / found.mean()
