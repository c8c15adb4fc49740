"""Weights of members on the simplex, learned from out-of-fold probabilities."""

from __future__ import annotations

import numpy as np

from eegvit.ensemble.probabilities import CodeArray, FloatArray, balanced_accuracy, of_truth

TOLERANCE = 1e-6  # nats above the smallest possible log loss
MOST_STEPS = 10_000


def accuracy_weights(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return weights proportional to how far balanced accuracy is above chance.

    A member at chance or below weighs nothing; if all are, they weigh the same.

    Examples
    --------
    >>> sure, wrong = np.eye(2)[[0, 1]], np.eye(2)[[1, 0]]
    >>> accuracy_weights(np.array([sure, wrong]), np.array([0, 1])).tolist()
    [1.0, 0.0]
    """
    above = np.maximum(balanced_accuracy(P, y) - 1 / P.shape[2], 0.0)
    if above.sum() <= 0:
        above = np.ones(len(P))
    return above / above.sum()


def log_loss_weights(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return the weights whose weighted average has the smallest log loss.

    The problem is that of a mixture's weights: a step of expectation-maximisation multiplies
    each weight by its member's mean gain. The logarithm of the largest gain bounds what is
    still to be gained, and says when to stop. Identical members weigh the same.

    Examples
    --------
    >>> P = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.5, 0.5]]])
    >>> log_loss_weights(P, np.array([0, 1])).round(3).tolist()
    [1.0, 0.0]
    """
    truth = of_truth(P, y)  # (members, trials)
    weights = np.full(len(P), 1 / len(P))
    for _ in range(MOST_STEPS):
        gain = (truth / (weights @ truth)).mean(axis=1)
        if np.log(gain.max()) < TOLERANCE:
            break
        weights = weights * gain
    return weights / weights.sum()
