"""Covariances of many trials at once are what the one-by-one estimators give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf, oas
from sklearn.utils import get_tags

from eegvit.features import covariances as module
from eegvit.features.covariances import Covariances, covariances, shrink


@pytest.fixture
def X() -> np.ndarray:
    """Return 12 trials of 6 mixed channels, each with an offset and a level of its own."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6, 6)) @ rng.standard_normal((12, 6, 80))
    return X * rng.uniform(0.1, 30, (12, 1, 1)) + rng.normal(0, 5, (12, 6, 1))


def test_sample_covariance_is_numpys(X: np.ndarray) -> None:
    expected = [np.cov(trial, bias=True) for trial in X]
    np.testing.assert_allclose(Covariances(estimator="scm").transform(X), expected, rtol=1e-10)


@pytest.mark.parametrize(("estimator", "peer"), [("oas", oas), ("lwf", ledoit_wolf)])
@pytest.mark.parametrize("n_times", [4, 20, 80])
def test_shrunk_covariance_is_scikit_learns(X, estimator, peer, n_times) -> None:
    X = X[:, :, :n_times]
    found = covariances(X, estimator)
    for trial, covariance in zip(X, found, strict=True):
        expected, amount = peer(trial.T)
        assert amount > 0
        np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-10 * expected.max())


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_chunks_change_nothing(X, estimator, monkeypatch) -> None:
    whole = Covariances(estimator=estimator).transform(X)
    monkeypatch.setattr(module, "CHUNK", 5 * X[0].size)  # 5, 5 and 2 trials
    np.testing.assert_array_equal(Covariances(estimator=estimator).transform(X), whole)
    monkeypatch.setattr(module, "CHUNK", 1)
    np.testing.assert_array_equal(Covariances(estimator=estimator).transform(X), whole)


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_bands_are_leading_axes(X, estimator) -> None:
    bands = np.stack([X, 2 * X, X[::-1]], axis=1)
    found = covariances(bands, estimator)
    for i in range(3):
        np.testing.assert_allclose(found[:, i], covariances(bands[:, i], estimator), rtol=1e-12)


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_single_precision_is_summed_in_double(X, estimator) -> None:
    single = X.astype(np.float32)
    found = covariances(single, estimator)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, covariances(single.astype(np.float64), estimator))


@pytest.mark.parametrize("estimator", ["oas", "lwf"])
def test_a_flat_trial_is_finite(estimator) -> None:
    X = np.zeros((2, 3, 50))
    X[1] = 7.0
    found = covariances(X, estimator)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, 0, atol=1e-20)


def test_shrink_keeps_the_trace_and_ends_at_the_identity(X) -> None:
    C = covariances(X)
    trace = np.trace(C, axis1=1, axis2=2)
    for amount in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(np.trace(shrink(C, amount), axis1=1, axis2=2), trace)
    np.testing.assert_allclose(shrink(C, 1.0), (trace / 6)[:, None, None] * np.eye(6), atol=1e-12)
    np.testing.assert_array_equal(shrink(C, 0.0), C)


def test_it_learns_nothing_and_says_so(X) -> None:
    step = Covariances()
    assert not get_tags(step).requires_fit
    before = dict(vars(step))
    assert vars(step.fit(X)) == before
