"""Ranks of models over people: intervals, what joins rows, and the critical difference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eegvit.results.statistics.intervals import FEWEST, LEVEL, drawn_means, tails

FloatArray = NDArray[np.float64]
NAN = float("nan")


def rank_intervals(scores: FloatArray) -> list[tuple[int, int]] | None:
    """Return the 95 % interval of each model's rank by its mean over people.

    Parameters
    ----------
    scores : array, shape (people, models)
        Higher is better.

    Returns
    -------
    list of tuple or None
        Lowest and highest rank of each; None for fewer than `FEWEST` people.

    Examples
    --------
    >>> rank_intervals(
    ...     np.array([[0.9, 0.5, 0.6], [0.8, 0.6, 0.5], [0.9, 0.5, 0.5], [0.9, 0.6, 0.6]])
    ... )
    [(1, 1), (2, 3), (2, 3)]
    """
    n_people = len(scores)
    if n_people < FEWEST:
        return None
    means = np.round(drawn_means(scores), 12)  # (draws, models)
    ranks = stats.rankdata(-means, method="min", axis=1)
    low, high = tails(n_people)
    lowest = np.quantile(ranks, low, axis=0, method="lower")
    highest = np.quantile(ranks, high, axis=0, method="higher")
    return [(int(a), int(b)) for a, b in zip(lowest, highest, strict=True)]


def joined(n: int, different: Collection[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the largest sets of n rows within which no two are different.

    Rows that share a set cannot be told apart; rows that share none can [1]_. The sets are the
    largest cliques of rows that are alike, found by growing them from a pivot [2]_.

    References
    ----------
    .. [1] Piepho, An algorithm for a letter-based representation of all-pairwise comparisons,
       Journal of Computational and Graphical Statistics 13, 2004.
    .. [2] Tomita, Tanaka and Takahashi, The worst-case time complexity for generating all maximal
       cliques, Theoretical Computer Science 363, 2006.

    Examples
    --------
    >>> joined(3, {(0, 2)})
    [(0, 1), (1, 2)]
    """
    alike = [set(range(n)) - {row} for row in range(n)]
    for one, other in different:
        alike[one].discard(other)
        alike[other].discard(one)
    found: list[tuple[int, ...]] = []

    def grow(group: tuple[int, ...], more: set[int], seen: set[int]) -> None:
        """Add every largest set that holds the group, others of `more` and none of `seen`."""
        if not more and not seen:
            found.append(tuple(sorted(group)))
        elif more:
            pivot = max(more | seen, key=lambda row: len(more & alike[row]))
            for row in sorted(more - alike[pivot]):
                grow((*group, row), more & alike[row], seen & alike[row])
                more, seen = more - {row}, seen | {row}

    if n:
        grow((), set(range(n)), set())
    return sorted(found)


def letter(number: int) -> str:
    """Return the name of a set of rows: a to z, then aa, ab ...

    Examples
    --------
    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    before, place = divmod(number, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + place)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test of mean ranks, and how far two must be apart by Nemenyi's.

    Parameters
    ----------
    mean_ranks : tuple of float
        Mean over people of each model's rank; 1 is the best, ties share the mean of theirs.
    p : float
        That all models are the same.
    critical : float
        Difference of two mean ranks from which on the two differ, at 5 % for all pairs.
    n_people : int
        People over whom the ranks are averaged.
    """

    mean_ranks: tuple[float, ...]
    p: float
    critical: float
    n_people: int

    def bars(self) -> list[tuple[float, float]]:
        """Return the ranges of mean ranks whose models are not told apart, longest ones only."""
        known = sorted(self.mean_ranks)
        ends = [max(r for r in known if r - first <= self.critical) for first in known]
        found = list(dict.fromkeys(zip(known, ends, strict=True)))
        longest = found[:1] + [b for a, b in pairwise(found) if b[1] > a[1]]
        return [(first, last) for first, last in longest if last > first]


def friedman(scores: FloatArray) -> Friedman | None:
    """Return Friedman's test of scores (people, models); None for too few of either.

    Examples
    --------
    >>> found = friedman(
    ...     np.array([[0.9, 0.5, 0.6], [0.8, 0.6, 0.5], [0.9, 0.4, 0.5], [0.9, 0.5, 0.6]])
    ... )
    >>> found.mean_ranks, round(found.critical, 2)
    ((1.0, 2.75, 2.25), 1.66)
    """
    n_people, n_models = scores.shape
    if n_people < FEWEST or n_models < 3:
        return None
    rounded = np.round(scores, 12)
    ranks = stats.rankdata(-rounded, axis=1).mean(axis=0)
    differ = bool((rounded != rounded[:, :1]).any())
    p = float(stats.friedmanchisquare(*rounded.T).pvalue) if differ else 1.0
    critical = _range(n_models) * np.sqrt(n_models * (n_models + 1) / (12 * n_people))
    return Friedman(tuple(map(float, ranks)), p, float(critical), n_people)


@cache
def _range(n_models: int) -> float:
    return float(stats.studentized_range.ppf(LEVEL, n_models, np.inf))
