"""What alignment keeps of recordings that hypothesis mixes: it undoes what it can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eegvit.preprocess.alignment import (
    MEANS,
    align_causal,
    align_offline,
    covariances,
    geometric_mean,
)

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)
seeds, channels = st.integers(0, 10**6), st.integers(1, 5)
METHODS = pytest.mark.parametrize("method", list(MEANS))


def _trials(seed: int, n_channels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.5, 2, (12, 1, 1))
    return level * rng.standard_normal((12, n_channels, 60))


def _orthogonal(seed: int, n: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


def _invertible(seed: int, n: int) -> np.ndarray:
    """Return a mixing that weakens no direction more than tenfold against another."""
    strength = np.random.default_rng(seed).uniform(0.3, 3, n)
    return _orthogonal(seed, n) * strength @ _orthogonal(seed + 1, n)


@METHODS
@SETTINGS
@given(seed=seeds, n=channels)
def test_turned_channels_give_turned_trials(method, seed, n) -> None:
    X, Q = _trials(seed, n), _orthogonal(seed, n)
    for align in (align_offline, align_causal):
        expected = Q @ align(X, method).astype(np.float64)
        np.testing.assert_allclose(align(Q @ X, method), expected, atol=1e-4)


@METHODS
@SETTINGS
@given(seed=seeds, n=channels)
def test_an_invertible_mixing_leaves_only_a_turn(method, seed, n) -> None:
    X, A = _trials(seed, n), _invertible(seed, n)
    plain = align_offline(X, method).astype(np.float64)
    mixed = align_offline(A @ X, method).astype(np.float64)
    turn = np.linalg.lstsq(np.hstack(plain).T, np.hstack(mixed).T, rcond=None)[0].T
    np.testing.assert_allclose(turn @ turn.T, np.eye(n), atol=1e-4)
    np.testing.assert_allclose(mixed, turn @ plain, atol=1e-4)


@METHODS
@SETTINGS
@given(seed=seeds, n=channels, scale=st.floats(1e-6, 1e6))
def test_units_do_not_matter(method, seed, n, scale) -> None:
    X = _trials(seed, n)
    for align in (align_offline, align_causal):
        np.testing.assert_allclose(align(scale * X, method), align(X, method), atol=1e-4)


@METHODS
@SETTINGS
@given(seed=seeds, n=channels)
def test_the_order_of_trials_does_not_matter_offline(method, seed, n) -> None:
    X = _trials(seed, n)
    order = np.random.default_rng(seed).permutation(len(X))
    np.testing.assert_allclose(
        align_offline(X[order], method), align_offline(X, method)[order], atol=1e-5
    )


@SETTINGS
@given(seed=seeds, n=channels)
def test_the_geometric_mean_is_equivariant_and_its_own_inverse(seed, n) -> None:
    C, A = covariances(_trials(seed, n)), _invertible(seed, n)
    mean = geometric_mean(C)
    np.testing.assert_allclose(geometric_mean(A @ C @ A.T), A @ mean @ A.T, rtol=1e-5, atol=1e-7)
    inverse = geometric_mean(np.linalg.inv(C))
    np.testing.assert_allclose(inverse, np.linalg.inv(mean), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.linalg.det(mean), np.exp(np.log(np.linalg.det(C)).mean()), 1e-5)
