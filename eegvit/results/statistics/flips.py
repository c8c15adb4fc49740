"""Paired tests over people, and their correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eegvit.results.statistics.intervals import N_DRAWS, of_one_length, parts, product

FloatArray = NDArray[np.float64]

N_EXACT = 30  # people up to which every sign pattern is counted
DIGITS = 12  # to which differences are rounded before they are ranked: ties stay ties


def paired(first: Mapping[str, float], second: Mapping[str, float]) -> list[float]:
    """Return first minus second of each subject that has both.

    Examples
    --------
    >>> paired({"1": 3.0, "2": 1.0, "3": 2.0}, {"2": 0.5, "1": 1.0, "3": float("nan")})
    [2.0, 0.5]
    """
    differences = [first[s] - second[s] for s in first if s in second]
    return [d for d in differences if not np.isnan(d)]


def sign_flip(differences: Sequence[float] | FloatArray) -> float:
    """Return the two-sided p-value of a mean difference over people.

    Under the null each person's difference is as likely to have either sign. Of up to
    `N_EXACT` people every pattern of signs is counted; of more, a fixed random draw of them.
    `scipy.stats.permutation_test` gives the same for whole numbers, but takes ties that rounding
    parts for differences, and tries patterns one by one: twenty people are out of its reach.

    Examples
    --------
    >>> sign_flip([0.02, 0.05, 0.01, 0.03, 0.04])  # 2 of 32 patterns are as extreme
    0.0625
    """
    return sign_flips([differences])[0]


def sign_flips(samples: Sequence[Sequence[float] | FloatArray]) -> list[float]:
    """Return the p-value of each of several samples: one product for all of as many people.

    Examples
    --------
    >>> sign_flips([[0.02, 0.05, 0.01, 0.03, 0.04], [0.3]])
    [0.0625, 1.0]
    """
    found = [float("nan")] * len(samples)
    for n_people, numbers in of_one_length(samples).items():
        if not n_people:
            continue
        values = np.stack([np.asarray(samples[number], np.float64) for number in numbers])
        many = n_people > N_EXACT
        told = _drawn_flips(values).tolist() if many else [_counted_flips(own) for own in values]
        for number, p in zip(numbers, told, strict=True):
            found[number] = p
    return found


def _drawn_flips(values: FloatArray) -> FloatArray:
    """Return the p-values of differences (samples, people) by a draw of patterns of signs."""
    sums = np.abs(product(_drawn_signs(values.shape[1]), values.T))  # (patterns, samples)
    return (sums >= _least(values)).mean(axis=0)


def _least(values: FloatArray) -> FloatArray:
    """Return what a sum of differences must reach to count as extreme as the observed one."""
    observed = np.abs(values.sum(axis=-1))
    return observed - 1e-12 * np.maximum(1.0, observed)


def _counted_flips(values: FloatArray) -> float:
    """Return the p-value of some differences by all patterns of signs."""
    n, least = len(values), _least(values)
    # every pattern is one of the first half beside one of the second: their sums are
    # counted in order instead of being added up one by one
    first, second = _sums(values[: n // 2]), np.sort(_sums(values[n // 2 :]))
    below = np.searchsorted(second, -least - first, side="right")
    above = len(second) - np.searchsorted(second, least - first, side="left")
    return min(1.0, float(np.sum(below + above)) / 2.0**n)


def wilcoxon(differences: Sequence[float] | FloatArray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed ranks of paired differences.

    Differences of zero are left out. Of up to `N_EXACT` people it is exact, ties included, which
    `scipy.stats.wilcoxon` is without ties only; of more it is SciPy's.

    Examples
    --------
    >>> wilcoxon([0.02, 0.05, 0.01, 0.03, 0.04])
    0.0625
    """
    values = np.round(np.asarray(differences, np.float64), DIGITS)
    values = values[values != 0]
    if len(differences) == 0:
        return float("nan")
    if len(values) == 0:
        return 1.0
    if len(values) > N_EXACT:
        return float(stats.wilcoxon(values).pvalue)
    return sign_flip(np.sign(values) * stats.rankdata(np.abs(values)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down rule.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def _sums(values: FloatArray) -> FloatArray:
    """Return the sums of these values under every pattern of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


@lru_cache(maxsize=4)
def _drawn_signs(n: int) -> NDArray[np.int8]:
    rng = np.random.default_rng(0)
    signs = np.empty((N_DRAWS, n), np.int8)
    for few in parts(N_DRAWS, n):
        signs[few] = rng.choice((1.0, -1.0), size=signs[few].shape)
    signs[0] = 1  # what was observed is one of the patterns
    return signs
