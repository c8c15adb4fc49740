"""Ranks, what joins rows, and the critical difference, against SciPy and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.statistics.ranks import Friedman, friedman, joined, letter, rank_intervals

NEMENYI = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 10: 3.164}  # Demšar 2006, table 5a, 5 %


@pytest.mark.parametrize("n_rows", [1, 2, 5, 8])
def test_joined_are_the_largest_sets_without_a_difference(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        pairs = {p for p in combinations(range(n_rows), 2) if rng.random() < share}
        free = [
            set(group)
            for size in range(1, n_rows + 1)
            for group in combinations(range(n_rows), size)
            if not any(pair in pairs for pair in combinations(group, 2))
        ]
        largest = sorted(tuple(sorted(g)) for g in free if not any(g < other for other in free))
        assert joined(n_rows, pairs) == largest


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (0, 1, 25, 26, 27, 51, 52, 701, 702)] == [
        *("a", "b", "z", "aa", "ab", "az", "ba", "zz", "aaa")
    ]


@pytest.mark.parametrize(("n_models", "q"), NEMENYI.items())
def test_critical_difference_is_that_of_the_tables(n_models: int, q: float) -> None:
    if n_models < 3:
        return
    found = friedman(np.random.default_rng(0).random((14, n_models)))
    assert found is not None
    expected = q * np.sqrt(n_models * (n_models + 1) / (6 * 14))
    assert found.critical == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_friedman_is_that_of_scipy_ties_included(seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, (7, 4)) / 12
    found = friedman(scores)
    assert found is not None
    assert found.p == pytest.approx(stats.friedmanchisquare(*(scores.T * 12)).pvalue)
    assert sum(found.mean_ranks) == pytest.approx(4 * 5 / 2)
    assert friedman(scores[:3]) is None and friedman(scores[:, :2]) is None


def test_equal_models_have_one_bar() -> None:
    found = friedman(np.full((6, 3), 0.5))
    assert found is not None
    assert found.p == 1.0 and found.mean_ranks == (2.0, 2.0, 2.0)
    assert found.bars() == []  # a single point needs no bar
    found = friedman(np.random.default_rng(0).random((30, 4)))
    assert found is not None and found.bars()[0][0] == min(found.mean_ranks)


def test_bars_are_the_longest_ranges_within_the_critical_difference() -> None:
    for ranks, bars in {
        (3.5, 1.0, 2.0, 1.5): [(1.0, 2.0)],
        (1.0, 1.5, 2.25, 4.0): [(1.0, 1.5), (1.5, 2.25)],
        (1.0, 2.5, 4.0): [],
    }.items():
        assert Friedman(ranks, p=0.01, critical=1.0, n_people=9).bars() == bars


def test_rank_intervals_hold_the_true_rank() -> None:
    rng = np.random.default_rng(1)
    truth, hits = np.array([0.03, 0.02, 0.01, 0.0]), np.zeros(4)
    for _ in range(60):
        found = rank_intervals(rng.normal(0, 0.03, (12, 4)) + truth)
        assert found is not None
        hits += [low <= place + 1 <= high for place, (low, high) in enumerate(found)]
    assert (hits / 60 >= 0.9).all()
    assert rank_intervals(rng.random((3, 4))) is None
