"""What an ensemble says of training trials, its rule learned from other trials than it is told of.

Its members' predictions are out-of-fold. A rule that had learned from all of them would have
seen the labels of the very trials that it then tells of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.ensemble.probabilities import CodeArray, FloatArray
from eegvit.ensemble.selection import chosen_and_learned


def told_apart(P: FloatArray, y: CodeArray, fold: NDArray[np.int64], **rule: Any) -> FloatArray:
    """Return what an ensemble says of each trial, its rule learned from the other folds.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Out-of-fold probabilities.
    y : array of int, shape (trials,)
        Class codes.
    fold : array of int, shape (trials,)
        In which fold each trial was held out.
    rule
        As for `chosen_and_learned`.

    Examples
    --------
    >>> y, fold = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    >>> right = np.where(y[:, None] == [0, 1], 0.8, 0.2)
    >>> first = np.where(fold[:, None] == 0, right, 1 - right)  # knows the first fold only
    >>> P = np.stack([first, 1 - first])
    >>> told_apart(P, y, fold, rule="weighted").round(1)[:, 0].tolist()  # trusts the wrong one
    [0.2, 0.8, 0.2, 0.8]
    """
    told = np.empty(P.shape[1:])
    for number in np.unique(fold):
        own = fold == number
        chosen, combiner = chosen_and_learned(P[:, ~own], y[~own], **rule)
        told[own] = combiner(P[sorted(chosen)][:, own])
    return told
