"""Chance levels and bounds against exact results and simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.metrics import METRICS
from eegvit.results.statistics.chance import _guesses, chance_bound, chance_level


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


@pytest.mark.parametrize("counts", [[4, 4], [2, 7]])
def test_area_spreads_as_over_all_orders_of_trials(counts: list[int]) -> None:
    n = sum(counts)
    y = [np.isin(np.arange(n), of_second) for of_second in combinations(range(n), counts[1])]
    scores = np.linspace(0.1, 0.9, n)
    areas = [METRICS["roc_auc"](one.astype(int), np.stack([1 - scores, scores], 1)) for one in y]
    bound = 0.5 + stats.norm.ppf(0.95) * np.std(areas)
    assert chance_bound([counts], "roc_auc") == pytest.approx(bound)
    assert chance_bound([[*counts, 0]] * 2, "roc_auc") == pytest.approx(
        0.5 + (bound - 0.5) / np.sqrt(2)
    )
    assert np.isnan(chance_bound([[n, 0]], "roc_auc"))


def test_guesses_keep_the_number_of_trials_of_each_class() -> None:
    drawn = _guesses(np.array([2, 30, 8]), np.random.default_rng(0))
    assert (drawn.sum(axis=2) == [2, 30, 8]).all()
    np.testing.assert_allclose(drawn.mean(axis=0).sum(axis=0), [2, 30, 8], atol=0.1)
