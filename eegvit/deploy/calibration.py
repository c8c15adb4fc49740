"""Probabilities adapted to a person by a few labelled trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

FloatArray = NDArray[np.float64]
LEAST = 1e-12  # a probability below it counts as it
PRIOR = 4.0  # trials that "as it was" weighs as much as


@dataclass(frozen=True, eq=False)
class Calibration:
    """Log-probabilities made sharper or flatter, and each class more or less likely.

    Parameters
    ----------
    sharpness : float
        Factor of the log-probabilities.
    offsets : array, shape (classes,)
        What is added to them.
    n_trials : int
        Labelled trials that it was learned from.
    """

    sharpness: float
    offsets: FloatArray
    n_trials: int

    def __call__(self, P: FloatArray) -> FloatArray:
        """Return calibrated probabilities (trials, classes)."""
        calibrated: FloatArray = softmax(self.sharpness * _logs(P) + self.offsets, axis=1)
        return calibrated

    @classmethod
    def learn(cls, P: FloatArray, y: NDArray[np.int64]) -> Calibration:
        """Learn from a decoder's probabilities for labelled trials.

        The likelihood of the labels is made largest, held back by a prior that nothing is to be
        changed: a few trials change little.

        Examples
        --------
        >>> P = np.tile([[0.9, 0.1], [0.6, 0.4]], (20, 1))  # one class favoured throughout
        >>> found = Calibration.learn(P, np.tile([0, 1], 20))
        >>> found(P)[:2].argmax(axis=1).tolist()
        [0, 1]
        """
        logs, rows = _logs(P), np.arange(len(y))

        def loss(x: FloatArray) -> float:
            told = log_softmax(np.exp(x[0]) * logs + x[1:], axis=1)[rows, y]
            return float(-told.sum() + PRIOR / 2 * np.square(x).sum())

        found = minimize(loss, np.zeros(1 + P.shape[1]), method="BFGS").x
        return cls(float(np.exp(found[0])), found[1:] - found[1:].mean(), len(y))

    def plain(self) -> dict[str, Any]:
        """Return it as plain values and arrays."""
        return dict(vars(self))


def _logs(P: FloatArray) -> FloatArray:
    return np.log(np.maximum(P, LEAST))
