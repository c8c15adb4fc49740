"""Cross-fitted features: no trial takes part in what makes its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from eegvit.branches.fbcsp import FBCSPClassifier
from eegvit.features.crossfit import Standardised, cross_fitted, folds


def steps(**parameters: Any) -> Pipeline:
    return FBCSPClassifier(sfreq=128.0, **parameters).feature_steps()


def data(make_trials: Any, n_people: int = 4, **changes: Any) -> tuple[Any, Any, Any]:
    parts = [make_trials(n_trials=24, seed=s, contrast=1.0, **changes) for s in range(n_people)]
    X = np.concatenate([p.X for p in parts])
    return X, np.concatenate([p.y for p in parts]), np.repeat(np.arange(n_people), 24)


@pytest.mark.parametrize("n_people", [2, 4, 7])
def test_labels_of_a_person_change_nothing_in_their_own_features(
    n_people: int, make_trials: Any
) -> None:
    X, y, people = data(make_trials, n_people)
    before, _ = cross_fitted(steps(), X, y, people)
    own_fold = next(own for _, own in folds(y, people) if 1 in people[own])
    whose = np.isin(people, people[own_fold])
    changed = y.copy()
    changed[whose] = np.random.default_rng(0).permutation(y[whose])
    assert not np.array_equal(changed, y)
    after, _ = cross_fitted(steps(), X, changed, people)
    np.testing.assert_array_equal(after[people == 1], before[people == 1])
    assert not np.allclose(after[~whose], before[~whose])


def test_a_fold_is_what_a_fit_on_the_others_gives(make_trials: Any) -> None:
    X, y, people = data(make_trials)
    made, learned = cross_fitted(steps(), X, y, people)
    for person in range(4):
        others, own = people != person, people == person
        fitted = clone(steps()).fit(X[others], y[others])
        seen = fitted.transform(X[others])
        expected = (fitted.transform(X[own]) - seen.mean(0)) / seen.std(0)
        np.testing.assert_allclose(made[own], expected, rtol=1e-9)
    whole = Standardised(steps()).fit(X, y).transform(X)
    np.testing.assert_array_equal(learned.transform(X), whole)


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c", "d")], ids=["2", "4"])
def test_features_of_training_and_of_new_trials_are_alike(
    classes: tuple[str, ...], make_trials: Any
) -> None:
    n_people, n_each = 8, 24
    X, y, people = data(make_trials, n_people + 8, classes=classes)
    n = n_people * n_each
    made, learned = cross_fitted(steps(), X[:n], y[:n], people[:n])
    fresh = learned.transform(X[n:])
    for code in range(len(classes)):  # feature by feature, class by class
        ours, theirs = made[y[:n] == code], fresh[y[n:] == code]
        error = np.sqrt((ours.var(0) + theirs.var(0)) / min(len(ours), len(theirs)))
        z = (ours.mean(0) - theirs.mean(0)) / error
        assert np.sqrt(np.mean(z**2)) < 1.6, np.abs(z).max()
        spread = np.log(ours.std(0) / theirs.std(0))
        assert abs(spread.mean()) < 0.1


def test_in_sample_features_are_not_like_those_of_new_trials(make_trials: Any) -> None:
    noise = np.random.default_rng(0)
    X = noise.standard_normal((200, 16, 64)).astype(np.float32)
    y, people = np.arange(200) % 2, np.repeat(np.arange(10), 20)
    made, learned = cross_fitted(steps(bands=((8.0, 30.0),)), X, y, people)

    def told(features: np.ndarray) -> float:
        gap = features[y == 1].mean(0) - features[y == 0].mean(0)
        return float(np.abs(gap).mean())

    assert told(learned.transform(X)) > 0.4 > 0.2 > told(made)


def test_without_people_folds_are_stretches_of_each_class() -> None:
    y = np.array([0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1])
    found = folds(y)
    assert len(found) == 5
    np.testing.assert_array_equal(np.sort(np.concatenate([own for _, own in found])), np.arange(12))
    for code in (0, 1):
        which = np.empty(12, dtype=int)
        for i, (others, own) in enumerate(found):
            which[own] = i
            assert not set(others) & set(own)
        assert (np.diff(which[y == code]) >= 0).all()


def test_nobody_is_torn_apart() -> None:
    people = np.repeat(np.arange(12), 4)
    found = folds(np.arange(48) % 2, people)
    assert len(found) == 5
    for others, own in found:
        assert not set(people[others]) & set(people[own])


@pytest.mark.parametrize(
    ("y", "groups", "fragment"),
    [
        ([0, 1, 0, 0], None, "two trials"),
        (
            [0, 0, 1, 1],
            ["a", "a", "b", "b"],
            "every trial of class number 1 is in one fold, of people b",
        ),
        ([0, 1, 0, 1], ["a", "b"], "groups has shape"),
    ],
)
def test_says_what_is_wrong(y: list[int], groups: Any, fragment: str) -> None:
    with pytest.raises(ValueError, match=fragment):
        folds(np.array(y), groups)
