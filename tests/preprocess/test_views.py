"""Views keep shapes and kinds, are nothing at strength 0, and do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.preprocess.views import VIEWS, background, crop, phase_noise, rotation, strengths, view

MIXES = {"background"}
STEPS = {"time_shift", "crop", "time_mask", "channel_dropout", "band_stop"}  # not continuous


def batch(dtype: type = np.float32, n: int = 12) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, 5, 64)).astype(dtype)


def directions() -> np.ndarray:
    points = np.random.default_rng(3).standard_normal((5, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def seen(name: str, X: np.ndarray, strength: float | None = None, seed: int = 1) -> np.ndarray:
    function, usual = VIEWS[name]
    chosen = 3 * usual if strength is None else strength
    return function(X, np.random.default_rng(seed), chosen, directions())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", VIEWS)
def test_contract(name: str, dtype: type) -> None:
    X = batch(dtype)
    X.flags.writeable = False
    first = seen(name, X)
    np.testing.assert_array_equal(first, seen(name, X))
    assert first.shape == X.shape and first.dtype == X.dtype and np.isfinite(first).all()
    assert not np.array_equal(first, X) and not np.array_equal(first, seen(name, X, seed=2))


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_at_strength_0(name: str) -> None:
    X = batch()
    assert view(X, np.random.default_rng(0), [(name, 0.0)], directions()) is X
    np.testing.assert_allclose(seen(name, X, 0.0), X, atol=1e-5)
    if name not in STEPS:
        np.testing.assert_allclose(seen(name, X, 1e-6), X, atol=2e-3)


@pytest.mark.parametrize("name", sorted(set(VIEWS) - MIXES))
def test_each_trial_by_itself(name: str) -> None:
    X = batch(np.float64)
    other = X.copy()
    other[3:] = np.random.default_rng(9).standard_normal(other[3:].shape)
    np.testing.assert_array_equal(seen(name, X)[:3], seen(name, other)[:3])


@pytest.mark.parametrize("name", VIEWS)
def test_scale_does_not_matter(name: str) -> None:
    X = batch(np.float64)
    np.testing.assert_allclose(seen(name, 1e4 * X), 1e4 * seen(name, X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", VIEWS)
def test_one_trial_of_one_channel(name: str) -> None:
    X = batch()[:1, :1]
    function, usual = VIEWS[name]
    new = function(X, np.random.default_rng(0), usual, None)
    assert new.shape == X.shape and np.isfinite(new).all()


def test_crop_shows_a_stretch_without_leaps() -> None:
    X = np.broadcast_to(np.arange(50.0), (200, 2, 50))
    new = crop(X, np.random.default_rng(0), 0.5)
    assert np.abs(np.diff(new, axis=2)).max() == 1
    span = np.ptp(new[:, 0], axis=1) + 1
    assert span.min() >= 25 and len(set(span.tolist())) > 10
    assert (new[:, :1] == new).all() and len(set(new[:, 0, 0].tolist())) > 10
    np.testing.assert_array_equal(np.diff(new[:, 0, :25], axis=1), 1)  # the stretch comes first


def test_crop_of_everything_leaves_a_trial() -> None:
    assert np.isfinite(crop(batch(), np.random.default_rng(0), 1.0)).all()


def test_phase_noise_keeps_cross_spectra() -> None:
    X = batch(np.float64)
    new = phase_noise(X, np.random.default_rng(0), 1.0)
    before, after = np.fft.rfft(X), np.fft.rfft(new)
    cross = [np.einsum("naf,nbf->nabf", z, z.conj()) for z in (before, after)]
    np.testing.assert_allclose(*cross, atol=1e-9)


def test_rotation_follows_the_scalp() -> None:
    way = np.linspace(-1, 1, 9)
    cap = np.stack([np.sin(way), 0 * way, np.cos(way)], axis=1)  # from ear to ear
    smooth = (cap[:, :1] * np.ones((1, 1, 4))).repeat(3, axis=0).reshape(3, 9, 4)
    np.testing.assert_array_equal(rotation(smooth, np.random.default_rng(0), 0.2, None), smooth)
    turn = 0.2
    rng = type("Fixed", (), {"standard_normal": lambda _, shape: np.tile([0.0, turn, 0.0], (3, 1))})
    new = rotation(smooth, rng(), 1.0, cap)  # type: ignore[arg-type]
    np.testing.assert_allclose(new[0, 2:7, 0], np.sin(way + turn)[2:7], atol=0.06)


def test_background_keeps_most_of_the_trial_and_adds_another() -> None:
    X = np.eye(8)[:, None] * 3
    new = background(X, np.random.default_rng(0), 0.3)
    own = np.einsum("nct,nct->n", new, X) / 9
    assert own.min() > 0.9 and (np.count_nonzero(new, axis=2) == 2).all()


def test_names_are_checked() -> None:
    assert strengths({"crop": 0.5}) == (("crop", 0.5),)
    with pytest.raises(ValueError, match="no view 'twist'"):
        strengths(["twist"])
    with pytest.raises(ValueError, match="0 or more"):
        strengths({"crop": -0.5})
