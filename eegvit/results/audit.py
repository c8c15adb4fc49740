"""What was checked of a plan before its scores are believed, and what each row learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eegvit.plan.fit import Fit, Request
from eegvit.plan.plan import Plan
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.views.kinship import overlapping_rows, same_recording

ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """Something that was looked at, for all splits of the study.

    Parameters
    ----------
    what : str
        What must hold.
    passed : bool
        Whether it does.
    counted : str
        What was counted.
    """

    what: str
    passed: bool
    counted: str


@dataclass(frozen=True)
class Saw:
    """What the fits of one model learned from, least and most of them.

    Parameters
    ----------
    model : str
    target : str
        What it uses of the people tested.
    people, trials, labels : tuple of int
        In training, and how many of the trials had a label.
    """

    model: str
    target: str
    people: tuple[int, int]
    trials: tuple[int, int]
    labels: tuple[int, int]


@dataclass(frozen=True)
class Audit:
    """All checks, and what each model saw."""

    checks: tuple[Check, ...]
    saw: tuple[Saw, ...]


def audit(plan: Plan, board: Sequence[BoardRow] = ()) -> Audit:
    """Return the checks of a plan, made again from its rows: nothing is taken on trust.

    Parameters
    ----------
    plan : Plan
    board : sequence of BoardRow
        The leaderboard, for what its controls say.
    """
    scored = [request for request in plan.requests if not request.outer]
    inner = [request for request in plan.requests if request.outer]
    checks = (*_checks(plan, scored, inner), *_controls(board, plan.study.evaluate.metric))
    return Audit(checks, tuple(_saw(plan, scored)))


def _checks(plan: Plan, scored: list[Request], inner: list[Request]) -> Iterator[Check]:
    view = scored[0].view
    sides = {}
    for request in scored:
        train = plan.fits[request.key].train
        sides[request.split, id(request.view), id(train)] = request.view, train, request.test
    apart = list(sides.values())
    n_splits = len({request.split for request in scored})
    yield Check(
        "no trial is tested by a model that trained on it",
        not any(len(np.intersect1d(train, test)) for _, train, test in apart),
        f"{n_splits:,} splits, {len({request.key for request in scored}):,} fits",
    )
    copies = sum(len(same_recording(own, train, test)) for own, train, test in apart)
    yield Check(
        "no stretch of a tested recording is trained on under another name, as it is or changed",
        copies == 0,
        f"{len(view):,} trials by hash and fingerprint" + (f", {copies:,} pairs" * (copies > 0)),
    )
    yield Check(
        "no training trial overlaps a tested one in time",
        not any(
            len(np.intersect1d(train, overlapping_rows(own, test))) for own, train, test in apart
        ),
        f"{len(np.unique(view.kin.overlaps)):,} trials share samples with another",
    )
    if plan.study.evaluate.protocol in ("cross_subject", "cross_dataset"):
        given = any(request.target.startswith("calibrated") for request in scored)
        bounds = {r.split for r in scored if r.target.startswith("own sessions")}
        shared = [
            len(np.intersect1d(v.people[train], v.people[test]))
            for (split, *_), (v, train, test) in sides.items()
            if split not in bounds
        ]
        yield Check(
            "nobody is trained on and tested"
            + ", but by the trials that calibrate" * given
            + ", but by rows that say they are trained on own sessions" * bool(bounds),
            given or not any(shared),
            f"{len(np.unique(view.people)):,} people",
        )
    once = np.concatenate([r.test for r in scored if _first(r, scored)])
    yield Check(
        "each trial is tested once",
        len(np.unique(once)) == len(once),
        f"{len(once):,} tested trials",
    )
    if inner:
        outer = {r.split: r.test for r in scored}
        seen = [
            len(np.intersect1d(np.union1d(plan.fits[r.key].train, r.test), outer[r.outer]))
            for r in inner
        ]
        yield Check(
            "what ensembles choose and learn by holds no trial of the split that scores them",
            not any(seen),
            f"{len({r.key for r in inner}):,} inner fits",
        )
    yield from _teachers(plan, scored)


def _teachers(plan: Plan, scored: list[Request]) -> Iterator[Check]:
    """Yield whether teachers saw what they tell of, or what their students are tested on."""
    students = {request.key: request for request in scored if plan.fits[request.key].teaching}
    if not students:
        return
    evaluate = plan.study.evaluate
    across = evaluate.protocol in ("cross_subject", "cross_dataset") and evaluate.calibrate is None
    apart, n_fits = True, set()
    for student in students.values():
        teaching = plan.fits[student.key].teaching
        for told in teaching.requests if teaching else ():
            n_fits.add(told.key)
            view, train = told.view, plan.fits[told.key].train
            apart &= not len(np.intersect1d(train, told.test))
            apart &= not len(np.intersect1d(np.union1d(train, told.test), student.test))
            if across:
                apart &= not len(np.intersect1d(view.people[train], view.people[told.test]))
    yield Check(
        f"no teacher was trained on a {'person' if across else 'trial'} that it tells its student"
        " of, or on a trial that the student is tested on",
        apart,
        f"{len(students):,} fits of students, {len(n_fits):,} of teachers",
    )


def _controls(board: Sequence[BoardRow], metric: str) -> Iterator[Check]:
    """Yield of each control whether its interval over people, if they are enough, has chance."""
    for row in board:
        if not row.control or np.isnan(row.ci_low) or np.isnan(row.chance):
            continue
        lower = metric in LOWER_IS_BETTER
        beyond = row.chance - row.ci_high if lower else row.ci_low - row.chance
        yield Check(
            "a model whose training labels were shuffled is not above chance",
            beyond <= ROUNDING,
            f"{row.model}: {row.mean:.3f}, 95 % interval over people {row.ci_low:.3f} to"
            f" {row.ci_high:.3f}, chance {row.chance:.3f}",
        )


def _first(request: Request, scored: list[Request]) -> bool:
    """Say whether a request is of the first model, seed and amount of labels."""
    first = scored[0]
    return (request.model, request.seed, request.labels) == (first.model, first.seed, first.labels)


def _saw(plan: Plan, scored: list[Request]) -> Iterator[Saw]:
    counted: dict[tuple[int, ...], tuple[int, int, int]] = {}
    for model in plan.study.models:
        own = [request for request in scored if request.model == model]
        for fit in (plan.fits[request.key] for request in own):
            if (rows := _rows(fit)) not in counted:  # models train on the same rows
                people = len(np.unique(fit.view.people[fit.train]))
                counted[rows] = people, len(fit.train), int((fit.y >= 0).sum())
        if own:
            told = [counted[_rows(plan.fits[request.key])] for request in own]
            ranges = [(min(counts), max(counts)) for counts in zip(*told, strict=True)]
            yield Saw(model, own[0].target, *ranges)


def _rows(fit: Fit) -> tuple[int, ...]:
    """Return what is the same for fits that learn from the same rows and labels of a view."""
    return id(fit.view), id(fit.train), id(fit.labelled)
