"""Training apart from what is tested: no trial of a recording on both sides of a split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from eegvit.plan.splits.split import Split
from eegvit.views.kinship import overlapping_rows, same_recording
from eegvit.views.view import DataView, Rows

How = Literal["stop", "warn", "drop"]
SHOWN = 3  # pairs in a message


def apart(view: DataView, found: Sequence[Split], how: How) -> list[Split]:
    """Return the splits of a protocol, each apart, no recording tested under two names.

    Copies of what is tested stop the study, or they are told, or left out of training; of a
    recording that is tested under two names, the second is then left out of the test. Trials
    that overlap a tested one in time are always left out of training, and that is told.

    Parameters
    ----------
    view : DataView
    found : sequence of Split
    how : {"stop", "warn", "drop"}
        What to do with copies.
    """
    made = [separated(view, split, how) for split in found]
    _tell_overlaps(view, found)
    tested = np.unique(np.concatenate([split.test for split in made]))
    twice = same_recording(view, tested, tested)
    twice = twice[
        (twice[:, 0] < twice[:, 1]) & (view.block[twice[:, 0]] != view.block[twice[:, 1]])
    ]
    again = np.unique(twice[:, 1])
    if len(again) and how == "stop":
        raise ValueError(
            f"{_number(len(again))} tested twice, under two names: {_shown(view, twice)}. {_DO}"
        )
    crossing = [same_recording(view, split.train, split.test) for split in found]
    pairs = np.concatenate([*crossing, twice])
    if len(pairs):
        done = "left out of training, or of the test the second time" if how == "drop" else "kept"
        warnings.warn(
            f"evaluate.duplicates: {how}: {_number(len(np.unique(pairs)))} in the data under two"
            f" names and {done}: {_shown(view, pairs)}",
            stacklevel=2,
        )
    if how == "drop" and len(again):
        kept = [replace(split, test=np.setdiff1d(split.test, again)) for split in made]
        made = [split for split in kept if len(split.test)]
    return made


def separated(view: DataView, split: Split, how: How) -> Split:
    """Return a split that trains on nothing that shares samples with what it tests.

    Parameters
    ----------
    view : DataView
    split : Split
    how : {"stop", "warn", "drop"}
        What to do with copies.
    """
    train = np.setdiff1d(split.train, overlapping_rows(view, split.test))
    pairs = same_recording(view, train, split.test)
    if len(pairs) and how == "stop":
        raise ValueError(
            f"split '{split.name}': {_number(len(np.unique(pairs[:, 1])))} tested although the"
            f" same stretch of a recording is trained on: {_shown(view, pairs)}. {_DO}"
        )
    if how == "drop":
        train = np.setdiff1d(train, pairs[:, 0])
    return replace(split, train=train)


def uses_copies(view: DataView, found: Sequence[Split]) -> bool:
    """Say whether any split trains on copies of what it tests."""
    return any(len(same_recording(view, split.train, split.test)) for split in found)


_DO = (
    "A recording is there under two names, in whole or in part, as it is or changed: remove one,"
    " or set `evaluate: {duplicates: drop}`, which leaves the copies out"
)


def _tell_overlaps(view: DataView, found: Sequence[Split]) -> None:
    """Warn of training trials that overlap tested ones and are left out."""
    lost: dict[str, Rows] = {}
    for split in found:
        rows = np.intersect1d(split.train, overlapping_rows(view, split.test))
        if len(rows):
            lost[split.name] = rows
    if not lost:
        return
    worst = max(lost, key=lambda name: len(lost[name]))
    n_training = {split.name: len(split.train) for split in found}
    warnings.warn(
        f"trials last {view.n_times / view.sfreq:g} s, longer than from one to the next:"
        f" {len(np.unique(view.kin.overlaps))} of {len(view)} share samples with another. In"
        f" {len(lost)} of {len(found)} splits those that overlap a tested one are left out of"
        f" training, e.g. {len(lost[worst])} of {n_training[worst]} in '{worst}'",
        stacklevel=3,
    )


def _number(n: int) -> str:
    return "1 trial is" if n == 1 else f"{n} trials are"


def _shown(view: DataView, pairs: Rows) -> str:
    """Return some pairs by name."""
    once = pairs[np.unique(pairs[:, 1], return_index=True)[1]]
    names = "; ".join(f"{view.ids[one]} and {view.ids[other]}" for one, other in once[:SHOWN])
    more = " ..." if len(once) > SHOWN else ""
    return f"{names}{more} (subject/session/run/index)"
