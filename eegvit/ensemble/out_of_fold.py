"""Predictions out-of-fold: by copies of a classifier that were fitted on other people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedKFold

from eegvit.branches.base import about, probabilities, refuse_other_data
from eegvit.ensemble.probabilities import CodeArray, FloatArray
from eegvit.features.plain import Classifier
from eegvit.preprocess.signals import Signals

Rows = NDArray[np.int64]

N_BLOCKS = 5  # of trials, where people are not known


def out_of_fold(
    model: Classifier,
    X: Signals,
    y: CodeArray,
    people: NDArray[Any] | None = None,
    n_folds: int | None = None,
    sfreq: float | None = None,
    ch_names: Sequence[str] | None = None,
) -> FloatArray:
    """Return what copies of a classifier tell of trials that they were not fitted on.

    Parameters
    ----------
    model : Classifier
        It stays as it is.
    X : array, shape (n, channels, times)
    y : array of int, shape (n,)
        Class codes 0, 1, ...
    people, n_folds
        As for `folds`.
    sfreq, ch_names
        Filled in where the model needs them and does not say them.

    Returns
    -------
    array, shape (n, classes)

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> y, people = np.array([0, 1, 1, 0, 0, 1]), np.array(list("aaabbb"))
    >>> out_of_fold(DummyClassifier(), np.zeros((6, 1, 4)), y, people)[[0, 5]].round(2).tolist()
    [[0.67, 0.33], [0.33, 0.67]]
    """
    told = np.full((len(y), int(y.max()) + 1), np.nan)
    for train, test in folds(y, people, n_folds):
        if len(np.unique(y[train])) < 2:
            raise ValueError(
                f"{type(model).__name__} is to predict {len(test)} trials held out, but all other"
                " training trials are of one class"
            )
        own = None if people is None else people[train]
        fitted = fitted_on(model, X[train], y[train], own, sfreq, ch_names)
        told[test] = columns(fitted, X[test], told.shape[1])
    return told


def fitted_on(
    model: Classifier,
    X: Signals,
    y: CodeArray,
    people: NDArray[Any] | None,
    sfreq: float | None,
    ch_names: Sequence[str] | None,
) -> Classifier:
    """Return a fitted copy of a classifier, told what is known of people and the recording.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> y = np.array([0, 1, 1])
    >>> fitted_on(DummyClassifier(), np.zeros((3, 1, 4)), y, None, 128.0, None).classes_
    array([0, 1])
    """
    copy: Classifier = clone(model)
    if about(copy).uses_of_session():
        raise ValueError(
            f"{type(copy).__name__} sees each session by itself, and which trials are of one is not"
            " known here: put it together from predictions, as `ensembles` of a study does"
        )
    refuse_other_data(copy, sfreq, ch_names)
    known = {"sfreq": sfreq, "ch_names": ch_names}
    unset = {
        key: known[last]
        for key, value in copy.get_params().items()
        if value is None and (last := key.rpartition("__")[2]) in known
    }
    copy.set_params(**unset)
    takes_groups = people is not None and "groups" in about(copy).fit_takes()
    fitted: Classifier = copy.fit(X, y, **({"groups": people} if takes_groups else {}))
    return fitted


def columns(model: Classifier, X: Signals, n_classes: int) -> FloatArray:
    """Return a model's probabilities, none for class codes that it never saw.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> columns(DummyClassifier().fit([[0], [0]], [0, 2]), np.zeros((1, 1)), 3).tolist()
    [[0.5, 0.0, 0.5]]
    """
    told = np.zeros((len(X), n_classes))
    told[:, np.asarray(model.classes_, np.int64)] = probabilities(model, X)
    return told


def folds(
    y: CodeArray, people: NDArray[Any] | None, n_folds: int | None
) -> Iterator[tuple[Rows, Rows]]:
    """Yield training and held-out rows: over people, or over blocks of trials if unknown.

    Examples
    --------
    >>> people = np.array(["a", "a", "b", "b", "c", "c"])
    >>> [test.tolist() for _, test in folds(np.array([0, 1] * 3), people, None)]
    [[0, 1], [2, 3], [4, 5]]
    >>> [test.tolist() for _, test in folds(np.array([0, 1] * 3), None, 3)]
    [[0, 1], [2, 3], [4, 5]]
    """
    n_people = 0 if people is None else len(np.unique(people))
    if n_people < 2:
        n_rarest = int(np.unique(y, return_counts=True)[1].min())
        n_blocks = max(2, min(N_BLOCKS, n_rarest)) if n_folds is None else n_folds
        yield from StratifiedKFold(n_blocks).split(y, y)
    elif n_folds is None:
        yield from LeaveOneGroupOut().split(y, y, people)
    else:
        yield from GroupKFold(min(n_folds, n_people)).split(y, y, people)
