"""Intervals over people, and over people and seeds, against SciPy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.statistics.intervals import (
    FEWEST,
    N_DRAWS,
    bootstrap_interval,
    bootstrap_intervals,
    crossed_interval,
    tails,
)


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


@pytest.mark.parametrize("n_people", [FEWEST, 9, 109])
def test_interval_is_that_of_scipy(n_people: int) -> None:
    values = np.random.default_rng(n_people).beta(8, 4, n_people)
    low, high = tails(n_people)
    assert low == pytest.approx(1 - high)
    reference = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=N_DRAWS,
        confidence_level=1 - 2 * low,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert bootstrap_interval(values) == pytest.approx(reference, abs=1e-12)


def test_several_at_once_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(3)
    samples = [rng.beta(8, 4, n_people) for n_people in (9, 3, 120, 9, 120, 4)]
    alone = [bootstrap_interval(one) for one in samples]
    np.testing.assert_allclose(bootstrap_intervals(samples), alone, rtol=1e-14)
    assert np.isnan(alone[1]).all() and not np.isnan(alone[2]).any()


def test_seeds_are_no_people() -> None:
    """Copies of one seed change nothing; seeds that differ widen what people alone give."""
    people = np.random.default_rng(0).normal(0.7, 0.1, 12)
    copied = np.repeat(people[:, None], 5, axis=1)
    assert crossed_interval(copied) == pytest.approx(bootstrap_interval(people))
    shifted = copied + np.linspace(-0.1, 0.1, 5)
    wide = crossed_interval(shifted)
    narrow = bootstrap_interval(shifted.mean(axis=1))
    assert wide[0] < narrow[0] - 0.01 and wide[1] > narrow[1] + 0.01
    pooled = bootstrap_interval(shifted.reshape(-1))  # seeds taken for people: too narrow
    assert pooled[1] - pooled[0] < narrow[1] - narrow[0]
    assert np.isnan(crossed_interval(people[:, None])).all()
    assert np.isnan(crossed_interval(shifted[: FEWEST - 1])).all()


@pytest.mark.parametrize("n_seeds", [2, 9])
def test_people_who_are_equal_leave_the_spread_of_seeds(n_seeds: int) -> None:
    """Drawn means of seeds, as far from their mean as those of an unbiased spread."""
    seeds = np.random.default_rng(n_seeds).normal(0.7, 0.05, n_seeds)
    who = np.random.default_rng(1).integers(0, n_seeds, (N_DRAWS, n_seeds))
    away = (seeds[who].mean(axis=1) - seeds.mean()) * seeds.std(ddof=1) / seeds.std()
    expected = seeds.mean() + np.quantile(away, tails(9))
    assert crossed_interval(np.tile(seeds, (9, 1))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n_people", "n_seeds"), [(9, 3), (25, 5)])
def test_interval_over_people_and_seeds_covers(n_people: int, n_seeds: int) -> None:
    rng = np.random.default_rng(3)
    hits, people_alone = 0, 0
    for _ in range(200):
        person = rng.normal(0, 0.06, (n_people, 1))
        seed = rng.normal(0, 0.02, (1, n_seeds))
        scores = 0.7 + person + seed + rng.normal(0, 0.03, (n_people, n_seeds))
        low, high = crossed_interval(scores)
        hits += low <= 0.7 <= high
        low, high = bootstrap_interval(scores.mean(axis=1))
        people_alone += low <= 0.7 <= high
    assert 0.92 <= hits / 200 and people_alone < hits
