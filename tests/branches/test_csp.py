"""CSP and LDA against pyRiemann's CSP and scikit-learn's LDA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyriemann.estimation import Covariances
from pyriemann.spatialfilters import CSP
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from eegvit.branches.csp import CSPLDAClassifier

THREE = ("feet", "left_hand", "right_hand")


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_all_filters_of_two_classes_decide_as_pyriemanns_do(
    make_trials: Any, estimator: str
) -> None:
    train, test = make_trials(contrast=0.5, seed=1), make_trials(contrast=0.5, n_trials=200, seed=2)
    ours = CSPLDAClassifier(n_components=8, shrinkage=0.0, estimator=estimator)
    peer = make_pipeline(Covariances(estimator), CSP(nfilter=8), LinearDiscriminantAnalysis())
    found = ours.fit(train.X, train.y).predict_proba(test.X)
    expected = peer.fit(train.X.astype(float), train.y).predict_proba(test.X.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert 0.6 < np.mean(found.argmax(axis=1) == test.y) < 1


def test_the_joint_filters_of_many_classes_decide_as_pyriemanns_do(make_trials: Any) -> None:
    train = make_trials(n_trials=60, classes=THREE, contrast=1.0, seed=1)
    test = make_trials(n_trials=150, classes=THREE, contrast=1.0, seed=2)
    ours = CSPLDAClassifier(n_components=8, multiclass="joint", shrinkage=0.0)
    peer = make_pipeline(Covariances("oas"), CSP(nfilter=8), LinearDiscriminantAnalysis())
    found = ours.fit(train.X, train.y).predict_proba(test.X)
    expected = peer.fit(train.X.astype(float), train.y).predict_proba(test.X.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("multiclass", ["ovr", "joint"])
def test_three_classes_are_told_apart_on_new_trials(make_trials: Any, multiclass: str) -> None:
    data = make_trials(n_trials=90, classes=THREE)
    model = CSPLDAClassifier(multiclass=multiclass, n_components=4)
    assert cross_val_score(model, data.X, data.labels, cv=5).mean() > 0.9


def test_the_unit_does_not_matter(trials: Any) -> None:
    microvolts = CSPLDAClassifier().fit(trials.X, trials.y).predict_proba(trials.X)
    volts = CSPLDAClassifier().fit(1e-6 * trials.X, trials.y).predict_proba(1e-6 * trials.X)
    np.testing.assert_allclose(microvolts, volts, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [{"n_components": 2}, {"shrinkage": 0.9}, {"estimator": "scm"}, {"multiclass": "joint"}],
    ids=str,
)
def test_each_parameter_has_an_effect(make_trials: Any, change: dict[str, Any]) -> None:
    data = make_trials(classes=THREE, n_times=64, contrast=1.0)
    usual = CSPLDAClassifier().fit(data.X, data.y).predict_proba(data.X)
    changed = CSPLDAClassifier(**change).fit(data.X, data.y).predict_proba(data.X)
    assert np.abs(usual - changed).max() > 1e-3
