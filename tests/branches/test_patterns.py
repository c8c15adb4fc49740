"""Patterns show where the sources are that a classifier goes by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.fbcsp import FBCSPClassifier
from eegvit.branches.mdm import MDMClassifier
from eegvit.branches.tangent import FBTangentSpaceClassifier, TangentSpaceClassifier
from eegvit.features.csp import CSP
from eegvit.pretrain import FineTunedClassifier

SHORT: dict[str, Any] = {"epochs": 30, "batch_size": 16, "learning_rate": 5e-3, "device": "cpu"}
N_CHANNELS = 6


@pytest.fixture(scope="module")
def mixed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return trials, labels and the mixing of sources, two of which differ between classes."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((N_CHANNELS, N_CHANNELS))
    S = rng.standard_normal((120, N_CHANNELS, 200))
    time = np.arange(200) / 100
    S += 0.5 * np.sin(2 * np.pi * 10 * time + rng.uniform(0, 6, (120, N_CHANNELS, 1)))
    y = np.arange(120) % 2
    S[y == 0, 0] *= 3
    S[y == 1, 1] *= 3
    return (mixing @ S).astype(np.float32), y, mixing


def likeness(patterns: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return how like each column is to the topography of a source, whatever its sign."""
    return np.abs(patterns.T @ source) / np.linalg.norm(patterns, axis=0) / np.linalg.norm(source)


@pytest.mark.parametrize("cls", [CSPLDAClassifier, TangentSpaceClassifier])
def test_two_sources_are_found(cls: Any, mixed: Any) -> None:
    X, y, mixing = mixed
    found = cls().fit(X, y).patterns_
    assert found.shape == (N_CHANNELS, 6)
    best = found if cls is CSPLDAClassifier else found[:, :2]  # the most telling come first
    for k in (0, 1):
        assert likeness(best, mixing[:, k]).max() > 0.98


@pytest.mark.parametrize("cls", [FBCSPClassifier, FBTangentSpaceClassifier])
def test_filter_banks_have_patterns_in_each_band(cls: Any, mixed: Any) -> None:
    X, y, mixing = mixed
    bands = ((6.0, 14.0), (14.0, 22.0), (22.0, 30.0))
    found = cls(bands=bands, sfreq=100.0).fit(X, y).patterns_
    assert found.shape[:2] == (3, N_CHANNELS)
    for band in found:
        assert likeness(band, mixing[:, 0]).max() > 0.9
        assert likeness(band, mixing[:, 1]).max() > 0.9


def test_all_patterns_of_csp_are_the_inverse_of_its_filters(mixed: Any) -> None:
    X, y, _ = mixed
    C = X.astype(np.float64) @ X.swapaxes(1, 2) / 200
    csp = CSP(n_components=N_CHANNELS, shrinkage=0.0).fit(C, y)
    np.testing.assert_allclose(csp.patterns_[0] @ csp.filters_[0, 0], np.eye(N_CHANNELS), atol=1e-6)


def test_sets_of_several_classes_lie_side_by_side(mixed: Any) -> None:
    X, y, _ = mixed
    y = y + (np.arange(120) % 3 == 0)
    found = CSPLDAClassifier(n_components=4).fit(X, y).patterns_
    assert found.shape == (N_CHANNELS, 3 * 4)
    assert TangentSpaceClassifier().fit(X, y).patterns_.shape == (N_CHANNELS, 3 * N_CHANNELS)


def test_the_tangent_classifier_is_its_pipeline(mixed: Any) -> None:
    X, y, _ = mixed
    model = TangentSpaceClassifier()
    told = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(told, model.pipeline().fit(X, y).predict_proba(X))


def test_eegnet_shows_its_spatial_filters(mixed: Any) -> None:
    X, y, mixing = mixed
    model = EEGNetClassifier(n_filters=4, kernel_length=32, **SHORT).fit(X, y)
    assert model.patterns_.shape == (N_CHANNELS, 4 * 2)
    assert model.score(X, y) > 0.9
    for k in (0, 1):
        assert likeness(model.patterns_, mixing[:, k]).max() > 0.9
    gain = np.geomspace(1, 100, N_CHANNELS)[:, None]
    scaled = EEGNetClassifier(n_filters=4, kernel_length=32, **SHORT).fit(gain * X, y)
    np.testing.assert_allclose(scaled.patterns_, gain * model.patterns_, rtol=0.2, atol=1.0)


def test_a_fine_tuned_model_has_the_patterns_of_its_network(mixed: Any) -> None:
    X, y, _ = mixed
    network = EEGNetClassifier(**SHORT | {"epochs": 1})
    model = FineTunedClassifier(model=network, objective="none", finetune_steps=2).fit(
        X[:32], y[:32]
    )
    assert model.patterns_.shape == (N_CHANNELS, 16)


def test_there_are_none_before_fit_or_without_spatial_filters(mixed: Any) -> None:
    X, y, _ = mixed
    for model in (CSPLDAClassifier(), EEGNetClassifier()):
        assert not hasattr(model, "patterns_")
        with pytest.raises(NotFittedError):
            model.patterns_  # noqa: B018
    assert not hasattr(MDMClassifier().fit(X, y), "patterns_")
