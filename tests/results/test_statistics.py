"""Chance bounds, intervals and tests against exact results and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.metrics import METRICS
from eegvit.results.statistics import (
    bootstrap_interval,
    chance_bound,
    chance_level,
    holm,
    sign_flip,
)


def test_chance_levels() -> None:
    assert chance_level([72] * 4, "accuracy") == 0.25
    assert chance_level([100, 500], "accuracy") == pytest.approx(5 / 6)
    assert chance_level([100, 500], "balanced_accuracy") == 0.5
    assert chance_level([72, 72, 0, 0], "balanced_accuracy") == 0.5
    assert chance_level([10, 10], "kappa") == 0.0
    assert chance_level([10, 10, 0], "log_loss") == pytest.approx(np.log(2))
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


def test_sign_flip_is_exact_and_symmetric() -> None:
    assert sign_flip([1.0, 2.0, 3.0]) == 2 / 8
    assert sign_flip([1.0, 2.0, -3.0]) == 1.0
    values = np.random.default_rng(0).normal(0.3, 1, 10)
    assert sign_flip(values) == sign_flip(-values)
    assert sign_flip([0.0, 0.0]) == 1.0
    many = np.random.default_rng(0).normal(0.3, 1, 25)
    assert sign_flip(many) == sign_flip(-many)


def test_sign_flip_on_many_subjects_agrees_with_t_test() -> None:
    for shift in (0.0, 0.3, 0.5):
        values = np.random.default_rng(3).normal(shift, 1, 40)
        assert sign_flip(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.015)


def test_winner_on_nearly_all_subjects_is_found() -> None:
    differences = np.r_[np.full(24, 0.03), -0.01]
    assert sign_flip(differences) < 0.001


@pytest.mark.parametrize("n_subjects", [7, 20])
def test_sign_flip_is_uniform_under_the_null(n_subjects: int) -> None:
    rng = np.random.default_rng(5)
    p = np.array([sign_flip(rng.normal(size=n_subjects)) for _ in range(400)])
    for level in (0.05, 0.1, 0.25, 0.5):
        rate = np.mean(p <= level)
        attainable = level if n_subjects > 14 else np.floor(level * 64) / 64
        assert abs(rate - attainable) < 3.5 * np.sqrt(level * (1 - level) / 400)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    p = np.random.default_rng(0).random(20) ** 3
    corrected = np.array(holm(p))
    order = np.argsort(p)
    assert np.all(np.diff(corrected[order]) >= 0)
    assert np.all(corrected >= p) and corrected[order[0]] == min(1.0, 20 * p.min())


def test_interval_is_deterministic_and_inside_the_data() -> None:
    values = [0.5, 0.6, 0.9, 0.7]
    assert bootstrap_interval(values) == bootstrap_interval(values)
    low, high = bootstrap_interval(values)
    assert 0.5 <= low < np.mean(values) < high <= 0.9
    assert np.isnan(bootstrap_interval([0.5])).all()


@pytest.mark.parametrize(("n_subjects", "least"), [(6, 0.91), (9, 0.93), (20, 0.93)])
def test_interval_covers(n_subjects: int, least: float) -> None:
    # six subjects fall short of 95 %, as the docstring says; a plain percentile gives 0.86
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(1000):
        low, high = bootstrap_interval(rng.beta(8, 4, n_subjects))
        hits += low <= 8 / 12 <= high
    assert least <= hits / 1000 <= 0.98
