"""FBCSP finds rhythms in any band, and every parameter of it has an effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.fbcsp import FBCSPClassifier

SFREQ, N_CHANNELS = 128.0, 6


def rhythms(
    hz: tuple[float, ...], n: int = 60, contrast: float = 0.8, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return noise in which class k has narrow-band noise at `hz[k]` in a mixture of channels."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % len(hz))
    time = np.arange(256) / SFREQ
    X = rng.standard_normal((n, N_CHANNELS, 256))
    for k, centre in enumerate(hz):
        pattern = np.random.default_rng([7, k]).standard_normal(N_CHANNELS)
        rows = np.flatnonzero(y == k)
        for f in centre + np.linspace(-1, 1, 5):
            phase, amplitude = rng.uniform(0, 2 * np.pi, len(rows)), rng.rayleigh(1, len(rows))
            wave = amplitude[:, None] * np.sin(2 * np.pi * f * time + phase[:, None])
            X[rows] += contrast / np.sqrt(5) * pattern[:, None] * wave[:, None]
    return X, y


def louder(hz: float, n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two classes of which only the second has the rhythm."""
    X, y = rhythms((hz, hz), n, seed=seed)
    quiet, _ = rhythms((hz, hz), n, contrast=0.3, seed=seed)
    return np.where((y == 1)[:, None, None], X, quiet), y


@pytest.mark.parametrize("hz", [10.0, 26.0])
def test_a_class_told_by_a_rhythm_is_found_wherever_it_is(hz: float) -> None:
    X, y = louder(hz)
    model = FBCSPClassifier(sfreq=SFREQ)
    assert cross_val_score(model, X, y, cv=5, scoring="roc_auc").mean() > 0.95
    selection = model.fit(X, y).pipeline_["select"]
    bands = [i for i, band in enumerate(selection.chosen_) if band.any()]
    lows = [model.bands[i][0] for i in bands]
    assert any(low <= hz < low + 4 for low in lows)


def test_labels_without_a_signal_are_chance() -> None:
    X, _ = louder(26.0)
    y = np.random.default_rng(3).permutation(np.arange(60) % 2)
    score = cross_val_score(FBCSPClassifier(sfreq=SFREQ), X, y, cv=5, scoring="roc_auc").mean()
    assert 0.25 < score < 0.75


GRIDS: dict[str, list[Any]] = {
    "bands": [((4.0, 8.0), (8.0, 12.0)), ((24.0, 28.0), (28.0, 32.0))],
    "n_components": [2, 6],
    "n_selected": [1, 8, None],
    "multiclass": ["ovr", "joint"],
    "shrinkage": [0.0, 0.6, 0.95],
    "estimator": ["scm", "oas", "lwf"],
    "classifier": ["lda", "logistic", "svm"],
}


@pytest.mark.parametrize("name", GRIDS)
def test_grid_search_over_each_parameter_changes_the_model(name: str) -> None:
    X, y = rhythms((9.0, 14.0, 26.0), n=54, contrast=0.35)
    X, test = X[:, :, :64], X[:, :, 64:128]  # half a second: estimators must differ
    model = FBCSPClassifier(sfreq=SFREQ)
    search = GridSearchCV(
        model, {name: GRIDS[name]}, cv=3, scoring="neg_log_loss", error_score="raise"
    )
    search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores.tolist())) == len(GRIDS[name]), scores
    told = [
        FBCSPClassifier(sfreq=SFREQ, **{name: value}).fit(X, y).predict_proba(test)
        for value in GRIDS[name]
    ]
    for i, one in enumerate(told):
        for other in told[i + 1 :]:
            assert np.abs(one - other).max() > 1e-6


def test_every_parameter_is_searched() -> None:
    assert set(GRIDS) == set(FBCSPClassifier().get_params(deep=False)) - {"sfreq"}


def test_a_classifier_of_ones_own_with_its_parameters() -> None:
    X, y = rhythms((10.0, 22.0), n=40)
    model = FBCSPClassifier(sfreq=SFREQ, classifier=SVC())
    assert "classifier__C" in model.get_params()
    model.set_params(classifier__C=1e-3).fit(X, y)
    assert model.pipeline_["classify"].C == 1e-3
    assert not hasattr(model.classifier, "classes_")  # the given one stays unfitted
    search = GridSearchCV(
        FBCSPClassifier(sfreq=SFREQ, classifier=LogisticRegression()),
        {"classifier__C": [1e-4, 1e2]},
        cv=3,
        scoring="neg_log_loss",
    )
    low, high = search.fit(X, y).cv_results_["mean_test_score"]
    assert low < high
    plain = make_pipeline(FunctionTransformer(), LinearDiscriminantAnalysis())
    assert FBCSPClassifier(sfreq=SFREQ, classifier=plain).fit(X, y).score(X, y) > 0.8


def test_an_unknown_classifier_is_refused() -> None:
    X, y = rhythms((10.0, 22.0), n=20)
    with pytest.raises(ValueError, match="classifier 'forest' is not one of lda, logistic, svm"):
        FBCSPClassifier(sfreq=SFREQ, classifier="forest").fit(X, y)


def test_a_band_beyond_the_sampling_rate_is_refused() -> None:
    X, y = rhythms((10.0, 22.0), n=20)
    with pytest.raises(ValueError, match="band 28-32 Hz does not lie between 0 and 30 Hz"):
        FBCSPClassifier(sfreq=60.0).fit(X, y)


def test_bands_separate_what_the_broad_band_mixes() -> None:
    """Two classes of the same power in the same direction, at 10 or at 26 Hz."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    time = np.arange(256) / SFREQ
    hz = np.array([10.0, 26.0])[y] + rng.uniform(-1, 1, 80)
    wave = np.sin(2 * np.pi * hz[:, None] * time + rng.uniform(0, 2 * np.pi, (80, 1)))
    pattern = np.linspace(-1, 1, N_CHANNELS)[:, None]
    X = rng.standard_normal((80, N_CHANNELS, 256)) + pattern * wave[:, None]
    wide = cross_val_score(CSPLDAClassifier(), X, y, cv=5).mean()
    banded = cross_val_score(FBCSPClassifier(sfreq=SFREQ), X, y, cv=5).mean()
    assert banded > 0.95 and wide < 0.75
