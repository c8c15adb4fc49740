"""Features that learn from labels, for training a model that will use them on new trials.

A trial that took part in learning its own features looks easier than any new trial will. So
the features of training trials are learned from other people's trials.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import GroupKFold, StratifiedKFold

Array = NDArray[np.float64]
FOLDS = 5


class Standardised(TransformerMixin, BaseEstimator):
    """Features from some steps, each with mean 0 and deviation 1 over the trials fitted on.

    Parameters
    ----------
    steps : transformer
        Makes features of any shape (n, ...).

    Examples
    --------
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> X = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> Standardised(FunctionTransformer()).fit(X, None).transform(X).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    def __init__(self, steps: Any) -> None:
        self.steps = steps

    def fit(self, X: NDArray[Any], y: ArrayLike | None) -> Self:
        """Fit the steps, then mean and deviation of what they make of the same trials."""
        self.steps_ = clone(self.steps).fit(X, y)
        made = np.asarray(self.steps_.transform(X), dtype=np.float64)
        self.mean_, self.deviation_ = made.mean(axis=0), made.std(axis=0)
        self.deviation_[self.deviation_ <= 1e-9 * np.abs(self.mean_)] = 1.0
        return self

    def transform(self, X: NDArray[Any]) -> Array:
        """Map trials to features (n, ...)."""
        made = np.asarray(self.steps_.transform(X), dtype=np.float64)
        told: Array = (made - self.mean_) / self.deviation_
        return told


def cross_fitted(
    steps: Any, X: NDArray[Any], y: NDArray[np.int64], groups: ArrayLike | None = None
) -> tuple[Array, Standardised]:
    """Return the features of training trials, and what makes those of new trials.

    The features of a trial, and their mean and deviation, are learned from other folds of up to
    five, in which nobody's trials are torn apart. New trials are mapped by what is learned
    from all trials. So both are features of trials that their steps have not seen.

    Parameters
    ----------
    steps : transformer
        Makes features (n, ...) of trials; features of different fits must mean the same, as
        those of spatial filters in the order of their eigenvalues do.
    X : array, shape (n, ...)
    y : array of int64
    groups : array or None
        The person of each trial. With fewer than two, folds are stretches of each class's
        trials.

    Examples
    --------
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((60, 40)), np.arange(60) % 2
    >>> features, steps = cross_fitted(LinearDiscriminantAnalysis(), X, y)
    >>> seen, unseen = steps.transform(X)[:, 0], features[:, 0]
    >>> bool(np.corrcoef(seen, y)[0, 1] > 0.8 > 0.4 > np.corrcoef(unseen, y)[0, 1])
    True
    """
    made: Array | None = None
    for others, own in folds(y, groups):
        told = Standardised(steps).fit(X[others], y[others]).transform(X[own])
        if made is None:
            made = np.empty((len(X), *told.shape[1:]))
        made[own] = told
    assert made is not None
    return made, Standardised(steps).fit(X, y)


def folds(
    y: NDArray[np.int64], groups: ArrayLike | None = None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (other trials, own trials) of each fold.

    Examples
    --------
    >>> y, people = np.array([0, 1] * 4), list("aabbccdd")
    >>> sorted(own.tolist() for _, own in folds(y, people))
    [[0, 1], [2, 3], [4, 5], [6, 7]]
    >>> [own.tolist() for _, own in folds(y)]
    [[0, 1], [2, 3], [4, 5], [6, 7]]
    """
    people = np.zeros(len(y), dtype=int) if groups is None else np.asarray(groups)
    if people.shape != y.shape:
        raise ValueError(f"groups has shape {people.shape} for {len(y)} trials")
    n_people = len(np.unique(people))
    if n_people > 1:
        found = list(GroupKFold(min(FOLDS, n_people)).split(y, y, people))
    else:
        n_least = int(np.bincount(y)[np.unique(y)].min())
        if n_least < 2:
            raise ValueError("features are cross-fitted: each class needs two trials or more")
        found = list(StratifiedKFold(min(FOLDS, n_least)).split(y, y))
    for others, own in found:
        missing = np.setdiff1d(y, y[others])
        if len(missing):
            raise ValueError(
                f"features are cross-fitted, but every trial of class number {missing[0]} is in"
                f" one fold, of people {', '.join(map(str, np.unique(people[own])))}:"
                " give more people or no groups"
            )
    return found
