"""The protocols: which trials train, which are tested, and what a model sees of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Evaluate
from eegvit.plan.splits.apart import apart
from eegvit.plan.splits.split import N_FOLDS, Split, calibrated, check, unique
from eegvit.plan.splits.two_sides import refuse_later_training, two_sides
from eegvit.plan.target import of_target
from eegvit.views.view import DataView, Rows

SETTINGS = {
    "within_session": {"n_folds"},
    "cross_session": {"train_sessions", "test_sessions", "calibrate"},
    "cross_subject": {"n_folds", "train_subjects", "test_subjects", "calibrate"},
    "cross_dataset": {"train_data", "test_data", "calibrate"},
}


def splits(view: DataView, evaluate: Evaluate) -> list[Split]:
    """Return the splits of a protocol, each checked, training and test apart.

    Parameters
    ----------
    view : DataView
        The trials.
    evaluate : Evaluate
        The protocol and its settings.
    """
    _check_settings(evaluate)
    one_by_one = {"calibrate": of_target(evaluate)}
    found = list(PROTOCOLS[evaluate.protocol](view, evaluate.model_copy(update=one_by_one)))
    if evaluate.calibrate is not None:
        found = [part for split in found for part in calibrated(view, split, evaluate.calibrate)]
    found = apart(view, found, evaluate.duplicates)
    for split in found:
        check(view, split)
    return found


def _within_session(view: DataView, evaluate: Evaluate) -> Iterator[Split]:
    """Blocked folds in time order, class by class: neighbours are on both sides at seams only.

    Each fold tests a stretch of every class's trials, so that a recording whose runs hold
    different classes is not tested on classes that its training trials hardly have.
    """
    n_folds = evaluate.n_folds or N_FOLDS
    for number, block in enumerate(view.blocks):
        rows = np.arange(view.starts[number], view.starts[number + 1])
        place = f"{block.subject}/{block.session}"
        if len(rows) < n_folds:
            raise ValueError(f"session {place} has {len(rows)} trials, too few for {n_folds} folds")
        of_class = [rows[view.y[rows] == code] for code in range(len(view.classes))]
        stretches = [np.array_split(own, n_folds) for own in of_class if len(own)]
        for fold in range(n_folds):
            test = np.sort(np.concatenate([stretch[fold] for stretch in stretches]))
            yield Split(f"{place} fold {fold + 1}", np.setdiff1d(rows, test), test)


def _cross_session(view: DataView, evaluate: Evaluate) -> Iterator[Split]:
    """Each session after training on the same person's earlier ones, or the sessions named."""
    explicit = evaluate.train_sessions is not None or evaluate.test_sessions is not None
    for subject in unique(view.subject):
        own = np.flatnonzero(view.subject == subject)
        sessions = unique(view.session[own])
        if len(sessions) < 2:
            raise ValueError(
                f"cross_session needs two sessions or more, subject {subject} has {len(sessions)}"
                f" ({', '.join(sessions)}); leave this subject out of the data's `subjects`"
            )
        if explicit:
            sides = two_sides(
                sessions,
                evaluate.train_sessions,
                evaluate.test_sessions,
                f"session of subject {subject}",
            )
            refuse_later_training(sessions, *sides, subject)
            parts = [sides] if evaluate.calibrate is None else [(sides[0], [t]) for t in sides[1]]
        else:
            parts = [(sessions[:i], [sessions[i]]) for i in range(1, len(sessions))]
        for train, test in parts:
            yield Split(
                f"{subject} session {'+'.join(test)}",
                own[np.isin(view.session[own], train)],
                own[np.isin(view.session[own], test)],
            )


def _cross_subject(view: DataView, evaluate: Evaluate) -> Iterator[Split]:
    """Leave one person out, or groups of people, or the people named."""
    subjects = unique(view.subject)
    if len(subjects) < 2:
        raise ValueError(f"cross_subject needs two subjects or more, the data have {len(subjects)}")
    train, test = subjects, subjects
    explicit = evaluate.train_subjects is not None or evaluate.test_subjects is not None
    if explicit:
        if evaluate.n_folds is not None:
            raise ValueError("evaluate: n_folds and a list of subjects exclude each other")
        train, test = two_sides(
            subjects, evaluate.train_subjects, evaluate.test_subjects, "subject"
        )
    if explicit and evaluate.calibrate is None:
        groups = [test]
    elif evaluate.n_folds is None or evaluate.calibrate is not None:
        groups = [[subject] for subject in test]
    else:
        if evaluate.n_folds > len(subjects):
            raise ValueError(f"{evaluate.n_folds} folds for {len(subjects)} subjects: too many")
        groups = [part.tolist() for part in np.array_split(np.array(subjects), evaluate.n_folds)]
    for group in groups:
        trained = train if explicit else [s for s in train if s not in group]
        name = f"{'+'.join(group)} left out"
        yield Split(name, _rows(view.subject, trained), _rows(view.subject, group))


def _cross_dataset(view: DataView, evaluate: Evaluate) -> Iterator[Split]:
    """Leave one data set out, or the data sets named."""
    names = unique(view.data)
    if len(names) < 2:
        raise ValueError(f"cross_dataset needs two data sets or more, there is {names[0]} only")
    if evaluate.train_data is not None or evaluate.test_data is not None:
        parts = [two_sides(names, evaluate.train_data, evaluate.test_data, "data set")]
    else:
        parts = [([n for n in names if n != name], [name]) for name in names]
    for train, test in parts:
        trained, tested = _rows(view.data, train), _rows(view.data, test)
        if evaluate.calibrate is None:
            yield Split(f"{'+'.join(test)} left out", trained, tested)
            continue
        for subject in unique(view.subject[tested]):
            yield Split(f"{subject} left out", trained, _rows(view.subject, [subject]))


PROTOCOLS: dict[str, Callable[[DataView, Evaluate], Iterator[Split]]] = {
    "within_session": _within_session,
    "cross_session": _cross_session,
    "cross_subject": _cross_subject,
    "cross_dataset": _cross_dataset,
}


def _check_settings(evaluate: Evaluate) -> None:
    known = set().union(*SETTINGS.values())
    for name in sorted(known - SETTINGS[evaluate.protocol]):
        if getattr(evaluate, name) is not None:
            takers = " and ".join(p for p, settings in SETTINGS.items() if name in settings)
            raise ValueError(
                f"evaluate.{name} means nothing for protocol {evaluate.protocol}:"
                f" it belongs to {takers}"
            )


def _rows(column: NDArray[np.str_], names: Sequence[str]) -> Rows:
    return np.flatnonzero(np.isin(column, names))
