"""Temperature scaling of each member's probabilities."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from eegvit.ensemble.probabilities import FLOOR, CodeArray, FloatArray

HOTTEST = 100.0  # as good as uniform; its inverse is as good as a vote


def temperatures(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return the temperature of each member that makes its log loss smallest [1]_.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Out-of-fold probabilities.
    y : array of int, shape (trials,)
        Class codes.

    References
    ----------
    .. [1] Guo et al., On calibration of modern neural networks. ICML 2017.

    Examples
    --------
    >>> sure = np.array([[[0.99, 0.01], [0.99, 0.01], [0.99, 0.01], [0.01, 0.99]]])
    >>> found = temperatures(sure, np.array([0, 0, 1, 1]))  # right in three of four
    >>> scaled(sure, found).max(axis=2).round(2).tolist()
    [[0.75, 0.75, 0.75, 0.75]]
    """
    return np.array([_temperature(member, y) for member in P])


def scaled(P: FloatArray, temperatures: FloatArray) -> FloatArray:
    """Return probabilities at other temperatures, one a member.

    Examples
    --------
    >>> scaled(np.array([[[0.8, 0.2]]]), np.array([0.5])).round(3).tolist()
    [[[0.941, 0.059]]]
    """
    return softmax(_logs(P) / np.asarray(temperatures)[:, None, None], axis=2)


def _temperature(member: FloatArray, y: CodeArray) -> float:
    logs, rows = _logs(member), np.arange(len(y))

    def loss(log_sharpness: float) -> float:
        return float(-log_softmax(np.exp(log_sharpness) * logs, axis=1)[rows, y].mean())

    edge = np.log(HOTTEST)
    found = minimize_scalar(loss, bounds=(-edge, edge), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(-found.x))


def _logs(P: FloatArray) -> FloatArray:
    return np.log(np.maximum(P, FLOOR))
