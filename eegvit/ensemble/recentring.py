"""Probabilities of a recording recentred, so that no class is favoured throughout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eegvit.ensemble.probabilities import FloatArray

LEAST = 1e-12  # a probability of zero could not be moved
TOLERANCE = 1e-6  # of a class's share
MOST_STEPS = 1000
PRIOR = 20  # trials without a favourite that the first trials of a recording lean on


def by_recording(
    P: FloatArray,
    recording: NDArray[np.str_],
    shares: FloatArray,
    how: Callable[[FloatArray, FloatArray], FloatArray] | None = None,
) -> FloatArray:
    """Recentre the predictions of each recording apart, as a whole or trial by trial.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.3, 0.7], [0.8, 0.2], [0.4, 0.6]])
    >>> shares = np.array([0.5, 0.5])
    >>> by_recording(P, np.array(["a", "b", "a", "b"]), shares).argmax(axis=1).tolist()
    [0, 1, 1, 0]
    """
    new = np.empty_like(P, dtype=np.float64)
    for name in np.unique(recording):
        rows = recording == name
        new[rows] = (how or recentred)(P[rows], shares)
    return new


def recentred(P: FloatArray, shares: FloatArray) -> FloatArray:
    """Weigh the classes of a recording so that their mean probabilities are known shares.

    A classifier that was trained on other people often favours one class in all trials of a
    new recording. Where it is known how often each class occurs in it, as where cues are
    balanced by design, that is undone without a label: one weight a class is found for the
    whole recording. Where the shares are wrong, so is what comes out.

    Parameters
    ----------
    P : array, shape (trials, classes)
        Predicted probabilities of one recording.
    shares : array, shape (classes,)
        How often each class occurs.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.7, 0.3]])
    >>> new = recentred(P, np.array([0.5, 0.5]))
    >>> new.mean(axis=0).round(4).tolist(), new.argmax(axis=1).tolist()
    ([0.5, 0.5], [0, 0, 1, 1])
    """
    shares = np.asarray(shares, dtype=np.float64) / np.sum(shares)
    told = np.maximum(P, LEAST)
    return _weighed(told, _class_weights(told, shares, np.ones(told.shape[1])))


def recentred_so_far(P: FloatArray, shares: FloatArray) -> FloatArray:
    """Recentre each trial of a recording by itself and those before it, as they come.

    The first trials, with little to go by, lean on trials that favour no class, as many as
    `PRIOR`. Trials must be in time order.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.7, 0.3]])
    >>> new = recentred_so_far(P, np.array([0.5, 0.5]))
    >>> bool(np.array_equal(recentred_so_far(P[:2], np.array([0.5, 0.5])), new[:2]))
    True
    """
    shares = np.asarray(shares, dtype=np.float64) / np.sum(shares)
    told = np.concatenate([np.tile(shares, (PRIOR, 1)), np.maximum(P, LEAST)])
    weights, new = np.ones(told.shape[1]), np.empty_like(told)
    for i in range(PRIOR, len(told)):
        weights = _class_weights(told[: i + 1], shares, weights)
        new[i] = _weighed(told[i : i + 1], weights)[0]
    return new[PRIOR:]


def _class_weights(told: FloatArray, shares: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weights of classes that make their mean probabilities the shares, from some."""
    for _ in range(MOST_STEPS):
        found = _weighed(told, weights).mean(axis=0)
        if np.abs(found - shares).max() < TOLERANCE:
            break
        weights = weights * np.divide(shares, found, out=np.zeros_like(found), where=found > 0)
        weights = weights / weights.sum()
    return weights


def _weighed(told: FloatArray, weights: FloatArray) -> FloatArray:
    new = told * weights
    return np.asarray(new / new.sum(axis=1, keepdims=True))
