"""The rules: what each learns from out-of-fold probabilities, and how it combines members.

P is always (members, trials, classes), what is combined is (trials, classes), and y holds class
codes. Whatever is learned is learned from predictions for trials of training people that the
members were not fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from eegvit.ensemble.calibration import scaled, temperatures
from eegvit.ensemble.meta import boosted, logistic, meta
from eegvit.ensemble.probabilities import FloatArray, check_codes, check_members, votes
from eegvit.ensemble.weights import accuracy_weights, log_loss_weights
from eegvit.registry import suggest

RuleName = Literal["vote", "average", "weighted", "max", "meta"]
LearnerName = Literal["accuracy", "log_loss", "logistic", "xgboost"]

TIE = 1e-6  # share of the average in a vote


def vote(P: FloatArray, learned: None = None) -> FloatArray:
    """Return the share of members whose first choice a class is; the average settles ties.

    Examples
    --------
    >>> vote(np.array([[[0.9, 0.1]], [[0.4, 0.6]], [[0.4, 0.6]]])).round(2).tolist()
    [[0.33, 0.67]]
    """
    return (1 - TIE) * votes(P).mean(axis=0) + TIE * P.mean(axis=0)


def average(P: FloatArray, learned: None = None) -> FloatArray:
    """Return the mean over members.

    Examples
    --------
    >>> average(np.array([[[0.9, 0.1]], [[0.5, 0.5]]])).tolist()
    [[0.7, 0.3]]
    """
    return P.mean(axis=0)


def weighted(P: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean over members.

    Examples
    --------
    >>> weighted(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]), np.array([0.75, 0.25])).tolist()
    [[0.75, 0.25]]
    """
    return np.einsum("m,mnc->nc", weights, P)


def maximum(P: FloatArray, learned: None = None) -> FloatArray:
    """Return each class's largest probability over members, made to sum to one.

    Examples
    --------
    >>> maximum(np.array([[[0.9, 0.1]], [[0.4, 0.6]]])).round(3).tolist()
    [[0.6, 0.4]]
    """
    highest = P.max(axis=0)
    return highest / highest.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Rule:
    """How to combine members with what was learned, and the learners to choose from."""

    combine: Callable[[FloatArray, Any], FloatArray]
    learners: Mapping[str, Callable[[FloatArray, Any], Any]] = field(default_factory=dict)


RULES: dict[str, Rule] = {
    "vote": Rule(vote),
    "average": Rule(average),
    "weighted": Rule(weighted, {"accuracy": accuracy_weights, "log_loss": log_loss_weights}),
    "max": Rule(maximum),
    "meta": Rule(meta, {"logistic": logistic, "xgboost": boosted}),
}


@dataclass(frozen=True, eq=False)
class Combiner:
    """A rule with all that it has learned; calling it combines members.

    Parameters
    ----------
    rule : str
        Name in `RULES`.
    learned : array, MetaLearner or None
        The members' weights, a meta-learner, or nothing.
    temperatures : array or None
        Of each member, where calibration was asked for.
    """

    rule: str
    learned: Any = None
    temperatures: FloatArray | None = None

    def __call__(self, P: ArrayLike) -> FloatArray:
        """Combine probabilities (members, trials, classes) into (trials, classes)."""
        P = check_members(P)
        if self.temperatures is not None:
            P = scaled(P, self.temperatures)
        return RULES[self.rule].combine(P, self.learned)


def learns(rule: str, learner: str | None = None, calibrate: bool = False) -> bool:
    """Say whether a rule needs out-of-fold probabilities; refuse names that are unknown.

    Examples
    --------
    >>> learns("average"), learns("average", calibrate=True), learns("meta", "xgboost")
    (False, True, True)
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}{suggest(rule, RULES)}")
    known = RULES[rule].learners
    if learner is not None and learner not in known:
        hint = suggest(learner, known) if known else ": it learns nothing"
        raise ValueError(f"rule {rule!r} has no learner {learner!r}{hint}")
    return calibrate or bool(known)


def learn(
    rule: str,
    P: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    learner: str | None = None,
    calibrate: bool = False,
) -> Combiner:
    """Return a rule that has learned what it needs.

    Parameters
    ----------
    rule : str
        Name in `RULES`.
    P : array, shape (members, trials, classes), or None
        Out-of-fold probabilities of training trials; a rule that learns nothing needs none.
    y : array of int, shape (trials,), or None
        Their class codes.
    learner : str or None
        One of the rule's learners; None takes its first.
    calibrate : bool
        Scale each member's temperature first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 2
    >>> good = np.where(y[:, None] == [0, 1], 0.8, 0.2)
    >>> guess = np.full((40, 2), 0.5)
    >>> combine = learn("weighted", [good, guess], y, learner="log_loss")
    >>> combine.learned.round(2).tolist()
    [1.0, 0.0]
    >>> combine([[[0.9, 0.1]], [[0.1, 0.9]]]).round(2).tolist()
    [[0.9, 0.1]]
    """
    if not learns(rule, learner, calibrate):
        return Combiner(rule)
    if P is None or y is None:
        raise ValueError(f"rule {rule!r} learns from out-of-fold probabilities and labels")
    P = check_members(P)
    y = check_codes(y, *P.shape[1:])
    found = temperatures(P, y) if calibrate else None
    P = P if found is None else scaled(P, found)
    learners = RULES[rule].learners
    if not learners:
        return Combiner(rule, temperatures=found)
    return Combiner(rule, learners[learner or next(iter(learners))](P, y), found)
