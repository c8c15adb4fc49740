"""The fits inside each outer fold that give out-of-fold predictions, each of them once.

An outer fold tests some people. Its members' out-of-fold predictions come from inner folds over
the other people: each inner fold leaves out the people tested and some more. The fit that
leaves out {a, b} serves two outer folds: for the one that tests a it predicts b, and for the
one that tests b it predicts a. A fit is known by the people it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.ensemble.probabilities import FloatArray

People = frozenset[str]


@dataclass(frozen=True)
class InnerFold:
    """A fit that leaves out the people tested and those that it predicts out-of-fold."""

    tested: People
    predicted: People

    @property
    def left_out(self) -> People:
        """All people that the fit must not see."""
        return self.tested | self.predicted


@dataclass(frozen=True)
class Count:
    """How many fits a study runs if each is run once, and if each outer fold runs its own."""

    distinct: int
    naive: int

    @property
    def ratio(self) -> float:
        """Distinct fits as a share of the naive count."""
        return self.distinct / self.naive


def inner_folds(
    tested: Collection[str], tests: Sequence[Collection[str]], subjects: Sequence[str]
) -> list[InnerFold]:
    """Return the inner folds of one outer fold.

    People who are tested together in another outer fold are left out together, so that the fits
    can be shared; everybody else is left out alone.

    Parameters
    ----------
    tested : collection of str
        The people whom the outer fold tests.
    tests : sequence of collections of str
        The people whom each outer fold tests.
    subjects : sequence of str
        All people who are trained on or tested.

    Examples
    --------
    >>> [sorted(f.left_out) for f in inner_folds("a", ["a", "b", "c"], ["a", "b", "c"])]
    [['a', 'b'], ['a', 'c']]
    """
    _check(tests, subjects)
    together = {name: frozenset(group) for group in tests for name in group}
    own = frozenset(tested)
    rest = [name for name in subjects if name not in own]
    groups = dict.fromkeys(together.get(name, frozenset([name])) for name in rest)
    if len(groups) < 2:
        raise ValueError(
            f"with {', '.join(sorted(own))} tested, {len(groups)} group of people is left:"
            " out-of-fold predictions need two or more"
        )
    return [InnerFold(own, group) for group in groups]


def fits_needed(tests: Sequence[Collection[str]], subjects: Sequence[str]) -> list[People]:
    """Return the people whom each distinct fit leaves out: outer fits first, then inner ones.

    Every fit has to predict all the people that it leaves out.

    Examples
    --------
    >>> [sorted(left_out) for left_out in fits_needed(["a", "b", "c"], ["a", "b", "c"])]
    [['a'], ['b'], ['c'], ['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    return list(dict.fromkeys(_all_fits(tests, subjects)))


def count_fits(
    tests: Sequence[Collection[str]], subjects: Sequence[str], n_members: int = 1
) -> Count:
    """Return how many fits some members need.

    Leaving out each of n people in turn, that is n (n + 1) / 2 a member instead of n².

    Examples
    --------
    >>> count_fits("abcdef", list("abcdef"), n_members=5)
    Count(distinct=105, naive=180)
    """
    fits = _all_fits(tests, subjects)
    return Count(n_members * len(set(fits)), n_members * len(fits))


def out_of_fold(
    folds: Sequence[InnerFold],
    subject: ArrayLike,
    told: Callable[[People, NDArray[np.int64]], FloatArray],
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the training rows of an outer fold and their out-of-fold probabilities.

    Parameters
    ----------
    folds : sequence of InnerFold
        Those of one outer fold.
    subject : array, shape (trials,)
        Whose trial each row is.
    told : callable
        Given the people whom a fit leaves out and some rows, what the fit predicts for them,
        shape (rows, classes).

    Examples
    --------
    >>> folds = inner_folds("a", "abc", list("abc"))
    >>> rows, P = out_of_fold(folds, list("aabbc"), lambda _, rows: np.full((len(rows), 2), 0.5))
    >>> rows.tolist(), P.shape
    ([2, 3, 4], (3, 2))
    """
    names = np.asarray(subject)
    parts = [np.flatnonzero(np.isin(names, sorted(fold.predicted))) for fold in folds]
    for fold, rows in zip(folds, parts, strict=True):
        if not len(rows):
            raise ValueError(f"no trials of {', '.join(sorted(fold.predicted))}")
    predicted = [told(fold.left_out, rows) for fold, rows in zip(folds, parts, strict=True)]
    rows = np.concatenate(parts)
    order = np.argsort(rows)
    return rows[order], np.concatenate(predicted)[order]


def _all_fits(tests: Sequence[Collection[str]], subjects: Sequence[str]) -> list[People]:
    outer = [frozenset(tested) for tested in tests]
    inner = [fold.left_out for own in outer for fold in inner_folds(own, tests, subjects)]
    return outer + inner


def _check(tests: Sequence[Collection[str]], subjects: Sequence[str]) -> None:
    if len(set(subjects)) != len(subjects):
        raise ValueError("a subject is named twice")
    named = [name for group in tests for name in group]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ValueError(f"subject {twice[0]} is tested in more than one outer fold")
    unknown = sorted(set(named) - set(subjects))
    if unknown:
        raise ValueError(f"subject {unknown[0]} is tested but not among the subjects")
