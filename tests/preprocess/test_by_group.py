"""The transformers align as a study does, group by group."""

from __future__ import annotations

import pickle
from typing import Any

import mne
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.preprocess.alignment import MEANS, align_offline
from eegvit.preprocess.by_group import EuclideanAlignment, RiemannianRecentring

BOTH = [EuclideanAlignment, RiemannianRecentring]


@pytest.fixture
def mixed(people: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return trials of three people, each with gains of their own, in no order, and whose."""
    rng = np.random.default_rng(0)
    gains = {name: rng.uniform(0.1, 9, (people.n_channels, 1)) for name in "123"}
    X = np.stack([gains[who] * x for who, x in zip(people.subject, people.X, strict=True)])
    order = rng.permutation(len(X))
    return X[order], people.subject[order]


@pytest.mark.parametrize("cls", BOTH)
def test_equals_the_alignment_of_a_study(cls: Any, mixed: Any) -> None:
    X, people = mixed
    aligned = cls().fit_transform(X, groups=people)
    assert aligned.dtype == np.float32 and cls.method in MEANS
    for name in "123":
        own = people == name
        np.testing.assert_array_equal(aligned[own], align_offline(X[own], cls.method))
    whole = cls().fit_transform(X)
    np.testing.assert_array_equal(whole, align_offline(X, cls.method))


@pytest.mark.parametrize("cls", BOTH)
def test_a_new_group_is_aligned_by_its_own_trials(cls: Any, mixed: Any) -> None:
    X, people = mixed
    new = people == "3"
    aligner = cls().fit(X[~new], groups=people[~new].tolist())
    assert sorted(aligner.references_) == ["1", "2"]
    expected = align_offline(X[new], cls.method)
    np.testing.assert_array_equal(aligner.transform(X[new], groups=people[new]), expected)
    np.testing.assert_array_equal(aligner.transform(X[new]), expected)
    own = np.flatnonzero(people == "1")
    by_fit = aligner.transform(X[own[:3]], groups=people[own[:3]])
    np.testing.assert_array_equal(by_fit, align_offline(X[own], cls.method)[:3])


def test_without_groups_what_was_fitted_is_used_for_all(mixed: Any) -> None:
    X, _ = mixed
    aligner = EuclideanAlignment().fit(X)
    np.testing.assert_array_equal(aligner.transform(X[:1]), align_offline(X)[:1])


@pytest.mark.parametrize("cls", BOTH)
def test_is_a_transformer_of_scikit_learn(cls: Any, mixed: Any) -> None:
    X, people = mixed
    with pytest.raises(NotFittedError):
        cls().transform(X)
    fitted = cls().fit(X, groups=people)
    back = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(back.transform(X, people), fitted.transform(X, people))
    assert not hasattr(clone(fitted), "references_")
    with pytest.raises(ValueError, match=r"groups has shape \(71,\) for 72 trials"):
        cls().fit(X, groups=people[1:])
    with pytest.raises(ValueError, match="7 channels, but this .* was fitted with 8"):
        fitted.transform(X[:, :7])
    with pytest.raises(ValueError, match="NaN or infinity"):
        cls().fit(X * np.nan)
    with pytest.raises(ValueError, match=r"X\[None\]"):
        cls().fit(X[0])


def test_groups_are_routed_through_a_pipeline(mixed: Any, people: Any) -> None:
    """The score is that of aligning everybody beforehand, which needs no label."""
    X, who = mixed
    y = np.random.default_rng(1).permutation(np.arange(len(X)) % 2)
    X = X * np.where(y == 1, 1.5, 1.0)[:, None, None]
    flat = FunctionTransformer(lambda X: np.log(X.var(axis=2)))
    model = make_pipeline(EuclideanAlignment(), flat, LogisticRegression())
    split = {"cv": LeaveOneGroupOut(), "scoring": "neg_log_loss", "error_score": "raise"}
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(model, X, y, params={"groups": who}, **split)
    before = EuclideanAlignment().fit_transform(X, groups=who)
    known = cross_val_score(
        make_pipeline(flat, LogisticRegression()), before, y, groups=who, **split
    )
    np.testing.assert_allclose(routed, known, rtol=1e-6)
    pooled = cross_val_score(model, X, y, groups=who, **split)
    assert pooled.mean() < routed.mean() - 0.05, "groups made no difference"


def test_epochs_are_aligned_by_name(trials: Any) -> None:
    info = mne.create_info(list(trials.ch_names), trials.sfreq, "eeg")
    epochs = mne.EpochsArray(1e-6 * trials.X.astype(np.float64), info, verbose="error")
    aligner = EuclideanAlignment().fit(epochs)
    expected = align_offline(1e6 * epochs.get_data(copy=True))
    np.testing.assert_array_equal(aligner.transform(epochs), expected)
    turned = epochs.copy().reorder_channels(list(trials.ch_names)[::-1])
    np.testing.assert_array_equal(aligner.transform(turned), expected)
    with pytest.raises(ValueError, match="sampled at 64 Hz"):
        aligner.transform(epochs.copy().resample(64, verbose="error"))
    model = make_pipeline(EuclideanAlignment(), CSPLDAClassifier())
    scores = cross_val_score(model, epochs, trials.labels, cv=4, error_score="raise")
    assert scores.mean() > 0.9
