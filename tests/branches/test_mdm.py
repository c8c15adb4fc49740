"""Minimum distance to mean against pyRiemann's pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyriemann.classification import MDM
from pyriemann.estimation import Covariances
from pyriemann.geometry.distance import distance_riemann
from sklearn.pipeline import make_pipeline

from eegvit.branches.mdm import MDMClassifier

THREE = ("feet", "left_hand", "right_hand")


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_it_is_pyriemanns_pipeline(make_trials: Any, estimator: str) -> None:
    train = make_trials(n_trials=60, classes=THREE, contrast=1.0, seed=1)
    test = make_trials(n_trials=90, classes=THREE, contrast=1.0, seed=2)
    peer = make_pipeline(Covariances(estimator), MDM())
    found = MDMClassifier(estimator=estimator).fit(train.X, train.labels)
    peer.fit(train.X.astype(float), train.labels)
    expected = peer.predict_proba(test.X.astype(float))
    np.testing.assert_allclose(found.predict_proba(test.X), expected, atol=1e-4)
    np.testing.assert_array_equal(found.predict(test.X), found.classes_[expected.argmax(axis=1)])


def test_the_nearest_mean_decides(trials: Any) -> None:
    model = MDMClassifier().fit(trials.X[:30], trials.labels[:30])
    covariances, nearest = model.pipeline_["covariances"], model.pipeline_["nearest"]
    C = covariances.transform(trials.X[30:])
    means = [np.linalg.inv(whitener @ whitener) for whitener in nearest.whiteners_]
    distances = np.stack([distance_riemann(C, mean) for mean in means], axis=1)
    np.testing.assert_allclose(nearest.distances(C), distances, rtol=1e-7)
    expected = model.classes_[distances.argmin(axis=1)]
    np.testing.assert_array_equal(model.predict(trials.X[30:]), expected)
    assert len(set(expected.tolist())) == 2


def test_any_invertible_mixture_of_channels_gives_the_same(trials: Any) -> None:
    mixture = np.random.default_rng(0).standard_normal((8, 8))
    model = MDMClassifier(estimator="scm")
    one = model.fit(trials.X, trials.y).predict_proba(trials.X)
    mixed = mixture @ trials.X
    np.testing.assert_allclose(model.fit(mixed, trials.y).predict_proba(mixed), one, atol=1e-4)
