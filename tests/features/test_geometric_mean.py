"""The Riemannian mean: where the logarithms add up to nothing, and pyRiemann's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from pyriemann.geometry.mean import mean_riemann

from eegvit.features import geometric_mean as module
from eegvit.features.geometric_mean import geometric_mean, logarithms


def draw(n: int, n_channels: int = 6, spread: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return covariances scattered around a badly scaled one."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n_channels, n_channels)) * np.logspace(-1, 1, n_channels)
    S = spread * rng.standard_normal((n, n_channels, n_channels))
    values, vectors = np.linalg.eigh((S + S.swapaxes(1, 2)) / 2)
    scattered = (vectors * np.exp(values)[:, None, :]) @ vectors.swapaxes(1, 2)
    return mixing @ scattered @ mixing.T


def mean_of(whitener: np.ndarray) -> np.ndarray:
    """Return the mean that a whitener belongs to."""
    return np.linalg.inv(whitener @ whitener)


@pytest.mark.parametrize("n", [1, 2, 5, 100, 1000])
@pytest.mark.parametrize("spread", [0.0, 0.1, 1.5])
def test_it_is_the_point_where_the_logarithms_add_up_to_nothing(n, spread) -> None:
    C = draw(n, spread=spread)
    found = geometric_mean(C)
    np.testing.assert_allclose(logarithms(C, found.whitener).mean(axis=0), 0, atol=1e-7)
    np.testing.assert_allclose(found.logs, logarithms(C, found.whitener), atol=1e-6)
    np.testing.assert_allclose(found.whitener, found.whitener.T, atol=1e-12)


@pytest.mark.parametrize("n", [12, 600])
def test_it_is_pyriemanns(n) -> None:
    C = draw(n, spread=0.5)
    expected = mean_riemann(C, tol=1e-12, maxiter=200)
    scale = np.sqrt(np.diag(expected))
    error = np.abs(mean_of(geometric_mean(C).whitener) - expected) / np.outer(scale, scale)
    assert error.max() < 1e-7


def test_it_moves_with_the_coordinates() -> None:
    C = draw(40)
    turn = np.random.default_rng(1).standard_normal((6, 6))
    expected = turn @ mean_of(geometric_mean(C).whitener) @ turn.T
    found = mean_of(geometric_mean(turn @ C @ turn.T).whitener)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_two_looks_at_each_covariance_are_enough(monkeypatch) -> None:
    looks: list[int] = []
    whole = module.whitened

    def counted(C: np.ndarray, whitener: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.append(len(C))
        return whole(C, whitener)

    monkeypatch.setattr(module, "whitened", counted)
    geometric_mean(draw(400, spread=0.3))
    assert looks == [400, 400]


def test_a_search_that_does_not_end_is_told(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_PASSES", 1)
    with pytest.warns(UserWarning, match="no Riemannian mean found in 1 passes"):
        geometric_mean(draw(10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        geometric_mean(np.eye(3)[None])
