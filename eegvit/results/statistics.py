"""Chance, uncertainty and paired tests over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eegvit.results.metrics import OF_CONFUSION

FloatArray = NDArray[np.float64]

LEVEL = 0.95
N_DRAWS = 20_000
N_EXACT = 30  # people up to which every sign pattern is tried
FEWEST = 4  # people from which an interval is given


def chance_level(counts: Sequence[int] | NDArray[np.int64], metric: str) -> float:
    """Return what a guesser who knows only the class frequencies scores on average.

    Parameters
    ----------
    counts : sequence of int
        Test trials of each class.
    metric : str
        For accuracy it is the share of the largest class, the best that a guesser can do;
        for log loss the entropy of the class frequencies; for balanced accuracy and macro F1
        it is found by guessing in proportion to the frequencies; nan for calibration error.

    Examples
    --------
    >>> chance_level([50, 50], "accuracy"), chance_level([20, 100], "roc_auc")
    (0.5, 0.5)
    """
    share = np.asarray(counts, np.float64) / np.sum(counts)
    present = share[share > 0]
    if metric == "accuracy":
        return float(share.max())
    if metric == "log_loss":
        return float(-(present * np.log(present)).sum())
    if metric in ("balanced_accuracy", "macro_f1"):
        return 1.0 / len(present)
    return {"kappa": 0.0, "roc_auc": 0.5}.get(metric, float("nan"))


def chance_bound(counts: Sequence[Sequence[int]], metric: str) -> float:
    """Return what the mean over subjects of a guesser exceeds in one study of twenty.

    Parameters
    ----------
    counts : sequence of sequence of int
        Test trials of each class, for each subject.
    metric : str
        Accuracy is binomial: exact for one subject, drawn for the mean over several. ROC-AUC
        follows the Mann-Whitney variance. Kappa, balanced accuracy and macro F1 are drawn.
        Log loss and calibration error have no such bound: nan.

    Examples
    --------
    >>> chance_bound([[50, 50]], "accuracy")
    0.58
    """
    per_class = [np.asarray(c, np.int64) for c in counts]
    if metric == "accuracy":
        return _binomial_bound([(int(c.sum()), chance_level(c, metric)) for c in per_class])
    if metric == "roc_auc":
        spread = np.sqrt(np.sum([_area_sd(c) ** 2 for c in per_class])) / len(per_class)
        return float(0.5 + stats.norm.ppf(LEVEL) * spread)
    if metric in OF_CONFUSION:
        rng = np.random.default_rng(0)
        draws = np.mean([OF_CONFUSION[metric](_guesses(c, rng)) for c in per_class], axis=0)
        return float(np.quantile(draws, LEVEL))
    return float("nan")


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over subjects.

    A percentile bootstrap that resamples subjects, its percentiles widened for the number of
    subjects [1]_: without that, intervals from nine subjects cover about 89 %. With six
    subjects the widened ones still cover a little less than they say, about 92 %. Fewer than
    `FEWEST` people have none: it would be little else than their minimum and maximum.

    References
    ----------
    .. [1] Hesterberg, What teachers should know about the bootstrap, The American
       Statistician 69, 2015.

    Examples
    --------
    >>> low, high = bootstrap_interval([0.6, 0.7, 0.8, 0.9, 0.7, 0.6])
    >>> 0.6 <= low < 0.72 < high <= 0.9
    True
    """
    sample = np.asarray(values, np.float64)
    n = len(sample)
    if n < FEWEST:
        return float("nan"), float("nan")
    reach = np.sqrt(n / (n - 1)) * stats.t.ppf((1 + LEVEL) / 2, n - 1)
    found = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=N_DRAWS,
        confidence_level=1 - 2 * float(stats.norm.cdf(-reach)),
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def paired(first: Mapping[str, float], second: Mapping[str, float]) -> list[float]:
    """Return first minus second of each subject that has both.

    Examples
    --------
    >>> paired({"1": 3.0, "2": 1.0, "3": 2.0}, {"2": 0.5, "1": 1.0, "3": float("nan")})
    [2.0, 0.5]
    """
    differences = [first[s] - second[s] for s in first if s in second]
    return [d for d in differences if not np.isnan(d)]


def sign_flip(differences: Sequence[float]) -> float:
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


def _binomial_bound(subjects: list[tuple[int, float]]) -> float:
    if len(subjects) == 1:
        n, chance = subjects[0]
        return float(stats.binom.ppf(LEVEL, n, chance) / n)
    rng = np.random.default_rng(0)
    draws = [rng.binomial(n, chance, size=N_DRAWS) / n for n, chance in subjects]
    return float(np.quantile(np.mean(draws, axis=0), LEVEL))


def _guesses(per_class: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw confusion matrices (draws, true, predicted) of guessing by class frequency."""
    share = per_class / per_class.sum()
    rows = [rng.multinomial(n, share, size=N_DRAWS) for n in per_class]
    return np.stack(rows, axis=1)


def _area_sd(per_class: NDArray[np.int64]) -> float:
    """Spread of the ROC-AUC of random scores, as if the classes' areas moved together."""
    n = int(per_class.sum())
    inside = per_class[(per_class > 0) & (per_class < n)].astype(np.float64)
    if not len(inside):
        return float("nan")
    return float(np.mean(np.sqrt((n + 1) / (12.0 * inside * (n - inside)))))
