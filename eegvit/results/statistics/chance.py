"""What a guesser scores, and what he exceeds once in twenty studies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eegvit.results.metrics import OF_CONFUSION
from eegvit.results.statistics.intervals import LEVEL, N_DRAWS


def chance_level(counts: Sequence[int] | NDArray[np.int64], metric: str) -> float:
    """Return what a guesser who knows only the class frequencies scores on average.

    Parameters
    ----------
    counts : sequence of int
        Test trials of each class.
    metric : str
        For accuracy it is the share of the largest class, the best that a guesser can do;
        for log loss and Brier score what the class frequencies themselves have; for balanced
        accuracy and macro F1 it is found by guessing in proportion to the frequencies; nan for
        calibration error.

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
    if metric == "brier":
        return float(1.0 - (present**2).sum())
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
        Log loss, Brier score and calibration error have no such bound: nan.

    Examples
    --------
    >>> chance_bound([[50, 50]], "accuracy")
    0.58
    """
    return _bound(tuple(tuple(map(int, own)) for own in counts), metric)


@lru_cache(maxsize=256)  # models are tested on the same trials
def _bound(counts: tuple[tuple[int, ...], ...], metric: str) -> float:
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


def _binomial_bound(subjects: list[tuple[int, float]]) -> float:
    if len(subjects) == 1:
        n, chance = subjects[0]
        return float(stats.binom.ppf(LEVEL, n, chance) / n)
    rng = np.random.default_rng(0)
    total = np.zeros(N_DRAWS)
    for n, chance in subjects:
        total += rng.binomial(n, chance, size=N_DRAWS) / n
    return float(np.quantile(total / len(subjects), LEVEL))


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
