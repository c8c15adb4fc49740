"""What a network that is judged at several places gives in training."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Judged(NamedTuple):
    """Logits, and others that count in the training loss only.

    Parameters
    ----------
    logits : Tensor, shape (n, classes)
        What counts in full.
    others : tuple of Tensor
        Logits of parts of the network.
    weight : float
        How much the mean loss of the others counts.
    """

    logits: Tensor
    others: tuple[Tensor, ...]
    weight: float
