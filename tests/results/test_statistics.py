"""Chance bounds, intervals and tests against exact results and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.metrics import METRICS
from eegvit.results.statistics import (
    FEWEST,
    N_DRAWS,
    N_EXACT,
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
    assert sign_flip([0.3]) == 1.0
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


@pytest.mark.parametrize("n_people", range(2, 11))
def test_sign_flip_is_that_of_scipy_ties_included(n_people: int) -> None:
    """SciPy is given whole numbers: of twelfths it takes some ties for differences."""
    rng = np.random.default_rng(n_people)
    scores = rng.integers(0, 13, (12, n_people)) - rng.integers(0, 13, (12, n_people))
    for differences in [*scores, *rng.normal(0.3, 1, (3, n_people)), np.zeros(n_people)]:
        reference = stats.permutation_test(
            (differences,), np.sum, permutation_type="samples", n_resamples=np.inf
        )
        assert sign_flip(differences / 12) == pytest.approx(reference.pvalue, abs=1e-12)


def test_sign_flip_is_the_wilcoxon_of_ranks() -> None:
    differences = np.random.default_rng(2).normal(0.4, 1, 12)
    ranks = np.sign(differences) * stats.rankdata(np.abs(differences))
    exact = stats.wilcoxon(differences, method="exact").pvalue
    assert sign_flip(ranks) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("n_people", [17, N_EXACT])
def test_every_pattern_of_many_people_is_counted(n_people: int) -> None:
    """Ones: how often so many heads or more, or tails, fall is known."""
    for n_minus in (0, 3, 5):
        differences = np.r_[np.full(n_minus, -1.0), np.ones(n_people - n_minus)]
        expected = min(1.0, 2 * stats.binom.cdf(n_minus, n_people, 0.5))
        assert sign_flip(differences) == pytest.approx(expected, rel=1e-9)


def test_a_winner_on_24_of_25_people_is_called_so_in_both_orders() -> None:
    differences = np.r_[np.full(24, 0.03), -0.01]
    assert sign_flip(differences) == sign_flip(-differences) == 4 / 2**25


def test_more_people_are_drawn_and_agree_with_scipy() -> None:
    differences = np.random.default_rng(4).normal(0.25, 1, N_EXACT + 10)
    reference = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=N_DRAWS,
        rng=np.random.default_rng(1),
    )
    assert sign_flip(differences) == pytest.approx(reference.pvalue, abs=0.006)


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
    assert 0.5 <= low < np.mean(values) < high <= 0.9 + 1e-12
    assert np.isnan(bootstrap_interval([0.5])).all()


@pytest.mark.parametrize("n_people", [FEWEST, 6, 25])
def test_interval_is_a_percentile_bootstrap_with_wider_percentiles(n_people: int) -> None:
    values = np.round(np.random.default_rng(n_people).beta(8, 4, n_people), 2)
    who = np.random.default_rng(0).integers(0, n_people, (N_DRAWS, n_people))
    reach = np.sqrt(n_people / (n_people - 1)) * stats.t.ppf(0.975, n_people - 1)
    tails = stats.norm.cdf([-reach, reach])
    expected = np.quantile(values[who].mean(axis=1), tails)
    assert bootstrap_interval(values) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_people", range(FEWEST))
def test_few_people_have_no_interval(n_people: int) -> None:
    assert np.isnan(bootstrap_interval([0.5, 0.7, 0.9][:n_people])).all()


@pytest.mark.parametrize(("n_subjects", "least"), [(6, 0.91), (9, 0.93), (20, 0.93)])
def test_interval_covers(n_subjects: int, least: float) -> None:
    # six subjects fall short of 95 %, as the docstring says; a plain percentile gives 0.86
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(1000):
        low, high = bootstrap_interval(rng.beta(8, 4, n_subjects))
        hits += low <= 8 / 12 <= high
    assert least <= hits / 1000 <= 0.98
