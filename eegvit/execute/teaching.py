"""What teachers say of the training trials of their students, from the store alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from eegvit.ensemble.teaching import told_apart
from eegvit.execute.store import Store
from eegvit.execute.told import told_of
from eegvit.plan.fit import Fit, Request, Teaching

Soft = NDArray[np.float64]


@dataclass(frozen=True)
class Taught:
    """Fits of students that can be carried out, and the others.

    Parameters
    ----------
    soft : dict
        By key: what the teacher says of each training trial, nan where it says nothing.
    failed : dict
        By key: why a fit has no teacher, where that will not change by itself.
    waiting : list of str
        Keys of fits whose teachers are fitted by somebody else.
    """

    soft: dict[str, Soft] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def taught(fits: Sequence[Fit], store: Store) -> Taught:
    """Return what teachers say to the fits of their students.

    Parameters
    ----------
    fits : sequence of Fit
        Each with a `teaching`.
    store : Store
        Where the predictions of teachers are.
    """
    found, load = Taught(), cache(store.load)
    for fit in fits:
        assert fit.teaching is not None
        teacher = f"teacher {fit.teaching.teacher}"
        told = {request: told_of(request, load(request.key)) for request in fit.teaching.requests}
        missing = [request for request, own in told.items() if own is None]
        failures = [failure for r in missing if (failure := store.failure(r.key)) is not None]
        if failures:
            found.failed[fit.key] = f"{teacher}: {failures[0]['reason']}"
        elif missing:
            found.waiting.append(fit.key)
        else:
            try:
                known = {request: own for request, own in told.items() if own is not None}
                found.soft[fit.key] = said_by(fit.teaching, known, fit)
            except (ValueError, ImportError) as error:
                found.failed[fit.key] = f"{teacher}: {type(error).__name__}: {error}"
    return found


def said_by(teaching: Teaching, told: Mapping[Request, Soft], fit: Fit) -> Soft:
    """Return what a teacher says of each training trial of a fit, shape (trials, classes).

    It is nan where the teacher says nothing: of trials that calibrate, which are trained on
    whoever is left out.
    """
    tests = {request.split: request.test for request in teaching.members[0]}
    rows = np.concatenate(list(tests.values()))
    P = np.stack(
        [
            np.concatenate(
                [np.mean([told[r] for r in member if r.split == split], axis=0) for split in tests]
            )
            for member in teaching.members
        ]
    )
    said = P[0]
    if teaching.ensemble is not None:
        fold = np.repeat(np.arange(len(tests)), [len(own) for own in tests.values()])
        said = told_apart(P, fit.view.y[rows], fold, **teaching.ensemble.settings)
    soft = np.full((len(fit.view), said.shape[1]), np.nan)
    soft[rows] = said
    return soft[fit.train]
