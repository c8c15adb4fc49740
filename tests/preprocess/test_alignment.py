"""Alignment whitens, never looks ahead, and survives flat and dependent channels."""

from __future__ import annotations

import numpy as np
import pytest
from pyriemann.geometry.mean import mean_riemann

from eegvit.preprocess.alignment import (
    FLOOR,
    MEANS,
    PRIOR,
    align_causal,
    align_offline,
    covariances,
    geometric_mean,
    inverse_root,
    run_on,
)

METHODS = list(MEANS)
HOW = [align_offline, align_causal]


@pytest.fixture
def X() -> np.ndarray:
    """Return 30 trials of 5 mixed channels in microvolts, their level drifting."""
    rng = np.random.default_rng(0)
    drift = np.linspace(1, 2, 30)[:, None, None]
    X = 10 * drift * (rng.standard_normal((5, 5)) @ rng.standard_normal((30, 5, 120)))
    return X.astype(np.float32)


def test_covariances_are_numpys(X) -> None:
    expected = [np.cov(trial.astype(np.float64), bias=True) for trial in X]
    np.testing.assert_allclose(covariances(X), expected, rtol=1e-9)


def test_offline_mean_covariance_is_the_identity(X) -> None:
    aligned = align_offline(X, "euclidean")
    assert aligned.dtype == np.float32 and aligned.shape == X.shape
    np.testing.assert_allclose(covariances(aligned).mean(axis=0), np.eye(5), atol=1e-5)
    aligned = align_offline(X, "riemannian")
    np.testing.assert_allclose(mean_riemann(covariances(aligned)), np.eye(5), atol=1e-5)


def test_offline_alignment_undoes_any_mixture_up_to_a_rotation(X) -> None:
    mixture = np.random.default_rng(1).standard_normal((5, 5))
    for method in METHODS:
        one, other = align_offline(X, method), align_offline(mixture @ X, method)
        np.testing.assert_allclose(  # what rotations keep: the length at each moment
            np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1), rtol=1e-3
        )


def test_geometric_mean_is_pyriemanns(X) -> None:
    C = covariances(X)
    expected = mean_riemann(C, tol=1e-12, maxiter=200)
    np.testing.assert_allclose(geometric_mean(C), expected, rtol=1e-6, atol=1e-6)
    assert not np.allclose(expected, C.mean(axis=0), rtol=1e-2)


def test_inverse_root_is_one(X) -> None:
    C = covariances(X)
    R = inverse_root(C)
    np.testing.assert_allclose(R @ C @ R, np.broadcast_to(np.eye(5), C.shape), atol=1e-8)


def test_inverse_root_amplifies_no_direction_below_the_floor() -> None:
    values = np.array([[4.0, 4.0 * FLOOR, 1e-9], [1e-9, 1e-8, 1.0]])
    found = inverse_root(np.stack([np.diag(v) for v in values]))
    floored = np.maximum(values, FLOOR * values.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found, [np.diag(v**-0.5) for v in floored], rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_kept", [1, 7, 20])
def test_causal_alignment_does_not_look_ahead(X, method, n_kept) -> None:
    whole = align_causal(X, method)
    changed = X.copy()
    changed[n_kept:] = 100 * np.random.default_rng(2).standard_normal(changed[n_kept:].shape)
    np.testing.assert_array_equal(align_causal(changed, method)[:n_kept], whole[:n_kept])
    np.testing.assert_array_equal(align_causal(X[:n_kept], method), whole[:n_kept])
    assert not np.allclose(align_causal(changed, method)[n_kept:], whole[n_kept:])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("flat", [None, 0, 5])
def test_causal_reference_is_the_running_mean_leaning_on_the_identity(method, flat) -> None:
    """Uncorrelated channels, where every mean can be written down; flat trials have no geometry."""
    time = np.arange(100) / 100
    waves = np.sqrt(2) * np.stack([np.sin(2 * np.pi * k * time) for k in (3, 5, 8)])
    power = np.exp(np.random.default_rng(0).normal(0, 1, (12, 3)))
    if flat is not None:
        power[flat] = 0.0
    X = np.sqrt(power)[:, :, None] * waves
    for i, aligned in enumerate(align_causal(X, method)):
        if i == flat:
            assert not aligned.any()
            continue
        seen = power[: i + 1]
        told = seen[seen.any(axis=1)]
        mean = seen.mean(axis=0) if method == "euclidean" else np.exp(np.log(told).mean(axis=0))
        reference = ((i + 1) * mean + PRIOR * mean.mean()) / (i + 1 + PRIOR)
        np.testing.assert_allclose(aligned, X[i] / np.sqrt(reference)[:, None], atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_causal_alignment_uses_the_past(X, method) -> None:
    changed = X.copy()
    changed[0] *= 5
    assert not np.allclose(align_causal(changed, method)[-1], align_causal(X, method)[-1])


@pytest.mark.parametrize("method", METHODS)
def test_causal_alignment_approaches_offline(method) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 4)) @ rng.standard_normal((600, 4, 100))
    offline, causal = align_offline(X, method), align_causal(X, method)
    early, late = (np.abs(offline - causal)[part].mean() for part in (slice(5), slice(-5, None)))
    assert late < 0.03 and late < early / 5


@pytest.mark.parametrize("align", HOW)
@pytest.mark.parametrize("method", METHODS)
def test_dependent_and_flat_channels_stay_finite_and_small(X, align, method) -> None:
    X[:, 1] = 0.1  # a flat channel
    X[:, 4] = -X[:, [0, 2, 3]].sum(axis=1)  # average reference
    aligned = align(X, method)
    assert np.isfinite(aligned).all()
    power = np.trace(covariances(aligned), axis1=1, axis2=2)
    assert power.max() < 15 and 1.5 < power.mean() < 6  # three directions are left


@pytest.mark.parametrize("align", HOW)
@pytest.mark.parametrize("method", METHODS)
def test_a_flat_recording_stays_finite(X, align, method) -> None:
    assert np.isfinite(align(np.zeros_like(X), method)).all()
    assert np.isfinite(align(np.full_like(X, 0.1), method)).all()


@pytest.mark.parametrize("align", HOW)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.0, 0.1])
@pytest.mark.parametrize("where", [0, 12])
def test_a_flat_trial_hardly_moves_the_others(X, align, method, level, where) -> None:
    without = align(np.delete(X, where, axis=0), method)
    X[where] = level
    aligned = align(X, method)
    assert np.isfinite(aligned).all()
    ratio = np.delete(aligned, where, axis=0).std(axis=(1, 2)) / without.std(axis=(1, 2))
    assert ratio.min() > 0.7 and ratio.max() < 1.5


@pytest.mark.parametrize("align", HOW)
def test_none_changes_nothing_and_no_trials_are_fine(X, align) -> None:
    np.testing.assert_array_equal(align(X, "none"), X)
    for method in METHODS:
        assert align(X[:0], method).shape == (0, 5, 120)


@pytest.mark.parametrize("align", HOW)
def test_an_unknown_method_is_refused(X, align) -> None:
    with pytest.raises(ValueError, match="'euclid' is not one of none, euclidean, riemannian"):
        align(X, "euclid")


@pytest.mark.parametrize("align", HOW)
@pytest.mark.parametrize("method", METHODS)
def test_the_unit_does_not_matter(X, align, method) -> None:
    np.testing.assert_allclose(align(1e-6 * X, method), align(X, method), rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("flat", [None, 0, 9, 11])
def test_causal_alignment_goes_on_from_what_it_held(X, method: str, flat: int | None) -> None:
    if flat is not None:
        X[flat] = 0
    whole = align_causal(X, method)
    held = run_on(X[4:10], method, run_on(X[:4], method))
    assert held.n == 10
    np.testing.assert_allclose(align_causal(X[10:], method, held), whole[10:], atol=1e-5)
