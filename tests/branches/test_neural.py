"""What every trained branch does beyond the contract of all branches."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import eegvit.train
from eegvit.branches import neural
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural import hold_out
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.preprocess.signals import channel_moments

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 16, "device": "cpu"}


@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier])
@pytest.mark.parametrize("shape", [(3, 500), (8, 206), (8, 512), (22, 1000), (64, 480)])
def test_shapes(cls: Any, shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).standard_normal((8, *shape), dtype=np.float32)
    model = cls(epochs=1, device="cpu").fit(X, np.arange(8) % 4)
    assert model.predict_proba(X).shape == (8, 4)
    with pytest.raises(ValueError, match="longer window"):
        cls(epochs=1, device="cpu").fit(X[:, :, :25], np.arange(8) % 4)


def test_predictions_do_not_depend_on_the_company(trials: Any) -> None:
    model = EEGNetClassifier(**SHORT | {"epochs": 10}).fit(trials.X, trials.labels)
    X = np.concatenate([trials.X] * 4)  # more than a batch
    whole = model.predict_proba(X)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(model.predict_proba(X[order]), whole[order], atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X[::3]), whole[::3], atol=1e-6)
    one = np.concatenate([model.predict_proba(x[None]) for x in X[:20]])
    np.testing.assert_allclose(one, whole[:20], atol=1e-6)


def test_the_callers_random_state_neither_matters_nor_changes(trials: Any) -> None:
    model = EEGNetClassifier(**SHORT, augment=("noise", "channel_dropout"))
    torch.manual_seed(0)
    first = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(1), after)
    second = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
    np.testing.assert_array_equal(first, second)


def test_scale_and_offset_of_a_channel_do_not_matter(trials: Any) -> None:
    gain = np.geomspace(0.1, 1e3, trials.n_channels)[:, None]
    odd = (trials.X * gain + 50 * gain).astype(np.float64)
    model = EEGNetClassifier(**SHORT)
    expected = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
    found = clone(model).fit(odd, trials.labels).predict_proba(odd)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_standardisation_sees_training_rows_only(people: Any) -> None:
    model = EEGNetClassifier(**SHORT, validation=0.34)
    _, held_out = hold_out(people.y, people.subject, 0.34, 0)
    assert held_out is not None
    X = people.X.copy()
    X[held_out] *= 1e4
    first = clone(model).fit(people.X, people.labels, groups=people.subject)
    second = clone(model).fit(X, people.labels, groups=people.subject)
    np.testing.assert_array_equal(first.predict_proba(people.X), second.predict_proba(people.X))
    assert first.history_[0]["valid_loss"] != second.history_[0]["valid_loss"]


def test_whole_people_are_held_out(people: Any) -> None:
    seen = set()
    for seed in range(8):
        rows, held_out = hold_out(people.y, people.subject, 0.3, seed)
        assert held_out is not None
        assert len(set(people.subject[held_out])) == 1
        assert not set(people.subject[rows]) & set(people.subject[held_out])
        assert sorted([*rows, *held_out]) == list(range(len(people)))
        seen |= set(people.subject[held_out])
    assert len(seen) > 1, "the seed has no say"


def test_of_one_person_the_last_trials_are_held_out() -> None:
    y = np.array([0] * 10 + [1] * 20)
    rows, held_out = hold_out(y, ["1"] * 30, 0.2, seed=0)
    assert held_out is not None
    assert held_out.tolist() == [8, 9, 26, 27, 28, 29] and len(rows) == 24


def test_wrong_validation_is_refused(people: Any) -> None:
    with pytest.raises(ValueError, match="share of the people"):
        hold_out(people.y, None, 1.0, 0)
    with pytest.raises(ValueError, match="groups has shape"):
        hold_out(people.y, people.subject[1:], 0.5, 0)
    with pytest.raises(ValueError, match="every trial of class number"):
        hold_out(np.array([0, 0, 1]), None, 0.5, 0)
    with pytest.raises(ValueError, match="patience needs validation"):
        EEGNetClassifier(**SHORT, patience=3).fit(people.X, people.labels)


def test_few_trials_are_seen_more_often_unless_epochs_are_given(monkeypatch: Any) -> None:
    for cls, usual in ((EEGNetClassifier, 40), (EfficientViTClassifier, 20)):
        assert cls().recipe().epochs == cls().recipe(64 * 400 // usual).epochs == usual
        assert cls().recipe(65).epochs == 200, "two steps an epoch, 400 in all"
        assert cls(batch_size=8).recipe(40).epochs == 80
        assert cls(epochs=3).recipe(8).epochs == 3
    with pytest.raises(ValueError, match="epochs=0"):
        EEGNetClassifier(epochs=0).recipe(8)
    monkeypatch.setattr(neural, "LEAST_STEPS", 9)
    monkeypatch.setattr(EEGNetClassifier, "usual_epochs", 2)
    X, y = np.random.default_rng(0).standard_normal((20, 3, 128)), np.arange(20) % 2
    model = EEGNetClassifier(batch_size=8, device="cpu").fit(X, y)
    assert len(model.history_) == 3
    model = EEGNetClassifier(batch_size=8, validation=0.4, device="cpu").fit(X, y)
    assert len(model.history_) == 5, "12 trials are left to train on: two steps an epoch"


def test_early_stopping(people: Any) -> None:
    model = EEGNetClassifier(
        epochs=60, batch_size=16, learning_rate=0.02, validation=0.34, patience=2, device="cpu"
    ).fit(people.X, people.labels, groups=people.subject)
    assert len(model.history_) < 60 and "valid_loss" in model.history_[0]


def test_moments_in_chunks(trials: Any) -> None:
    rows = np.arange(0, len(trials), 3)
    mean, deviation = channel_moments(trials.X, rows, chunk=4)
    np.testing.assert_allclose(mean, trials.X[rows].mean((0, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(deviation, trials.X[rows].std((0, 2)), rtol=1e-5)


def test_a_dead_channel_does_no_harm(trials: Any) -> None:
    X = trials.X.copy()
    X[:, 2] = 3.7
    p = EEGNetClassifier(**SHORT).fit(X, trials.labels).predict_proba(X)
    assert np.isfinite(p).all()


def test_what_is_recorded(make_trials: Any) -> None:
    trials = make_trials(n_channels=8, n_times=128)
    model = EEGNetClassifier(**SHORT).fit(trials.X, trials.labels)
    assert len(model.history_) == 2
    assert set(model.history_[0]) == {"learning_rate", "train_loss"}
    # temporal 8*64, norm 16, spatial 16*8, norm 32, separable 16*16 + 16*16, norm 32, head
    assert model.n_parameters_ == 512 + 16 + 128 + 32 + 256 + 256 + 32 + (16 * 4 * 2 + 2)
    assert next(model.module_.parameters()).device.type == "cpu"
    assert not model.module_.training
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict(trials.X), model.predict(trials.X))


def test_checkpoint_is_passed_on(
    trials: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = EEGNetClassifier(**SHORT).fit(trials.X, trials.labels).predict_proba(trials.X)
    checkpoint = tmp_path / "fit.pt"
    train = eegvit.train.train

    def interrupted(*args: Any, **settings: Any) -> Any:
        def stop(epoch: int, record: Any) -> None:
            raise KeyboardInterrupt

        return train(*args, **settings | {"save_every": 0, "on_epoch": stop})

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(eegvit.train, "train", interrupted)
        EEGNetClassifier(**SHORT).fit(trials.X, trials.labels, checkpoint=checkpoint)
    assert checkpoint.exists()
    model = EEGNetClassifier(**SHORT).fit(trials.X, trials.labels, checkpoint=checkpoint)
    np.testing.assert_array_equal(model.predict_proba(trials.X), expected)
    assert not checkpoint.exists()


def test_an_unavailable_device_is_refused(trials: Any) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match="there is none here"):
        EEGNetClassifier(**SHORT | {"device": "cuda"}).fit(trials.X, trials.labels)
