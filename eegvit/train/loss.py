"""The loss of what a network gives."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from eegvit.networks.auxiliary import Judged


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
    if isinstance(told, Judged):
        others = [cross_entropy(logits, y, weight, label_smoothing) for logits in told.others]
        logits = cross_entropy(told.logits, y, weight, label_smoothing)
        return logits + told.weight * torch.stack(others).mean()
    return F.cross_entropy(told.float(), y, weight, label_smoothing=label_smoothing)
