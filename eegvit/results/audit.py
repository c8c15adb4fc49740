"""What was checked of a plan before its scores are believed, and what each row learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eegvit.plan.fit import Request
from eegvit.plan.plan import Plan


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


def audit(plan: Plan) -> Audit:
    """Return the checks of a plan, made again from its rows: nothing is taken on trust."""
    scored = [request for request in plan.requests if not request.outer]
    inner = [request for request in plan.requests if request.outer]
    return Audit(tuple(_checks(plan, scored, inner)), tuple(_saw(plan, scored)))


def _checks(plan: Plan, scored: list[Request], inner: list[Request]) -> Iterator[Check]:
    n_splits = len({request.split for request in scored})
    view = scored[0].view
    trained = {(r.key, r.split): plan.fits[r.key].train for r in scored}
    tested = {(r.key, r.split): r.test for r in scored}
    places = list(trained)
    both = [len(np.intersect1d(trained[p], tested[p])) for p in places]
    yield Check(
        "no trial is tested by a model that trained on it",
        not any(both),
        f"{n_splits} splits, {len(trained):,} fits",
    )
    content = view.content
    copies = [len(np.intersect1d(content[trained[p]], content[tested[p]])) for p in places]
    yield Check(
        "no tested trial is in training under another name, byte for byte",
        not any(copies),
        f"{len(view):,} trials by their hashes",
    )
    shared = [len(np.intersect1d(view.people[trained[p]], view.people[tested[p]])) for p in places]
    if plan.study.evaluate.protocol in ("cross_subject", "cross_dataset"):
        labelled = any(request.target.startswith("calibrated") for request in scored)
        yield Check(
            "people are apart: nobody is trained on and tested"
            + (", but for the trials given to calibrate" if labelled else ""),
            labelled or not any(shared),
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
            f"{len(inner):,} inner fits",
        )


def _first(request: Request, scored: list[Request]) -> bool:
    """Say whether a request is of the first model, seed and amount of labels."""
    first = scored[0]
    return (request.model, request.seed, request.labels) == (first.model, first.seed, first.labels)


def _saw(plan: Plan, scored: list[Request]) -> Iterator[Saw]:
    for model in plan.study.models:
        own = [request for request in scored if request.model == model]
        fits = [plan.fits[request.key] for request in own]
        if fits:
            people = [len(np.unique(fit.view.people[fit.train])) for fit in fits]
            trials = [len(fit.train) for fit in fits]
            labels = [int((fit.y >= 0).sum()) for fit in fits]
            ranges = [(min(counts), max(counts)) for counts in (people, trials, labels)]
            yield Saw(model, own[0].target, *ranges)
