"""Chance levels and bounds against exact results and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.metrics import METRICS
from eegvit.results.statistics.chance import chance_bound, chance_level


def test_chance_levels() -> None:
    assert chance_level([72] * 4, "accuracy") == 0.25
    assert chance_level([100, 500], "accuracy") == pytest.approx(5 / 6)
    assert chance_level([100, 500], "balanced_accuracy") == 0.5
    assert chance_level([72, 72, 0, 0], "balanced_accuracy") == 0.5
    assert chance_level([10, 10], "kappa") == 0.0
    assert chance_level([10, 10, 0], "log_loss") == pytest.approx(np.log(2))
    assert chance_level([10, 10, 0], "brier") == pytest.approx(0.5)
    assert np.isnan(chance_level([10, 10], "calibration_error"))


def test_accuracy_bound_is_binomial() -> None:
    assert chance_bound([[72] * 4], "accuracy") == stats.binom.ppf(0.95, 288, 0.25) / 288
    pooled = stats.binom.ppf(0.95, 288 * 9, 0.25) / (288 * 9)
    assert chance_bound([[72] * 4] * 9, "accuracy") == pytest.approx(pooled, abs=1.5e-3)


@pytest.mark.parametrize("metric", ["balanced_accuracy", "kappa", "macro_f1", "roc_auc"])
@pytest.mark.parametrize("counts", [[30, 30], [20, 100]])
def test_bounds_hold_for_guessers(metric: str, counts: list[int]) -> None:
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(2), counts)
    share = np.array(counts) / np.sum(counts)
    bound = chance_bound([counts, counts], metric)

    def guess() -> float:
        if metric == "roc_auc":
            second = rng.random(len(y))
        else:
            second = (rng.random(len(y)) < share[1]).astype(float)
        return METRICS[metric](y, np.stack([1 - second, second], 1))

    above = np.mean([np.mean([guess(), guess()]) > bound for _ in range(1500)])
    assert 0.02 < above < 0.08


def test_bound_narrows_with_subjects() -> None:
    for metric in ("accuracy", "kappa", "roc_auc", "balanced_accuracy"):
        one, many = chance_bound([[40, 40]], metric), chance_bound([[40, 40]] * 16, metric)
        level = chance_level([40, 40], metric)
        assert (many - level) == pytest.approx((one - level) / 4, rel=0.25), metric
