"""Tangent space classifiers against pyRiemann's tangent space and scikit-learn's regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from pyriemann.estimation import Covariances
from pyriemann.geometry.mean import mean_riemann
from pyriemann.tangentspace import TangentSpace
from scipy.signal import butter, sosfiltfilt
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from eegvit.branches.tangent import FBTangentSpaceClassifier, TangentSpaceClassifier
from eegvit.features.tangent import SeenFromOwnMean
from eegvit.preprocess.alignment import align_offline


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


BANDS: dict[str, Any] = {"bands": ((8.0, 12.0), (16.0, 24.0)), "estimator": "scm"}


@pytest.fixture
def two_sessions(make_trials: Any) -> tuple[Any, Any, np.ndarray]:
    """Return trials of two sessions as they come, and the session of each."""
    parts = [make_trials(n_trials=40, n_channels=4, contrast=3.0, seed=seed) for seed in (1, 2)]
    order = np.random.default_rng(0).permutation(80)
    X, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y"))
    return X[order], y[order], np.repeat(["a", "b"], 40)[order]


def pulled(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a positive matrix that is far from the identity."""
    A = rng.standard_normal((size, size))
    return np.asarray(A @ A.T + 0.1 * np.eye(size))


def test_a_map_of_each_band_s_channels_is_undone_exactly() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 2, 4, 60))
    C = SeenFromOwnMean().transform(X @ X.swapaxes(2, 3))
    A = np.stack([pulled(rng, 4), pulled(rng, 4)])  # another one in each band
    np.testing.assert_allclose(SeenFromOwnMean().transform(A @ C @ A), C, atol=1e-5)
    for band in range(2):
        np.testing.assert_allclose(mean_riemann(C[:, band]), np.eye(4), atol=1e-5)
    for any_session in (X, A @ X):  # but for a rotation
        seen = SeenFromOwnMean().transform(any_session @ any_session.swapaxes(2, 3))
        np.testing.assert_allclose(np.linalg.eigvalsh(seen), np.linalg.eigvalsh(C), rtol=1e-4)


@pytest.mark.parametrize("how", ["session", "causal"])
def test_a_shifted_session_is_predicted_as_if_it_was_not(two_sessions: Any, how: str) -> None:
    X, y, session = two_sessions
    model = FBTangentSpaceClassifier(sfreq=128.0, mean_of=how, **BANDS)
    plain = FBTangentSpaceClassifier(sfreq=128.0, **BANDS).fit(X, y)
    model.fit(X, y, sessions=session)
    expected = model.predict_proba(X, sessions=session)
    own = X[session == "b"] * np.float32(8)
    np.testing.assert_allclose(model.predict_proba(own), expected[session == "b"], atol=1e-4)
    assert np.abs(plain.predict_proba(own) - plain.predict_proba(own / 8)).max() > 0.01
    shifted = np.where((session == "b")[:, None, None], 8 * X, X)  # in training, too
    again = clone(model).fit(shifted, y, sessions=session)
    np.testing.assert_allclose(again.predict_proba(X, sessions=session), expected, atol=1e-4)


def test_any_map_of_a_session_s_channels_is_undone(two_sessions: Any) -> None:
    X, y, session = two_sessions
    X = np.concatenate([align_offline(X[session == name], "riemannian") for name in "ab"])
    y = np.concatenate([y[session == name] for name in "ab"])
    model = TangentSpaceClassifier(estimator="scm", mean_of="session")
    model.fit(X, y, sessions=np.repeat(["a", "b"], 40))
    mapped = (pulled(np.random.default_rng(3), 4) @ X[40:]).astype(np.float32)
    np.testing.assert_allclose(model.predict_proba(mapped), model.predict_proba(X[40:]), atol=1e-3)
    plain = TangentSpaceClassifier(estimator="scm").fit(X, y)
    assert plain.score(mapped, y[40:]) < 0.8 < 0.9 < model.score(mapped, y[40:])


def test_the_mean_of_the_trials_so_far_knows_no_later_one(two_sessions: Any) -> None:
    X, y, session = two_sessions
    own = X[session == "b"]
    model = FBTangentSpaceClassifier(sfreq=128.0, mean_of="causal", **BANDS)
    told = model.fit(X, y, sessions=session).predict_proba(own)
    np.testing.assert_allclose(model.predict_proba(own[:25]), told[:25], atol=1e-9)
    later = np.concatenate([own[:25], 5 * own[25:]])
    np.testing.assert_allclose(model.predict_proba(later)[:25], told[:25], atol=1e-9)
    whole = model.set_params(mean_of="session").fit(X, y, sessions=session).predict_proba(own)
    assert np.abs(model.predict_proba(own[:25]) - whole[:25]).max() > 1e-3


def test_sessions_reach_it_by_metadata_routing(two_sessions: Any) -> None:
    X, y, session = two_sessions
    gains = np.where((session == "b")[:, None], [1.0, 30.0, 1.0, 0.1], 1.0)
    X = X * gains[:, :, None]
    model = make_pipeline(TangentSpaceClassifier(mean_of="session"))
    with sklearn.config_context(enable_metadata_routing=True):
        routed = model.fit(X, y, sessions=session).predict_proba(X[session == "a"])
    own = TangentSpaceClassifier(mean_of="session").fit(X, y, sessions=session)
    np.testing.assert_array_equal(routed, own.predict_proba(X[session == "a"]))
    without = TangentSpaceClassifier(mean_of="session").fit(X, y)
    assert np.abs(without.predict_proba(X[session == "a"]) - routed).max() > 0.01
    with pytest.raises(ValueError, match=r"sessions has shape \(79,\) for 80 trials"):
        own.predict_proba(X, sessions=session[1:])
    with pytest.raises(ValueError, match="mean_of='person': it is one of training, session"):
        TangentSpaceClassifier(mean_of="person").fit(X, y)


def test_patterns_are_those_of_the_channels(make_trials: Any) -> None:
    """A source at one channel shows there, whatever the session's gain."""
    rng = np.random.default_rng(0)
    X, y, session = rng.standard_normal((200, 3, 128)), np.tile([0, 1], 100), np.arange(200) // 100
    X[y == 1, 1] *= 2
    X = X * np.array([1.0, 5.0])[session, None, None]
    model = TangentSpaceClassifier(mean_of="session").fit(X, y, sessions=session)
    assert np.abs(model.patterns_[:, 0]).argmax() == 1
