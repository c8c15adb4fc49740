"""What a teacher says of trials, for a network that learns from it beside the labels [1]_.

.. [1] Hinton et al., Distilling the knowledge in a neural network. arXiv:1503.02531, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

FLOOR = 1e-7  # of probabilities under a logarithm


@dataclass(frozen=True, eq=False)
class Lesson:
    """A teacher's class probabilities of trials, and how much they count.

    Parameters
    ----------
    told : array, shape (n, classes)
        Of each trial that is given to training, held out or not.
    weight : float
        Share of the loss that goes by the teacher; the rest goes by the labels.
    temperature : float
        Both sides are compared at it: the higher, the more unlikely classes count.

    Examples
    --------
    >>> lesson = Lesson(np.array([[0.8, 0.2]]), weight=0.5, temperature=2.0)
    >>> lesson.softened.astype(float).round(3).tolist()
    [[0.667, 0.333]]
    """

    told: NDArray[np.float64]
    weight: float
    temperature: float

    @property
    def softened(self) -> NDArray[np.float32]:
        """The probabilities at the temperature."""
        logs = np.log(np.maximum(self.told, FLOOR)) / self.temperature
        raised = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


class Taught(NamedTuple):
    """Labels of a batch, and what a teacher says of the same trials.

    Parameters
    ----------
    labels : Tensor
        Codes, or shares of the classes.
    softened : Tensor, shape (n, classes)
        The teacher's probabilities at the temperature.
    weight, temperature : float
        As in `Lesson`.
    """

    labels: Tensor
    softened: Tensor
    weight: float
    temperature: float
