"""Inner splits: out-of-fold predictions of an outer split's training trials.

What is held out together, a person, a session or a stretch of one, is what the protocol tests
together, so that the fits of inner and outer splits can be shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Evaluate
from eegvit.ensemble.inner import Count, inner_folds
from eegvit.plan.splits.apart import separated
from eegvit.plan.splits.split import N_FOLDS, Split, calibrated, check, unique
from eegvit.views.view import DataView, Rows

LEARN_NOTHING = "rules vote, average and max, without calibrate and select, need no inner folds"


class Fitted(Protocol):
    """A split of a model, and the fit that serves it."""

    @property
    def model(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def key(self) -> str: ...


def inner_splits(
    view: DataView, evaluate: Evaluate, outer: Split, found: Sequence[Split]
) -> list[Split]:
    """Return splits within the training rows of one split of a protocol, each checked.

    Together they predict each training row once, but for labelled trials of the people tested:
    those train in every inner split, as they do in the outer one.

    Parameters
    ----------
    view : DataView
        The trials.
    evaluate : Evaluate
        The protocol and its settings.
    outer : Split
        One of its splits.
    found : sequence of Split
        All of them.
    """
    units = _units(view, evaluate, outer, found)
    tested = unique(units[outer.test])
    rest = [name for name in unique(units[outer.train]) if name not in tested]
    whole = len(rest) > 1
    if not whole and evaluate.protocol in ("within_session", "cross_session"):
        units = _stretches(view, outer.train[np.isin(units[outer.train], rest)], units)
        rest = [name for name in unique(units[outer.train]) if name not in tested]
    if len(rest) < 2:
        raise ValueError(
            f"split '{outer.name}' trains on {', '.join(rest)} alone, two or more are needed"
        )
    splits = []
    for names in _held_out(units, tested, rest, found):
        held = outer.train[np.isin(units[outer.train], names)]
        name = f"{outer.name}, {'+'.join(names)} held out"
        split = Split(name, np.setdiff1d(outer.train, held), held)
        if evaluate.calibrate is not None and whole:
            (split,) = calibrated(view, split, evaluate.calibrate)
        split = separated(view, split, evaluate.duplicates)
        check(view, split)
        splits.append(split)
    return splits


def count_fits(fitted: Iterable[Fitted]) -> Count:
    """Return how many fits there are, and how many if each outer split ran its own.

    Seeds that share a fit count once in both.
    """
    wanted = {(one.model, one.split, one.key) for one in fitted}
    return Count(len({key for _, _, key in wanted}), len(wanted))


def _units(
    view: DataView, evaluate: Evaluate, outer: Split, found: Sequence[Split]
) -> NDArray[np.str_]:
    """Return the name of what each row is held out with."""
    if evaluate.protocol == "within_session":
        units = np.full(len(view), "", dtype=object)
        for split in found:
            units[split.test] = split.name
        return units.astype(np.str_)
    if evaluate.protocol == "cross_session":
        return np.char.add(np.char.add(view.subject, " session "), view.session)
    several = len(unique(view.data[outer.train])) > 1
    if evaluate.protocol == "cross_dataset" and several and evaluate.calibrate is None:
        return view.data
    return view.subject


def _stretches(view: DataView, rows: Rows, units: NDArray[np.str_]) -> NDArray[np.str_]:
    """Name stretches of every class's trials in time order, where one recording is all there is."""
    named = units.astype(object)
    for code in range(len(view.classes)):
        own = rows[view.y[rows] == code]
        for number, stretch in enumerate(np.array_split(own, N_FOLDS), 1):
            named[stretch] = f"stretch {number}"
    return named.astype(np.str_)


def _held_out(
    units: NDArray[np.str_], tested: Sequence[str], rest: Sequence[str], found: Sequence[Split]
) -> Iterator[list[str]]:
    """Yield who or what is held out together, in order."""
    known = {*tested, *rest}
    groups = dict.fromkeys(tuple(unique(units[split.test])) for split in found)
    tests = [group for group in groups if known.issuperset(group)]
    together = [group for group in tests if not set(group) & set(tested)]
    if len(together) == 1 and set(together[0]) == set(rest):  # one group: its parts one by one
        tests = [tuple(tested)]
    for fold in inner_folds(tested, tests, [*tested, *rest]):
        yield [name for name in rest if name in fold.predicted]
