"""Paired tests over people, and their correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eegvit.results.statistics.intervals import N_DRAWS

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
    values = np.asarray(differences, np.float64)
    n = len(values)
    if n == 0:
        return float("nan")
    observed = abs(values.sum())
    least = observed - 1e-12 * max(1.0, observed)
    if n > N_EXACT:
        return float(np.mean(np.abs(_drawn_signs(n) @ values) >= least))
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


@cache
def _drawn_signs(n: int) -> FloatArray:
    signs = np.random.default_rng(0).choice((1.0, -1.0), size=(N_DRAWS, n))
    signs[0] = 1.0  # what was observed is one of the patterns
    return signs
