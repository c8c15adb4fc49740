"""Pruned networks of every kind: as small as asked, saved, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural import NeuralClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.compress import PrunedClassifier, prune
from eegvit.deploy.decoder import Decoder
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu"}
EEGNET = EEGNetClassifier(kernel_length=16, **SHORT)
MODELS: dict[str, NeuralClassifier] = {
    "eegnet": EEGNET,
    "shallow": ShallowConvNetClassifier(**SHORT),
    "spiking": SpikingClassifier(sfreq=128.0, **SHORT),
    **{
        family: EfficientViTClassifier(sfreq=128.0, family=family, layout="scalp", **SHORT)
        for family in ("cascaded", "linear", "former", "multiscale")
    },
}


@pytest.fixture(params=list(MODELS))
def model(request: pytest.FixtureRequest) -> NeuralClassifier:
    return MODELS[request.param]


def test_every_network_falls_to_its_budget_and_is_put_together_again(
    model: NeuralClassifier, trials: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    whole = clone(model).fit(trials.X, trials.labels)
    small = prune(whole, trials.X, trials.labels, to=0.5, rounds=2)
    assert 0.3 < small.count_macs() / whole.count_macs() <= 0.503
    assert small.n_parameters_ < whole.n_parameters_
    assert type(small) is type(whole) and type(small.module_[1]) is type(whole.module_[1])
    told = small.predict_proba(trials.X)
    assert told.shape == (len(trials), 2) and len(small.cuts_) == 2
    for name, one in (("whole", whole), ("small", small)):
        decoder_of(one, trials).save(tmp_path / name)
    assert (tmp_path / "small").stat().st_size < (tmp_path / "whole").stat().st_size
    loaded: Any = Decoder.load(tmp_path / "small").model
    np.testing.assert_allclose(loaded.predict_proba(trials.X), told, atol=1e-6)
    assert loaded.count_macs() == small.count_macs() and loaded.cuts_ == small.cuts_


def test_a_decoder_holds_it(
    trials: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    pruned = PrunedClassifier(model=EEGNET, rounds=2).fit(trials.X, trials.labels)
    decoder_of(pruned, trials).save(tmp_path / "it")
    loaded: Any = Decoder.load(tmp_path / "it").model
    assert type(loaded) is PrunedClassifier
    told = pruned.predict_proba(trials.X)
    np.testing.assert_allclose(loaded.predict_proba(trials.X), told, atol=1e-6)


@pytest.mark.parametrize("name", ["eegnet", "cascaded", "linear"])
def test_a_decoder_holds_one_that_grew_in_places(
    name: str, trials: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    moved = PrunedClassifier(model=MODELS[name], to=1.0, rounds=1, move=True)
    told = moved.fit(trials.X, trials.labels).predict_proba(trials.X)
    _, more = moved.model_.cuts_
    assert any(len(set(own)) < len(own) for own in more.values())
    decoder_of(moved, trials).save(tmp_path / "it")
    loaded: Any = Decoder.load(tmp_path / "it").model
    np.testing.assert_allclose(loaded.predict_proba(trials.X), told, atol=1e-6)
