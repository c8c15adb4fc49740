"""Probabilities of several members: their check, and scores that the rules learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

FLOOR = 1e-7  # of probabilities under a logarithm
SUM_TOLERANCE = 1e-3  # of probabilities that were kept in single precision


def check_members(P: ArrayLike) -> FloatArray:
    """Return probabilities (members, trials, classes) that sum to one, or say what is wrong.

    Examples
    --------
    >>> check_members([[[0.25, 0.75]], [[0.0, 1.0]]]).shape
    (2, 1, 2)
    """
    P = np.asarray(P, np.float64)
    if P.ndim != 3 or P.shape[0] < 1 or P.shape[2] < 2:
        raise ValueError(
            f"probabilities have shape {P.shape}, expected (members, trials, classes)"
            " with one member or more and two classes or more"
        )
    total = P.sum(axis=2)
    bad = ~(np.isfinite(total) & (P >= 0).all(axis=2) & (abs(total - 1) <= SUM_TOLERANCE))
    if bad.any():
        member, trial = np.argwhere(bad)[0]
        raise ValueError(
            f"member {member}, trial {trial}: {P[member, trial].tolist()} are no probabilities"
            " that sum to one"
        )
    return P


def check_codes(y: ArrayLike, n_trials: int, n_classes: int) -> CodeArray:
    """Return class codes 0, 1, ..., one a trial, or say what is wrong.

    Examples
    --------
    >>> check_codes([0, 1], 2, 2).tolist()
    [0, 1]
    """
    codes = np.asarray(y)
    if codes.shape != (n_trials,) or codes.dtype.kind not in "iu":
        raise ValueError(
            f"y has shape {codes.shape} and type {codes.dtype},"
            f" expected class codes of shape ({n_trials},)"
        )
    if n_trials == 0:
        raise ValueError("no trials to learn from")
    if codes.min() < 0 or codes.max() >= n_classes:
        raise ValueError(f"y has codes {codes.min()} to {codes.max()} for {n_classes} classes")
    return codes.astype(np.int64)


def of_truth(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return the probability of each trial's true class, (..., trials), at least `FLOOR`."""
    return np.maximum(P[..., np.arange(len(y)), y], FLOOR)


def log_loss(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return the mean negative log probability of the true class, (...), in nats.

    Examples
    --------
    >>> log_loss(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1])).round(4).item()
    0.6931
    """
    return np.asarray(-np.log(of_truth(P, y)).mean(axis=-1))


def correct(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return 1 where the most probable class is the true one, (..., trials); equals share it.

    Examples
    --------
    >>> correct(np.array([[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]]), np.array([0, 0, 1])).tolist()
    [1.0, 0.5, 0.0]
    """
    return votes(P)[..., np.arange(len(y)), y]


def votes(P: FloatArray) -> FloatArray:
    """Return one vote a trial for its most probable class, (..., classes); equals share it.

    Examples
    --------
    >>> votes(np.array([[0.9, 0.1], [0.5, 0.5]])).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    top = P == P.max(axis=-1, keepdims=True)
    return top / top.sum(axis=-1, keepdims=True)


def balanced_accuracy(P: FloatArray, y: CodeArray) -> FloatArray:
    """Return the mean recall over the classes that occur, (...).

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    >>> balanced_accuracy(P, np.array([0, 0, 1, 1])).item()
    0.75
    """
    right = correct(P, y)
    return np.mean([right[..., y == code].mean(axis=-1) for code in np.unique(y)], axis=0)
