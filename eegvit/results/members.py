"""The members of ensembles: how alike their errors are, and what choosing could bring at most.

What is computed here looks at the labels of trials that are scored. It explains results, and
nothing of it reaches one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.config import Study
from eegvit.ensemble.inner import Count
from eegvit.ensemble.probabilities import (
    FloatArray,
    check_codes,
    check_members,
    correct,
    log_loss,
)
from eegvit.plan.splits.inner_splits import count_fits
from eegvit.results.ensembles import Learned
from eegvit.results.leaderboard import subject_scores
from eegvit.results.metrics import LOWER_IS_BETTER, METRICS
from eegvit.results.outcomes import Outcome, Predictions

Tested = Mapping[tuple[str, int], Predictions]


@dataclass(frozen=True, eq=False)
class Bound:
    """The score of each person's best member, known from the labels: a bound, not a result.

    Parameters
    ----------
    members : tuple of str
        The models to choose from.
    ensembles : tuple of str
        The ensembles that combine these models.
    seed : int
        The seed of the models.
    score : float
        The study's metric, mean over subjects.
    subjects : mapping
        For each member, for how many people it was the best.
    """

    members: tuple[str, ...]
    ensembles: tuple[str, ...]
    seed: int
    score: float
    subjects: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Ensembles:
    """What a report says of a study's ensembles beside their scores.

    Parameters
    ----------
    learned : tuple of Learned
        One of each ensemble, split and seed.
    members : tuple of str
        The models that are members of any ensemble.
    correlation : array, shape (members, members), or None
        Correlation of their errors over test trials, mean over seeds.
    bounds : tuple of Bound
        One of each set of members and seed.
    count : Count or None
        The fits of those members whose ensembles learn.
    """

    learned: tuple[Learned, ...] = ()
    members: tuple[str, ...] = ()
    correlation: FloatArray | None = None
    bounds: tuple[Bound, ...] = ()
    count: Count | None = None


def describe_ensembles(
    study: Study, outcomes: Sequence[Outcome], tested: Tested, learned: Sequence[Learned]
) -> Ensembles:
    """Return what is to be said of the ensembles of a study.

    Parameters
    ----------
    study : Study
        With its ensembles.
    outcomes : sequence of Outcome
        Those of its models, scored and inner ones.
    tested : mapping
        Predictions of the test trials by model and seed.
    learned : sequence of Learned
        What the ensembles learned.
    """
    members = tuple(m for m in study.models if any(m in e.of for e in study.ensembles.values()))
    learning = {m for ensemble in study.ensembles.values() if ensemble.learns for m in ensemble.of}
    stacks = [s for seed in study.evaluate.seeds if (s := _stack(members, seed, tested))]
    return Ensembles(
        learned=tuple(learned),
        members=members,
        correlation=np.mean([error_correlation(P, one.y) for one, P in stacks], axis=0)
        if stacks
        else None,
        bounds=tuple(_bounds(study, tested)),
        count=count_fits(o for o in outcomes if o.model in learning) if learning else None,
    )


def _bounds(study: Study, tested: Tested) -> list[Bound]:
    sets: dict[tuple[str, ...], list[str]] = {}
    for name, ensemble in study.ensembles.items():
        sets.setdefault(tuple(m for m in study.models if m in ensemble.of), []).append(name)
    found = []
    for members, ensembles in sets.items():
        for seed in study.evaluate.seeds:
            stack = _stack(members, seed, tested)
            if stack is not None:
                found.append(_bound(study, members, tuple(ensembles), seed, *stack))
    return found


def _bound(
    study: Study,
    members: tuple[str, ...],
    ensembles: tuple[str, ...],
    seed: int,
    one: Predictions,
    P: FloatArray,
) -> Bound:
    metric = study.evaluate.metric
    best, member = oracle(P, one.y, one.subject, metric)
    scores = subject_scores(replace(one, probabilities=best)).values()
    people = dict(zip(one.subject.tolist(), member.tolist(), strict=True))
    return Bound(
        members=members,
        ensembles=ensembles,
        seed=seed,
        score=float(np.nanmean([own[metric] for own in scores])),
        subjects={m: list(people.values()).count(place) for place, m in enumerate(members)},
    )


def _stack(
    members: Sequence[str], seed: int, tested: Tested
) -> tuple[Predictions, FloatArray] | None:
    """Return predictions of all members for the same trials; None where one is not complete."""
    own = [tested.get((member, seed)) for member in members]
    whole = [p for p in own if p is not None and p.done.all()]
    if not whole or len(whole) < len(own):
        return None
    first = whole[0]
    order = np.argsort(first.ids)
    P = np.empty((len(whole), *first.probabilities.shape))
    for place, predictions in zip(P, whole, strict=True):
        place[order] = predictions.probabilities[np.argsort(predictions.ids)]
    return first, P


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation; the latter is nan for one value.

    Examples
    --------
    >>> spread([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    mean = float(np.mean(values)) if len(values) else float("nan")
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def oracle(
    P: ArrayLike, y: ArrayLike, subject: ArrayLike, metric: str = "accuracy"
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the predictions of each person's best member, and which member that is.

    It looks at the labels of the trials that it is scored on: an upper bound of choosing one
    member a person, never a result. Of equally good members it takes that of smallest log
    loss.

    Parameters
    ----------
    P : array, shape (members, trials, classes)
        Probabilities of test trials.
    y : array of int, shape (trials,)
        Their class codes.
    subject : array, shape (trials,)
        Whose trial each is.
    metric : str
        By which a member is the best; one that is not defined for a person is the worst.

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
    sign = 1.0 if metric in LOWER_IS_BETTER else -1.0
    for name in np.unique(subjects):
        own = subjects == name
        worse = np.array([sign * METRICS[metric](codes[own], told) for told in P[:, own]])
        loss = log_loss(P[:, own], codes[own])
        member[own] = np.lexsort((loss, worse))[0]  # nan comes last
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
