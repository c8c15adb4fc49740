"""Which members to combine, how alike their errors are, and what choosing could bring at most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eegvit.ensemble.calibration import scaled, temperatures
from eegvit.ensemble.probabilities import check_codes, check_members, of_truth
from eegvit.ensemble.rules import Combiner, learn


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


def chosen_and_learned(
    P: ArrayLike,
    y: ArrayLike,
    *,
    rule: str,
    learner: str | None = None,
    calibrate: bool = False,
    select: bool = False,
) -> tuple[list[int], Combiner]:
    """Return the members to combine, in the order of their choice, and the rule as it learned.

    The rule combines the chosen members in ascending order.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Out-of-fold probabilities of training trials.
    y : array of int, shape (trials,)
        Class codes.
    rule, learner, calibrate
        As for `learn`.
    select : bool
        Choose members by forward selection; otherwise all are.

    Examples
    --------
    >>> y = np.arange(40) % 2
    >>> good = np.where(y[:, None] == [0, 1], 0.8, 0.2)
    >>> chosen_and_learned([np.full((40, 2), 0.5), good], y, rule="average", select=True)[0]
    [1]
    """
    P = check_members(P)
    chosen = list(range(len(P)))
    if select:
        codes = check_codes(y, *P.shape[1:])
        chosen = forward_selection(scaled(P, temperatures(P, codes)) if calibrate else P, codes)
    return chosen, learn(rule, P[sorted(chosen)], y, learner=learner, calibrate=calibrate)
