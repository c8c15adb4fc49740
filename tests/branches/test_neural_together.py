"""Classifiers fitted together are those fitted one by one."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
import pytest

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural_together import fit_together
from eegvit.branches.shallow import ShallowConvNetClassifier

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu"}


def data(n: int = 48) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["left", "none", "right"])[np.arange(n) % 3]
    X = rng.standard_normal((n, 4, 128)).astype(np.float32)
    X[:, 1] *= 1 + 2 * (y == "left")[:, None]
    return X, y, np.repeat(list("abcdef"), n // 6)


@pytest.mark.parametrize("validation", [0.0, 0.4])
def test_equal_to_one_by_one(validation: float) -> None:
    X, y, people = data()
    trials = [np.flatnonzero(people != out) for out in "abc"]
    trials[1] = trials[1][:-5]

    def make(seed: int) -> EEGNetClassifier:
        return EEGNetClassifier(**SHORT, validation=validation, random_state=seed)

    models = [make(seed) for seed in (0, 0, 7)]
    fit_together(models, X, y, trials, groups=people)
    for model, seed, own in zip(models, (0, 0, 7), trials, strict=True):
        alone = make(seed).fit(X[own], y[own], groups=people[own])
        np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), atol=1e-4)
        assert model.classes_.tolist() == ["left", "none", "right"]
        assert model.n_parameters_ == alone.n_parameters_
        assert [r.keys() for r in model.history_] == [r.keys() for r in alone.history_]
        for record, its in zip(model.history_, alone.history_, strict=True):
            np.testing.assert_allclose(list(record.values()), list(its.values()), atol=1e-4)
        assert not hasattr(model, "sfreq") and model.n_times_in_ == 128


def test_epochs_and_networks_that_need_their_rate() -> None:
    X, y, _ = data()
    info = mne.create_info(["Fz", "C3", "Cz", "C4"], 128.0, "eeg")
    epochs = mne.EpochsArray(1e-6 * X.astype(float), info, verbose="error")
    models = [BraindecodeClassifier(**SHORT, model="EEGNet", random_state=seed) for seed in (0, 1)]
    fit_together(models, epochs, y, [np.arange(48)] * 2)
    alone = BraindecodeClassifier(**SHORT, model="EEGNet", random_state=1).fit(epochs, y)
    assert models[1].sfreq_ == 128.0
    np.testing.assert_allclose(
        models[1].predict_proba(epochs), alone.predict_proba(epochs), atol=1e-4
    )
    assert models[1].module_.state_dict().keys() == alone.module_.state_dict().keys()


def test_each_finds_lines_on_its_own_trials() -> None:
    X, y, people = data()
    named: dict[str, Any] = {"sfreq": 64.0, "ch_names": ("C3", "C4", "Cz", "Pz")}
    trials = [np.flatnonzero(people != out) for out in "ab"]
    models = [EfficientViTClassifier(**SHORT, **named) for _ in trials]
    people = np.arange(len(X)) % 5
    fit_together(models, X, y, trials, groups=people)
    for model, own in zip(models, trials, strict=True):
        alone = EfficientViTClassifier(**SHORT, **named).fit(X[own], y[own], groups=people[own])
        assert "people_" not in vars(model) | vars(alone)
        lines = [fitted.module_[1].lines.state_dict() for fitted in (model, alone)]
        assert lines[0]["judges.0.weight"].any() and lines[0]["shares"].std() > 0
        for name, value in lines[1].items():
            np.testing.assert_allclose(lines[0][name], value, atol=1e-4)


def test_what_does_not_belong_together_is_refused() -> None:
    X, y, _ = data()
    every = [np.arange(48)] * 2
    for odd in (EEGNetClassifier(**SHORT | {"epochs": 3}), ShallowConvNetClassifier(**SHORT)):
        with pytest.raises(ValueError, match="random_state"):
            fit_together([EEGNetClassifier(**SHORT), odd], X, y, every)
    models = [EEGNetClassifier(**SHORT, random_state=seed) for seed in (0, 1)]
    with pytest.raises(ValueError, match="same classes"):
        fit_together(models, X, y, [np.arange(48), np.flatnonzero(y != "none")])
    usual = [EEGNetClassifier(batch_size=8, device="cpu", random_state=seed) for seed in (0, 1)]
    with pytest.raises(ValueError, match="different epochs"):
        fit_together(usual, X, y, [np.arange(48), np.arange(24)])
