"""Input checks, probabilities, and the split into steps that learn nothing and the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyriemann.classification import MDM
from pyriemann.estimation import Covariances as PeerCovariances
from pyriemann.estimation import XdawnCovariances
from pyriemann.tangentspace import TangentSpace
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from eegvit.branches.base import about, probabilities
from eegvit.features.covariances import Covariances
from eegvit.registry import BRANCHES, resolve

HOISTED = {
    "chance": [],
    "csp_lda": ["covariances"],
    "fbcsp": ["covariances"],
    "tangent_space": ["covariances"],
    "fb_tangent_space": ["covariances"],
    "mdm": ["covariances"],
}


class Reference(TransformerMixin, BaseEstimator):
    """Subtracts the mean of its training trials, in an attribute that it always has."""

    def __init__(self) -> None:
        self.mean = None

    def fit(self, X: Any, y: Any = None) -> Reference:
        self.mean = X.mean(axis=0)
        return self

    def transform(self, X: Any) -> Any:
        return X - self.mean


def less_the_mean_trial(X: np.ndarray) -> np.ndarray:
    return X - X.mean(axis=0)


def less_the_mean_channel(X: np.ndarray) -> np.ndarray:
    return X - X.mean(axis=1, keepdims=True)


def leading(*steps: Any) -> list[str]:
    """Return the types of the steps that are computed once for each trial."""
    before, rest = about(make_pipeline(*steps)).per_trial()
    n = 0 if before is None else len(before)
    assert [type(s) for _, s in rest.steps] == [type(s) for s in steps[n:]]
    return [type(step).__name__ for step in steps[:n]]


@pytest.mark.parametrize("covariances", [Covariances(), PeerCovariances("oas")])
def test_covariances_are_hoisted(covariances: Any) -> None:
    assert leading(covariances, TangentSpace(), LogisticRegression()) == ["Covariances"]
    assert leading(FunctionTransformer(less_the_mean_channel), covariances, MDM()) == [
        "FunctionTransformer",
        "Covariances",
    ]
    assert leading("passthrough", covariances, MDM()) == ["str", "Covariances"]


@pytest.mark.parametrize(
    "learns",
    [
        XdawnCovariances(),
        Reference(),
        FunctionTransformer(less_the_mean_trial),
        SVC(),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_learns_or_mixes_trials_is_not_hoisted(learns: Any) -> None:
    assert leading(learns, Covariances(), MDM()) == []
    assert leading(Covariances(), learns, Covariances(), MDM()) == ["Covariances"]


def test_a_scaler_after_features_is_not_hoisted() -> None:
    logs = FunctionTransformer(np.std, kw_args={"axis": 2})
    assert leading(logs, StandardScaler(), LogisticRegression()) == ["FunctionTransformer"]
    assert leading(logs, Normalizer(), StandardScaler(), LogisticRegression()) == [
        "FunctionTransformer",
        "Normalizer",
    ]


def test_the_last_step_is_never_hoisted_and_a_lone_model_is_whole() -> None:
    model = LogisticRegression()
    assert about(model).per_trial() == (None, model)
    before, rest = about(Pipeline([("guess", DummyClassifier())])).per_trial()
    assert before is None and list(rest.named_steps) == ["guess"]


def test_finding_out_leaves_the_model_unfitted() -> None:
    step = Reference()
    about(make_pipeline(step, Covariances(), MDM())).per_trial()
    assert step.mean is None


@pytest.mark.parametrize("name", HOISTED)
def test_the_rest_on_hoisted_features_predicts_as_the_whole(name: str, trials: Any) -> None:
    cls = resolve(BRANCHES[name])
    model = cls(sfreq=trials.sfreq) if hasattr(cls, "sfreq") else cls()
    train, test = trials[:30], trials[30:]
    whole = model.fit(train.X, train.y).predict_proba(test.X)
    before, rest = about(model).per_trial()
    assert ([] if before is None else list(before.named_steps)) == HOISTED[name]
    features = trials.X if before is None else before.fit_transform(trials.X)
    told = probabilities(rest.fit(features[:30], train.y), features[30:])
    np.testing.assert_allclose(told, whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(told.argmax(axis=1), whole.argmax(axis=1))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_decision_functions_become_probabilities(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % n_classes
    X = rng.standard_normal((60, 4)) + 2 * np.eye(4)[y]
    model = LinearSVC().fit(X, y)
    told = probabilities(model, X)
    assert told.shape == (60, n_classes) and (told >= 0).all()
    np.testing.assert_allclose(told.sum(axis=1), 1)
    np.testing.assert_array_equal(told.argmax(axis=1), model.predict(X))
    if n_classes == 2:
        np.testing.assert_allclose(told[:, 1], 1 / (1 + np.exp(-model.decision_function(X))))


def test_a_model_that_only_predicts_is_certain() -> None:
    X, y = np.eye(3)[:, :, None].repeat(5, axis=2), np.array([0, 1, 2])

    class OnlyPredicts:
        classes_ = y

        def predict(self, X: np.ndarray) -> np.ndarray:
            return X[:, :, 0].argmax(axis=1)

    np.testing.assert_array_equal(probabilities(OnlyPredicts(), X), np.eye(3))


def test_what_is_wrong_with_the_input_is_said(trials: Any) -> None:
    model = resolve(BRANCHES["mdm"])()
    bad = trials.X.copy()
    bad[[3, 7], 5, 10] = np.nan
    for X, y, said in [
        (trials.X[0], trials.y, r"X\[None\]"),
        (bad, trials.y, "in 2 of 40 trials, first in trial 3, channel 5"),
        (trials.X[:0], trials.y[:0], "no trials"),
        (trials.X, trials.y[:-1], r"y has shape \(39,\) for 40 trials"),
        (trials.X, np.zeros(40), "one class only"),
    ]:
        with pytest.raises(ValueError, match=said):
            model.fit(X, y)
    model.fit(trials.X, trials.y)
    with pytest.raises(ValueError, match="7 channels x 256 times.*8 channels x 256 times"):
        model.predict(trials.X[:, :7])


def test_large_values_that_are_finite_are_not_refused(trials: Any) -> None:
    X = trials.X.copy()
    X[0] = 3e38  # their sum is beyond single precision
    assert np.isfinite(resolve(BRANCHES["mdm"])().check_X(X, reset=True)).all()


def test_integers_are_taken(trials: Any) -> None:
    whole = np.round(trials.X)
    model = resolve(BRANCHES["mdm"])()
    as_integers = model.fit(whole.astype(np.int16), trials.y).predict_proba(whole)
    np.testing.assert_allclose(as_integers, model.fit(whole, trials.y).predict_proba(whole))
