"""Tangent space classifiers against pyRiemann's tangent space and scikit-learn's regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyriemann.estimation import Covariances
from pyriemann.tangentspace import TangentSpace
from scipy.signal import butter, sosfiltfilt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from eegvit.branches.tangent import FBTangentSpaceClassifier, TangentSpaceClassifier


@pytest.mark.parametrize("estimator", ["oas", "lwf"])
def test_broad_band_is_pyriemanns_pipeline(make_trials: Any, estimator: str) -> None:
    train, test = make_trials(contrast=0.5, seed=1), make_trials(contrast=0.5, n_trials=100, seed=2)
    peer = make_pipeline(
        Covariances(estimator), TangentSpace(), LogisticRegression(C=0.1, max_iter=2000)
    )
    found = TangentSpaceClassifier(estimator=estimator).fit(train.X, train.y).predict_proba(test.X)
    expected = peer.fit(train.X.astype(float), train.y).predict_proba(test.X.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_bands_are_pyriemanns_pipeline_of_each_side_by_side(make_trials: Any) -> None:
    train, test = make_trials(contrast=0.5, seed=1), make_trials(contrast=0.5, n_trials=60, seed=2)
    bands = ((8.0, 12.0), (12.0, 20.0))
    parts: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for band in bands:
        sos = butter(4, band, "bandpass", fs=train.sfreq, output="sos")
        steps = make_pipeline(Covariances("oas"), TangentSpace())
        filtered = [sosfiltfilt(sos, t.X, padlen=128) for t in (train, test)]
        parts["train"].append(steps.fit(filtered[0]).transform(filtered[0]))
        parts["test"].append(steps.transform(filtered[1]))
    X, T = (np.concatenate(parts[name], axis=1) for name in ("train", "test"))
    expected = LogisticRegression(C=0.01, max_iter=2000).fit(X, train.y).predict_proba(T)
    model = FBTangentSpaceClassifier(bands=bands, sfreq=train.sfreq)
    found = model.fit(train.X, train.y).predict_proba(test.X)
    np.testing.assert_allclose(found, expected, atol=5e-3)  # filters differ at the ends


@pytest.mark.parametrize("cls", [TangentSpaceClassifier, FBTangentSpaceClassifier])
def test_three_classes_are_told_apart_on_new_trials(make_trials: Any, cls: Any) -> None:
    data = make_trials(n_trials=60, classes=("a", "b", "c"))
    model = cls() if cls is TangentSpaceClassifier else cls(sfreq=data.sfreq)
    assert cross_val_score(model, data.X, data.labels, cv=3).mean() > 0.9


@pytest.mark.parametrize(
    "change", [{"C": 10.0}, {"estimator": "scm"}, {"bands": ((20.0, 30.0),)}], ids=str
)
def test_each_parameter_has_an_effect(make_trials: Any, change: dict[str, Any]) -> None:
    data = make_trials(n_times=64, contrast=1.0)
    models = [FBTangentSpaceClassifier(sfreq=data.sfreq, **given) for given in ({}, change)]
    usual, changed = (m.fit(data.X, data.y).predict_proba(data.X) for m in models)
    assert np.abs(usual - changed).max() > 1e-3


def test_a_dependent_channel_does_no_harm(trials: Any) -> None:
    X = trials.X.copy()
    X[:, -1] = -X[:, :-1].sum(axis=1)  # average reference
    for model in (TangentSpaceClassifier(), FBTangentSpaceClassifier(sfreq=trials.sfreq)):
        told = model.fit(X[:30], trials.y[:30]).predict_proba(X[30:])
        assert np.isfinite(told).all()
        assert np.mean(told.argmax(axis=1) == trials.y[30:]) > 0.8
