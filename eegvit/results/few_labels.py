"""Scores by the number of labels, and what pretraining adds to training from scratch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eegvit.config import Study
from eegvit.config.pretraining import controls
from eegvit.data.folders import natural
from eegvit.results.leaderboard import subject_scores
from eegvit.results.outcomes import FloatArray, Outcome, predictions
from eegvit.results.statistics.flips import holm, paired, sign_flip
from eegvit.results.statistics.intervals import FEWEST

NAN = float("nan")
N_DRAWS = 4000
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Point:
    """The score of a model with so many labels.

    Parameters
    ----------
    model : str
        Its name in the study.
    amount : float
        Share of all labels, or labels a class.
    n_labels : float
        How many that is in all, mean over splits.
    mean, low, high : float
        Mean over subjects, and its 95 % interval over subjects and draws; nan where a fit
        is missing.
    subjects : mapping
        Score of each subject, mean over draws and seeds.
    reason : str
        Why there is no mean.
    """

    model: str
    amount: float
    n_labels: float
    mean: float
    low: float
    high: float
    subjects: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True)
class Gain:
    """A paired test over subjects of a pretrained model against its control from scratch."""

    model: str
    control: str
    amount: float
    difference: float  # mean over subjects, pretrained minus control
    n_subjects: int
    p: float
    p_holm: float


@dataclass(frozen=True)
class Efficiency:
    """What a study of few labels found.

    Parameters
    ----------
    amounts : tuple of float
        In ascending order.
    points : tuple of Point
        One of each model and amount.
    gains : tuple of Gain
        One of each pretrained model and amount; Holm's correction runs over all of them.
    rows : tuple of dict
        The score of each model, amount, draw, seed and subject.
    """

    amounts: tuple[float, ...]
    points: tuple[Point, ...]
    gains: tuple[Gain, ...]
    rows: tuple[Mapping[str, Any], ...]

    def point(self, model: str, amount: float) -> Point:
        """Return one of the points."""
        return next(p for p in self.points if (p.model, p.amount) == (model, amount))


def describe_efficiency(study: Study, outcomes: Sequence[Outcome], n_classes: int) -> Efficiency:
    """Return scores by the number of labels, and what pretraining gains.

    Parameters
    ----------
    study : Study
        With amounts of labels.
    outcomes : sequence of Outcome
        Of all its models, amounts and draws.
    n_classes : int
    """
    rows = tuple(_rows(study.evaluate.metric, outcomes, n_classes))
    n_labels, reasons = {}, {}
    for model, amount in _places(study):
        own = [o for o in outcomes if _is(o, model, amount)]
        wrong = [o for o in own if o.probabilities is None]
        place = model, amount
        n_labels[place] = float(np.mean([o.labels.n for o in own if o.labels])) if own else NAN
        if wrong or not own:
            said = f"{len(wrong)} of {len(own)} fits: {wrong[0].reason}" if wrong else "no fits"
            reasons[place] = said
    return efficiency_of(study, rows, n_labels, reasons)


def efficiency_of(
    study: Study,
    rows: Sequence[Mapping[str, Any]],
    n_labels: Mapping[tuple[str, float], float],
    reasons: Mapping[tuple[str, float], str],
) -> Efficiency:
    """Return what scores say of each model and amount of labels.

    Parameters
    ----------
    study : Study
        With amounts of labels.
    rows : sequence of mapping
        The score of each model, amount, draw, seed and subject.
    n_labels : mapping
        How many labels that is in all, by model and amount.
    reasons : mapping
        Why there is no mean, by model and amount; of those only that have none.
    """
    points = tuple(
        _point(*place, rows, n_labels.get(place, NAN), reasons.get(place, ""))
        for place in _places(study)
    )
    found = Efficiency(tuple(sorted(study.evaluate.amounts or ())), points, (), tuple(rows))
    pairs = [
        (model, control, amount)
        for model, control in controls(study.models).items()
        for amount in found.amounts
    ]
    differences = [
        paired(found.point(m, a).subjects, found.point(c, a).subjects) for m, c, a in pairs
    ]
    p_values = [sign_flip(d) if len(d) > 1 else NAN for d in differences]
    gains = tuple(
        Gain(*pair, float(np.mean(d)) if d else NAN, len(d), p, p_holm)
        for pair, d, p, p_holm in zip(pairs, differences, p_values, holm(p_values), strict=True)
    )
    return replace(found, gains=gains)


def interval(scores: FloatArray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of scores (subjects, repeats).

    A percentile bootstrap that draws subjects, and for each of them repeats.

    Examples
    --------
    >>> low, high = interval(np.array([[0.5, 0.7], [0.6, 0.8], [0.7, 0.7], [0.6, 0.6]]))
    >>> 0.5 < low < 0.65 < high < 0.8
    True
    """
    n_subjects, n_repeats = scores.shape
    if n_subjects < FEWEST:
        return NAN, NAN
    rng = np.random.default_rng(0)
    who = rng.integers(0, n_subjects, (N_DRAWS, n_subjects, 1))
    which = rng.integers(0, n_repeats, (N_DRAWS, n_subjects, n_repeats))
    low, high = np.quantile(scores[who, which].mean(axis=(1, 2)), TAILS)
    return float(low), float(high)


def _rows(metric: str, outcomes: Sequence[Outcome], n_classes: int) -> Iterator[dict[str, Any]]:
    for labels in sorted({o.labels for o in outcomes if o.labels is not None}):
        own = [o for o in outcomes if o.labels == labels]
        for (model, seed), predicted in predictions(own, n_classes).items():
            for subject, scores in subject_scores(predicted).items():
                about = {"model": model, "labels": labels.amount, "draw": labels.draw}
                about |= {"seed": seed, "subject": subject, "metric": metric}
                yield about | {"score": scores[metric]}


def _places(study: Study) -> list[tuple[str, float]]:
    amounts = sorted(study.evaluate.amounts or ())
    return [(model, amount) for model in study.models for amount in amounts]


def _point(
    model: str, amount: float, rows: Sequence[Mapping[str, Any]], n_labels: float, reason: str
) -> Point:
    if reason:
        return Point(model, amount, n_labels, NAN, NAN, NAN, {}, reason)
    of_subject: dict[str, list[float]] = {}
    for row in rows:
        if (row["model"], row["labels"]) == (model, amount):
            of_subject.setdefault(row["subject"], []).append(row["score"])
    known = {s: v for s, v in of_subject.items() if not np.isnan(v).any()}
    subjects = {s: float(np.mean(known[s])) for s in sorted(known, key=natural)}
    if not subjects:
        return Point(model, amount, n_labels, NAN, NAN, NAN, {}, "no subject has a score")
    low, high = interval(np.array([known[s] for s in subjects]))
    return Point(model, amount, n_labels, float(np.mean([*subjects.values()])), low, high, subjects)


def _is(outcome: Outcome, model: str, amount: float) -> bool:
    known = outcome.labels
    return outcome.model == model and known is not None and known.amount == amount
