"""The loss of what a network gives."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from eegvit.networks.auxiliary import Judged
from eegvit.train.lesson import Taught


def cross_entropy(
    told: Tensor | Judged, y: Tensor, weight: Tensor | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean loss of logits, and of those of the network's parts where it gives any.

    Examples
    --------
    >>> y, right, even = torch.tensor([1]), torch.tensor([[-50.0, 50.0]]), torch.zeros(1, 2)
    >>> round(cross_entropy(even, y).item(), 4)
    0.6931
    >>> round(cross_entropy(Judged(right, (even, right), weight=0.5), y).item(), 4)
    0.1733
    """

    def loss(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), y, weight, label_smoothing=label_smoothing)

    return _of_all(told, loss)


def taught_loss(
    told: Tensor | Judged, y: Taught, weight: Tensor | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean loss by labels and by a teacher, each by its share.

    The teacher's part is the divergence of the network's probabilities from the teacher's, both
    at a temperature, times its square, so that its gradient does not shrink with it.

    Examples
    --------
    >>> y, even = torch.tensor([1]), torch.zeros(1, 2)
    >>> agreed = Taught(y, torch.tensor([[0.5, 0.5]]), weight=0.75, temperature=2.0)
    >>> round(taught_loss(even, agreed).item() / cross_entropy(even, y).item(), 4)
    0.25
    """

    def divergence(logits: Tensor) -> Tensor:
        logs = F.log_softmax(logits.float() / y.temperature, dim=1)
        return y.temperature**2 * F.kl_div(logs, y.softened, reduction="batchmean")

    by_labels = cross_entropy(told, y.labels, weight, label_smoothing)
    return (1 - y.weight) * by_labels + y.weight * _of_all(told, divergence)


def _of_all(told: Tensor | Judged, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Return a loss of logits, and its mean over those of the network's parts, weighted."""
    if isinstance(told, Judged):
        others = torch.stack([_of_all(logits, loss) for logits in told.others]).mean()
        return _of_all(told.logits, loss) + told.weight * others
    return loss(told)
