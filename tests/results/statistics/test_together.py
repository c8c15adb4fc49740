"""Several studies taken together, against SciPy and a published meta-analysis."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eegvit.results.statistics.together import pool, stouffer

# Colditz et al., JAMA 271, 1994: log relative risks of 13 trials of BCG, and their variances.
RISKS = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209]
RISKS += [0.0120, -0.4694, -1.3713, -0.3394, 0.4459, -0.0173]
VARIANCES = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230]
VARIANCES += [0.0040, 0.0564, 0.0730, 0.0124, 0.5325, 0.0714]


def test_pooled_is_that_of_the_published_trials() -> None:
    found = pool(RISKS, np.sqrt(VARIANCES))
    assert found is not None
    assert found.mean == pytest.approx(-0.7141, abs=2e-3)
    assert found.spread**2 == pytest.approx(0.3088, abs=2e-3)
    assert found.heterogeneity == pytest.approx(0.9212, abs=2e-3)
    assert found.p_heterogeneity < 1e-20
    assert found.low < found.mean < found.high
    assert found.next_low < found.low and found.high < found.next_high


def test_interval_is_that_of_a_weighted_mean_or_wider() -> None:
    values = np.array([0.0, 0.02, 0.01, 0.9, -0.9])
    errors = np.array([0.02, 0.02, 0.02, 0.4, 0.4])
    for sign in (1, -1):
        found = pool(sign * values, errors)
        assert found is not None
        weights = 1 / (errors**2 + found.spread**2)
        fitted, covariance = np.polyfit(range(5), sign * values, 0, w=np.sqrt(weights), cov=True)
        error = np.sqrt(max(covariance[0, 0], 1 / weights.sum()))
        ends = stats.t.interval(0.95, 4, fitted[0], error)
        assert (found.low, found.high) == pytest.approx(ends)
    assert covariance[0, 0] > 1 / weights.sum()


def test_interval_and_prediction_cover_few_studies() -> None:
    rng = np.random.default_rng(0)
    inside, ahead = 0, 0
    for _ in range(600):
        errors = rng.uniform(0.01, 0.03, 5)
        truth = rng.normal(0.05, 0.02, 6)
        found = pool(rng.normal(truth[:5], errors), errors)
        assert found is not None
        inside += found.low <= 0.05 <= found.high
        ahead += found.next_low <= truth[5] <= found.next_high
    assert 0.93 <= inside / 600 <= 0.99 and 0.89 <= ahead / 600 <= 0.99


def test_one_difference_for_all_has_no_heterogeneity() -> None:
    found = pool([0.02, 0.02, 0.02], [0.01, 0.02, 0.01])
    assert found is not None and found.heterogeneity == found.spread == 0.0
    assert found.mean == pytest.approx(0.02)
    assert pool([0.1], [0.1]) is None and pool([0.1, 0.2], [0.1, 0.0]) is None
    two = pool([0.1, 0.2], [0.1, 0.1])
    assert two is not None and np.isnan(two.next_low)


def test_stouffer_is_that_of_scipy_for_one_direction() -> None:
    one_sided = [0.01, 0.2, 0.04]
    reference = stats.combine_pvalues(one_sided, method="stouffer", weights=np.sqrt([9, 20, 4]))
    found = stouffer([2 * p for p in one_sided], [1, 1, 1], [9, 20, 4])
    assert found == pytest.approx(2 * reference.pvalue)
    mirrored = stouffer([2 * p for p in one_sided], [-1, -1, -1], [9, 20, 4])
    assert mirrored == pytest.approx(found)


def test_stouffer_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(2000, 3))
    p = 2 * stats.norm.sf(np.abs(scores))
    found = [stouffer(row, np.sign(s), [9, 9, 9]) for row, s in zip(p, scores, strict=True)]
    assert abs(np.mean(np.array(found) <= 0.05) - 0.05) < 0.015
    assert np.isnan(stouffer([], [], []))
