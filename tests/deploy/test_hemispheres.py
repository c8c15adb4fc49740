"""Hemispheres that share their weights, from training to a file and to ONNX: still a mirror."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.compress import prune
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.onnx import export, load
from eegvit.preprocess.reflection import opposite
from eegvit.registry import installed
from eegvit.trials import Trials

NAMES = ("C3", "C1", "Cz", "C2", "C4", "FC3", "FC4", "CPz")
MIRROR = list(opposite(NAMES, "a test"))
SHORT: dict[str, Any] = {"ch_names": NAMES, "epochs": 2, "batch_size": 8, "device": "cpu"}
LACKING = [name for name in ("onnx", "onnxruntime", "onnxscript") if not installed(name)]
onnx = pytest.mark.skipif(bool(LACKING), reason=f"ONNX MISSING: {LACKING}; install '.[deploy]'")


@pytest.fixture
def model(trials: Trials) -> EfficientViTClassifier:
    """Return a classifier fitted to trials whose left is three times as strong as their right."""
    X = trials.X.copy()
    X[:, [0, 1, 5]] *= 3
    chosen: dict[str, Any] = {"layout": "scalp", "hemispheres": "shared", "sfreq": trials.sfreq}
    return EfficientViTClassifier(**SHORT, **chosen).fit(X, trials.labels)


def assert_mirrors(model: EfficientViTClassifier, X: np.ndarray) -> None:
    """Check that mirrored trials give mirrored maps, standardisation and all."""
    standardise, network = model.module_  # type: ignore[misc]
    with torch.no_grad():
        one, image = (
            network.forward_features(standardise(torch.from_numpy(each)))[-1]
            for each in (X, np.ascontiguousarray(X[:, MIRROR]))
        )
    turned = network.layout.halves.mirrored(image, 2)
    assert (turned - one).abs().max() < 1e-4 * one.abs().max()
    assert (image - one).abs().max() > 1e-2 * one.abs().max()


def test_what_was_trained_is_a_mirror_and_so_is_what_it_attends_to(
    model: EfficientViTClassifier, trials: Trials
) -> None:
    assert_mirrors(model, trials.X)
    received = model.attention_received(trials.X)
    image = model.attention_received(trials.X[:, MIRROR])
    np.testing.assert_allclose(image[:, MIRROR], received, rtol=1e-3)
    apart = clone(model).set_params(hemispheres="apart").fit(trials.X, trials.labels)
    assert model.n_parameters_ < apart.n_parameters_
    with pytest.raises(AttributeError, match="halves"):
        assert_mirrors(apart, trials.X)
    other = apart.attention_received(trials.X[:, MIRROR])[:, MIRROR]
    assert np.abs(other - apart.attention_received(trials.X)).max() > 0.01 * received.max()


def test_pruned_it_is_a_mirror_of_half_the_size_in_a_file_too(
    model: EfficientViTClassifier,
    trials: Trials,
    decoder_of: Callable[..., Decoder],
    tmp_path: Path,
) -> None:
    small: Any = prune(model, trials.X, trials.labels, to=0.5, rounds=2)
    assert 0.3 < small.count_macs() / model.count_macs() <= 0.503
    assert len(small.module_[1].layout.front.temporal) < len(model.module_[1].layout.front.temporal)  # type: ignore[index]
    assert_mirrors(small, trials.X)
    for one in (model, small):
        told = one.predict_proba(trials.X)
        decoder_of(one, trials).save(tmp_path / "it")
        loaded: Any = Decoder.load(tmp_path / "it").model
        np.testing.assert_allclose(loaded.predict_proba(trials.X), told, atol=1e-6)
        again = pickle.loads(pickle.dumps(one))
        np.testing.assert_array_equal(again.predict_proba(trials.X), told)
        assert_mirrors(loaded, trials.X)


@onnx
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("layout", ["scalp", "both"])
def test_in_onnx_it_says_the_same(
    layout: Any, trials: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    model = EfficientViTClassifier(
        **SHORT, layout=layout, hemispheres="shared", sfreq=trials.sfreq
    ).fit(trials.X, trials.labels)
    decoder = decoder_of(model, trials)
    assert export(decoder, tmp_path / "it.onnx") < 1e-5
    told = load(tmp_path / "it.onnx").probabilities(trials.X)
    np.testing.assert_allclose(told, model.predict_proba(trials.X), atol=1e-5)
