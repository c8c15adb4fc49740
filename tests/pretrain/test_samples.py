"""Trials and windows as samples."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.samples import near, samples, windows
from eegvit.pretrain.settings import PretrainRecipe, objective


def test_recordings_of_one_name_are_each_persons_own() -> None:
    given = samples(
        np.zeros((6, 1, 4)), people=list("aabbab"), recordings=["x", "y", "x", "x", "x", "x"]
    )
    assert len(set(given.recording.tolist())) == 3
    assert given.position.tolist() == [0, 0, 0, 1, 1, 2]
    assert (given.label == -1).all()
    with pytest.raises(ValueError, match="people has shape"):
        samples(np.zeros((3, 1, 4)), people=["a"])


def test_windows_hold_the_signals_from_their_place() -> None:
    recording = np.arange(200.0).reshape(2, 100)
    cut = windows([recording, recording + 500], length=30, stride=7, people=["b", "a"])
    for X, whose, position in zip(cut.X, cut.recording, cut.position, strict=True):
        start = 7 * position
        np.testing.assert_array_equal(X, (recording + 500 * whose)[:, start : start + 30])
    assert cut.X.dtype == np.float32 and len(cut.X) == 2 * 11
    assert cut.person[0] == 1 and cut.person[-1] == 0


def test_windows_of_a_raw_are_in_microvolts_and_free_of_bad_stretches() -> None:
    info = mne.create_info(["C3", "C4"], 50.0, "eeg")
    raw = mne.io.RawArray(1e-6 * np.arange(1000.0).reshape(2, 500), info, verbose="error")
    raw.set_annotations(mne.Annotations([4.0], [1.0], ["BAD blink"]))
    cut = windows([raw], length=50, stride=25)
    np.testing.assert_allclose(cut.X[0, 0], np.arange(50.0), rtol=1e-5)
    starts = 25 * cut.position
    assert ((starts + 50 <= 200) | (starts > 250)).all() and len(starts) > 10
    broken = np.zeros((2, 100))
    broken[0, 10] = np.nan
    assert windows([broken], length=20, stride=10).position.min() == 2


def test_near_stays_in_the_recording_and_is_another() -> None:
    rng = np.random.default_rng(0)
    given = samples(np.zeros((60, 1, 4)), recordings=rng.integers(0, 4, 60))
    facts = given.facts
    chosen = np.arange(60)
    seen = set()
    for _ in range(50):
        other = near(facts, chosen, 3, rng)
        apart = np.abs(facts[other, 2] - facts[chosen, 2])
        assert (facts[other, 1] == facts[chosen, 1]).all() and (apart > 0).all()
        assert (apart <= 3).all()
        seen |= set(apart.tolist())
    assert seen == {1, 2, 3}
    short = samples(np.zeros((60, 1, 4)), recordings=np.arange(60) // 2).facts
    other = near(short, chosen, 3, rng)
    assert (short[other, 1] == short[chosen, 1]).all()
    alone = samples(np.zeros((2, 1, 4)), recordings=["a", "b"]).facts
    assert near(alone, np.array([0, 1]), 3, rng).tolist() == [0, 1]


def test_windows_are_pretrained_on() -> None:
    rng = np.random.default_rng(0)
    cut = windows([rng.standard_normal((3, 2000)) for _ in range(2)], length=128, stride=64)
    recipe = PretrainRecipe(epochs=1, batch_size=16, objective=objective("temporal"))
    subjects = [f"rest/{whose}" for whose in cut.recording]
    model = EEGNetClassifier(device="cpu")
    weights = pretrain_model(model, cut, recipe=recipe, subjects=subjects)
    assert weights.manifest["subjects"] == ["rest/0", "rest/1"]
