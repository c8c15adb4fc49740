"""Tests and intervals of scores that hypothesis draws, held to SciPy and to enumeration."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eegvit.results.statistics.chance import chance_bound, chance_level
from eegvit.results.statistics.flips import holm, sign_flip
from eegvit.results.statistics.intervals import bootstrap_interval

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True)
whole = st.lists(st.integers(-20, 20), min_size=1, max_size=9)
ps = st.lists(st.floats(0, 1), min_size=1, max_size=12)
counts = st.lists(st.integers(1, 60), min_size=2, max_size=4)


@SETTINGS
@given(differences=whole)
def test_sign_flips_are_scipys_permutation_test(differences) -> None:
    if len(differences) == 1:  # which SciPy has no test of
        assert sign_flip(differences) == 1.0
        return
    expected = stats.permutation_test(
        (np.array(differences, float),),
        np.sum,
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=False,
    )
    assert np.isclose(sign_flip(differences), expected.pvalue)


@SETTINGS
@given(differences=whole, scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_sign_flips_know_no_order_unit_or_side(differences, scale, seed) -> None:
    p = sign_flip(differences)
    order = np.random.default_rng(seed).permutation(len(differences))
    assert np.isclose(sign_flip(scale * np.array(differences, float)[order]), p)
    assert np.isclose(sign_flip([-d for d in differences]), p)
    assert 2.0 ** (1 - len(differences)) <= p + 1e-12 and p <= 1


@SETTINGS
@given(p=ps)
def test_holm_is_closed_testing_by_bonferroni(p) -> None:
    """A hypothesis falls if every set that holds it does, each by Bonferroni."""
    ordered = sorted(p, reverse=True)  # the worst set of each size has the largest others
    expected = [
        min(1.0, max((k + 1) * min([own, *_without(ordered, own)[:k]]) for k in range(len(p))))
        for own in p
    ]
    np.testing.assert_allclose(holm(p), expected)


def _without(values: list[float], one: float) -> list[float]:
    left = list(values)
    left.remove(one)
    return left


@SETTINGS
@given(p=ps)
def test_holm_lies_between_no_correction_and_bonferroni(p) -> None:
    corrected = np.array(holm(p))
    assert (corrected >= np.array(p) - 1e-15).all()
    assert (corrected <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


@SETTINGS
@given(per_class=counts)
def test_the_bound_of_one_person_is_scipys_binomial(per_class) -> None:
    n, chance = sum(per_class), chance_level(per_class, "accuracy")
    bound = chance_bound([per_class], "accuracy")
    assert stats.binom.cdf(round(bound * n), n, chance) >= 0.95
    assert stats.binom.cdf(round(bound * n) - 1, n, chance) < 0.95


@settings(max_examples=8, deadline=None, derandomize=True)
@given(scores=st.lists(st.floats(0, 1), min_size=4, max_size=12), shift=st.floats(-1, 1))
def test_intervals_hold_the_mean_and_move_with_the_scores(scores, shift) -> None:
    low, high = bootstrap_interval(scores)
    assert min(scores) - 1e-12 <= low <= np.mean(scores) + 1e-9
    assert np.mean(scores) - 1e-9 <= high <= max(scores) + 1e-12
    moved = bootstrap_interval([score + shift for score in scores])
    np.testing.assert_allclose(moved, (low + shift, high + shift), atol=1e-9)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(per_class=st.lists(st.integers(2, 60), min_size=2, max_size=2))
def test_the_spread_of_an_area_is_that_of_mann_whitney(per_class) -> None:
    first, second = per_class
    variance = (first + second + 1) / (12 * first * second)
    bound = chance_bound([per_class], "roc_auc")
    assert np.isclose((bound - 0.5) / stats.norm.ppf(0.95), np.sqrt(variance))
