"""Paired tests against SciPy, ties and few people included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.statistics.flips import N_EXACT, holm, sign_flip, sign_flips, wilcoxon
from eegvit.results.statistics.intervals import N_DRAWS


def test_sign_flip_is_exact_and_symmetric() -> None:
    assert sign_flip([1.0, 2.0, 3.0]) == 2 / 8
    assert sign_flip([0.3]) == 1.0
    assert sign_flip([1.0, 2.0, -3.0]) == 1.0
    values = np.random.default_rng(0).normal(0.3, 1, 10)
    assert sign_flip(values) == sign_flip(-values)
    assert sign_flip([0.0, 0.0]) == 1.0
    many = np.random.default_rng(0).normal(0.3, 1, 25)
    assert sign_flip(many) == sign_flip(-many)


def test_what_was_observed_is_one_of_the_patterns_that_are_drawn() -> None:
    assert sign_flip(np.full(N_EXACT + 10, 0.1)) == 1 / N_DRAWS  # never 0


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


def test_several_at_once_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(6)
    sizes = (5, N_EXACT + 1, 0, 5, N_EXACT + 70, N_EXACT + 1)
    samples = [rng.normal(0.3, 1, size) for size in sizes]
    np.testing.assert_equal(sign_flips(samples), [sign_flip(one) for one in samples])


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


@pytest.mark.parametrize("n_people", [2, 3, 5, 8, 11])
def test_wilcoxon_is_that_of_scipy_by_every_pattern_ties_and_zeros_included(n_people: int) -> None:
    rng = np.random.default_rng(n_people)
    method = stats.PermutationMethod(n_resamples=np.inf)
    for _ in range(8):
        scores = rng.integers(0, 9, n_people) - rng.integers(0, 9, n_people)
        if (scores != 0).sum() < 2:
            continue
        reference = stats.wilcoxon(scores[scores != 0], method=method).pvalue
        assert wilcoxon(scores / 12) == pytest.approx(reference, abs=1e-12)


@pytest.mark.parametrize("n_people", [4, 9, 20, N_EXACT, 40])
def test_wilcoxon_without_ties_is_that_of_scipy(n_people: int) -> None:
    differences = np.random.default_rng(n_people).normal(0.2, 1, n_people)
    assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences).pvalue, abs=1e-9)


def test_ties_that_rounding_parts_are_ties() -> None:
    apart = [0.3 - 0.2, 0.2 - 0.1, -(0.4 - 0.3), 0.25, 0.5]
    same = [0.1, 0.1, -0.1, 0.25, 0.5]
    assert len(set(np.abs(apart))) > len(set(np.abs(same)))
    assert wilcoxon(apart) == wilcoxon(same)
    assert wilcoxon([0.0, 0.0]) == 1.0 and np.isnan(wilcoxon([]))
