"""The classifier that learns from a teacher: what it hears, from whom, and what it makes of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.compress import DistilledClassifier, PrunedClassifier, prune
from eegvit.ensemble import EnsembleClassifier
from eegvit.train import Lesson
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu"}
EEGNET = EEGNetClassifier(kernel_length=16, **SHORT)


def make(**changes: Any) -> DistilledClassifier:
    return DistilledClassifier(**{"model": EEGNET, "teacher": "csp_lda", **changes})


def fitted(model: Any, trials: Trials, **more: Any) -> Any:
    return model.fit(trials.X, trials.labels, groups=trials.subject, **more)


class Witness(ClassifierMixin, BaseEstimator):
    """A teacher that notes by whose trials it was fitted and whose it is asked about."""

    heard: list[tuple[set[int], set[int]]] = []

    def fit(self, X: Any, y: Any) -> Witness:
        self.classes_, self.saw_ = np.unique(y), names(X)
        return self

    def predict_proba(self, X: Any) -> Any:
        self.heard.append((self.saw_, names(X)))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def names(X: Any) -> set[int]:
    return set(X[:, 0, 0].astype(int).tolist())


def test_it_is_a_classifier_like_others(people: Trials) -> None:
    model = make()
    told = fitted(model, people).predict_proba(people.X)
    np.testing.assert_allclose(told.sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(fitted(clone(model), people).predict_proba(people.X), told)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(people.X), told)
    other = fitted(clone(model).set_params(random_state=1), people)
    assert not np.array_equal(other.predict_proba(people.X), told)
    assert model.set_params(model__depth=1).get_params()["model__depth"] == 1
    assert not hasattr(EEGNET, "module_"), "the model given is not fitted itself"
    scores = cross_val_score(
        make(), people.X, people.labels, cv=LeaveOneGroupOut(), groups=people.subject,
        params={"groups": people.subject},
    )  # fmt: skip
    assert scores.shape == (3,)


def test_nobody_is_told_of_by_a_teacher_that_saw_them(people: Trials) -> None:
    whose = np.array(people.X)
    whose[:, 0, 0] = people.subject.astype(int)
    Witness.heard.clear()
    fitted(make(teacher=Witness()), people.replace(X=whose))
    assert sorted(map(sorted, (about for _, about in Witness.heard))) == [[1], [2], [3]]
    for saw, about in Witness.heard:
        assert saw == {1, 2, 3} - about


def test_what_it_hears_is_out_of_fold(people: Trials) -> None:
    model = fitted(make(), people)
    for who in "123":
        own = people.subject == who
        teacher = CSPLDAClassifier().fit(people.X[~own], people.y[~own])
        np.testing.assert_allclose(model.soft_[own], teacher.predict_proba(people.X[own]))


def test_what_is_given_is_what_the_teacher_says(people: Trials) -> None:
    by_itself = fitted(make(), people)
    given = fitted(make(teacher=None), people, soft=by_itself.soft_)
    told = [one.predict_proba(people.X) for one in (by_itself, given)]
    np.testing.assert_array_equal(*told)


@pytest.mark.parametrize("model", [
    EEGNET,
    EEGNetClassifier(kernel_length=16, validation=0.4, patience=2, mixup=0.3, **SHORT),
    PrunedClassifier(model=EEGNET, to=0.5, rounds=1),
    FusionClassifier(branches=["fbcsp", EEGNET], sfreq=128.0, auxiliary=0.5, **SHORT),
], ids=["eegnet", "stopped early", "pruned", "fused"])  # fmt: skip
def test_a_weight_of_nothing_is_the_plain_network_bit_for_bit(model: Any, people: Trials) -> None:
    plain = fitted(clone(model).set_params(random_state=3), people).predict_proba(people.X)
    told = [
        fitted(make(model=model, weight=w, random_state=3), people).predict_proba(people.X)
        for w in (0.0, 0.5)
    ]
    np.testing.assert_array_equal(told[0], plain)
    assert not np.array_equal(told[1], plain)


def test_the_student_moves_towards_its_teacher(people: Trials) -> None:
    """Of labels that are half wrong a student learns little; a teacher who knows tells it more."""
    rng = np.random.default_rng(0)
    wrong = people.labels.copy()
    flipped = rng.random(len(wrong)) < 0.4
    wrong[flipped] = np.where(wrong[flipped] == "left_hand", "right_hand", "left_hand")
    knows = np.where(people.y[:, None] == np.arange(2), 0.9, 0.1)
    distance, score = {}, {}
    for weight in (0.0, 0.5, 1.0):
        network = clone(EEGNET).set_params(epochs=40, learning_rate=0.005)
        model = make(model=network, teacher=None, weight=weight)
        model.fit(people.X, wrong, soft=knows)
        told = model.predict_proba(people.X)
        distance[weight] = (knows * (np.log(knows) - np.log(told))).sum(1).mean()
        score[weight] = model.score(people.X, people.labels)
    assert distance[1.0] < distance[0.5] < distance[0.0]
    assert score[1.0] > score[0.0] + 0.1


def test_pruning_goes_on_listening(people: Trials) -> None:
    """Of one trained network the same units go; what is fine-tuned after hears the teacher."""
    whole = clone(EEGNET).fit(people.X, people.labels)
    lesson = Lesson(np.where(people.y[:, None] == np.arange(2), 0.1, 0.9), 1.0, 1.0)
    for tuning, same in ((0.0, True), (1.0, False)):
        how: dict[str, Any] = {"to": 0.4, "rounds": 1, "tuning": tuning}
        small = [prune(whole, people.X, people.labels, lesson=one, **how) for one in (None, lesson)]
        assert small[0].cuts_ == small[1].cuts_ != ()
        told = [one.predict_proba(people.X) for one in small]
        assert np.array_equal(*told) == same
    model = fitted(make(model=PrunedClassifier(model=EEGNET, rounds=1)), people)
    assert model.units_ and model.n_parameters_ < whole.n_parameters_


@pytest.mark.parametrize("teacher", [
    {"branch": "mdm"},
    EnsembleClassifier(members=["csp_lda", "mdm"], rule="meta"),
    ShallowConvNetClassifier(**SHORT),
], ids=["a branch", "an ensemble", "a network"])  # fmt: skip
def test_anybody_may_teach(teacher: Any, people: Trials) -> None:
    model = fitted(make(teacher=teacher), people)
    np.testing.assert_allclose(model.soft_.sum(1), 1, atol=1e-5)
    assert len(np.unique(model.soft_.round(6), axis=0)) > 20
    assert "teacher" in model.identity() and "torch" in model.packages()


def test_a_trial_without_a_teacher_is_told_by_its_label(people: Trials) -> None:
    soft = np.full((len(people), 2), 0.5)
    soft[:5] = np.nan
    model = fitted(make(teacher=None), people, soft=soft)
    np.testing.assert_array_equal(model.soft_[:5], np.eye(2)[people.y[:5]])
    assert (model.soft_[5:] == 0.5).all()


def test_without_groups_it_warns(trials: Trials) -> None:
    with pytest.warns(UserWarning, match="the folds that the teacher is fitted in may have trials"):
        make().fit(trials.X, trials.labels)


def test_what_cannot_be_done_is_said(people: Trials) -> None:
    half = np.full((len(people), 2), 0.5)
    for wrong, more, sentence in (
        ({"weight": 1.5}, {}, "weight=1.5: it is a share of the loss"),
        ({"temperature": 0.0}, {}, "temperature=0.0: it must be positive"),
        ({"teacher": None}, {}, "there is no teacher"),
        ({"teacher": "nobody"}, {}, "nobody"),
        ({}, {"soft": half[:5]}, r"soft has shape \(5, 2\), expected \(trials, classes\)"),
        ({}, {"soft": half * 3}, r"soft, trial 0: \[1.5, 1.5\] are no probabilities"),
    ):
        with pytest.raises(ValueError, match=sentence):
            fitted(make(**wrong), people, **more)
    for student in (CSPLDAClassifier(), None):
        with pytest.raises(TypeError, match="must be a neural classifier"):
            fitted(make(model=student), people)
    with pytest.raises(ValueError, match=r"groups has shape \(3,\) for 72 trials"):
        make().fit(people.X, people.labels, groups=[1, 2, 3])
