"""Augmentations leave labels, shapes and inputs alone, and do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.preprocess.augment import AUGMENTATIONS, augmenter, segment_recombine, time_shift


def batch(dtype: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((20, 5, 64)).astype(dtype), np.arange(20) % 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_contract(name: str, dtype: type) -> None:
    X, y = batch(dtype)
    X.flags.writeable = False
    first, labels = AUGMENTATIONS[name](X, y, np.random.default_rng(1))
    again, _ = AUGMENTATIONS[name](X, y, np.random.default_rng(1))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, y)
    assert first.shape == X.shape and first.dtype == X.dtype and np.isfinite(first).all()
    if name != "none":
        other, _ = AUGMENTATIONS[name](X, y, np.random.default_rng(2))
        assert not np.array_equal(first, other) and not np.array_equal(first, X)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_scale_and_offset_do_not_matter(name: str) -> None:
    X, y = batch(np.float64)
    expected, _ = AUGMENTATIONS[name](X, y, np.random.default_rng(1))
    scaled, _ = AUGMENTATIONS[name](1e4 * X, y, np.random.default_rng(1))
    np.testing.assert_allclose(scaled, 1e4 * expected, rtol=1e-6, atol=1e-6)
    if name != "amplitude":
        moved, _ = AUGMENTATIONS[name](X + 7, y, np.random.default_rng(1))
        np.testing.assert_allclose(moved, expected + 7, atol=1e-6)


def test_recombined_segments_come_from_the_class_and_the_same_time() -> None:
    y = np.arange(40) % 2
    time = np.arange(64)
    X = (100 * y[:, None, None] + time + np.arange(40)[:, None, None] / 100).astype(np.float64)
    new, _ = segment_recombine(X, y, np.random.default_rng(0), n_segments=4, rate=1.0)
    np.testing.assert_array_equal(np.floor(new), np.floor(X))
    donors = np.round(100 * (new - np.floor(new))).astype(int)[:, 0]
    assert (donors % 2 == y[:, None]).all()
    assert max(len(set(row)) for row in donors.tolist()) > 1
    assert all((np.diff(row.reshape(4, 16), axis=1) == 0).all() for row in donors)


def test_a_class_of_one_trial_stays() -> None:
    X, _ = batch()
    y = np.arange(20)
    np.testing.assert_array_equal(segment_recombine(X, y, np.random.default_rng(0), rate=1.0)[0], X)


def test_shift_moves_all_channels_together() -> None:
    X = np.broadcast_to(np.arange(100.0), (30, 3, 100))
    new, _ = time_shift(X, np.zeros(30, np.int64), np.random.default_rng(0), longest=0.1)
    assert (new[:, :1] == new).all()
    shift = new[:, 0, 50] - 50
    assert np.abs(shift).max() <= 10 and len(set(shift.tolist())) > 5
    assert new.min() >= 0 and new.max() <= 99


def test_one_channel_survives() -> None:
    X, y = batch()
    new, _ = AUGMENTATIONS["channel_dropout"](X[:, :1], y, np.random.default_rng(0))
    np.testing.assert_array_equal(new, X[:, :1])


def test_augmenter_applies_in_turn() -> None:
    X, y = batch()
    rng = np.random.default_rng(3)
    expected, _ = AUGMENTATIONS["time_mask"](*AUGMENTATIONS["time_shift"](X, y, rng), rng)
    both, _ = augmenter(("time_shift", "time_mask"))(X, y, np.random.default_rng(3))
    np.testing.assert_array_equal(both, expected)
    with pytest.raises(ValueError, match=r"'blur'.*known: none"):
        augmenter(["noise", "blur"])
