"""Which members to combine, how alike their errors are, and what choosing could bring at most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.ensemble.probabilities import (
    FloatArray,
    check_codes,
    check_members,
    correct,
    log_loss,
    of_truth,
)


def forward_selection(P: ArrayLike, y: ArrayLike) -> list[int]:
    """Return members in the order in which they lower the log loss of the average most.

    It starts with the best member and stops when no other one helps.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Out-of-fold probabilities of training trials.
    y : array of int, shape (trials,)
        Class codes.

    Examples
    --------
    >>> first, second = [[0.9, 0.1], [0.5, 0.5]], [[0.4, 0.6], [0.9, 0.1]]
    >>> guess = [[0.5, 0.5], [0.5, 0.5]]
    >>> forward_selection([guess, second, first], np.array([0, 0]))
    [2, 1]
    """
    P = check_members(P)
    truth = of_truth(P, check_codes(y, *P.shape[1:]))  # (members, trials)
    chosen: list[int] = []
    summed, smallest = np.zeros(truth.shape[1]), np.inf
    while len(chosen) < len(P):
        losses = -np.log((summed + truth) / (len(chosen) + 1)).mean(axis=1)
        losses[chosen] = np.inf
        best = int(np.argmin(losses))
        if losses[best] >= smallest:
            break
        chosen.append(best)
        summed, smallest = summed + truth[best], losses[best]
    return chosen


def oracle(P: ArrayLike, y: ArrayLike, subject: ArrayLike) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the predictions of each person's best member, and which member that is.

    It looks at the labels of the trials that it is scored on: an upper bound of choosing one
    member a person, never a result. Of equally accurate members it takes that of smallest
    log loss.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Probabilities of test trials.
    y : array of int, shape (trials,)
        Their class codes.
    subject : array, shape (trials,)
        Whose trial each is.

    Returns
    -------
    probabilities : array, shape (trials, classes)
    member : array of int, shape (trials,)

    Examples
    --------
    >>> P = np.array([[[0.9, 0.1], [0.9, 0.1]], [[0.1, 0.9], [0.1, 0.9]]])
    >>> oracle(P, np.array([0, 1]), ["ann", "bob"])[1].tolist()
    [0, 1]
    """
    P = check_members(P)
    codes, subjects = check_codes(y, *P.shape[1:]), np.asarray(subject)
    member = np.zeros(len(codes), np.int64)
    for name in np.unique(subjects):
        own = subjects == name
        right = correct(P[:, own], codes[own]).mean(axis=1)
        loss = log_loss(P[:, own], codes[own])
        member[own] = np.lexsort((loss, -right))[0]
    return P[member, np.arange(len(codes))], member


def error_correlation(P: ArrayLike, y: ArrayLike) -> FloatArray:
    """Return the correlation of the members' errors over trials, shape (members, members).

    It is nan for a member that is always right or always wrong.

    Examples
    --------
    >>> P = np.array([[[0.9, 0.1], [0.9, 0.1]], [[0.1, 0.9], [0.1, 0.9]]])
    >>> error_correlation(P, np.array([0, 1])).round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    P = check_members(P)
    right = correct(P, check_codes(y, *P.shape[1:]))
    centred = right - right.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1)
    scale = np.outer(norm, norm)
    return np.divide(centred @ centred.T, scale, out=np.full_like(scale, np.nan), where=scale > 0)
