"""The ensemble as one scikit-learn classifier."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.mdm import MDMClassifier
from eegvit.branches.tangent import FBTangentSpaceClassifier
from eegvit.ensemble import RULES, EnsembleClassifier, learn

EVERY = [(rule, learner) for rule in RULES for learner in RULES[rule].learners or [None]]
pytestmark = pytest.mark.filterwarnings("ignore:groups were not given")
BANDS = ((8.0, 12.0), (12.0, 16.0))


def fast() -> dict[str, Any]:
    return {"csp": CSPLDAClassifier(), "mdm": MDMClassifier()}


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_every_rule_learns_an_easy_contrast(some, crowd, rule, learner, calibrate) -> None:
    model = EnsembleClassifier(members=fast(), rule=rule, learner=learner, calibrate=calibrate)
    new = crowd("89")
    assert model.fit(some.X, some.labels, groups=some.subject) is model
    p = model.predict_proba(new.X)
    assert p.shape == (len(new), 2) and (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert model.classes_.tolist() == ["left_hand", "right_hand"]
    np.testing.assert_array_equal(model.predict(new.X), model.classes_[p.argmax(axis=1)])
    assert model.score(new.X, new.labels) > 0.8
    combine = learn(rule, model.out_of_fold_, some.y, learner=learner, calibrate=calibrate)
    told = [m.predict_proba(new.X) for m in model.members_.values()]
    np.testing.assert_array_equal(combine(told), p)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(new.X), p)
    again = clone(model).fit(some.X, some.labels, groups=some.subject.tolist())
    np.testing.assert_array_equal(again.predict_proba(new.X), p)
    np.testing.assert_allclose(model.predict_proba(new.X[[5]])[0], p[5], atol=1e-9)


def test_classical_filter_bank_and_network_together(some) -> None:
    members = [
        ("csp", CSPLDAClassifier()),
        ("bands", FBTangentSpaceClassifier(bands=BANDS, sfreq=some.sfreq)),
        ("net", EEGNetClassifier(epochs=2, batch_size=16, device="cpu", validation=0.4)),
    ]
    model = EnsembleClassifier(members=members, rule="weighted", learner="log_loss")
    model.fit(some.X, some.labels, groups=some.subject)
    assert list(model.members_) == ["csp", "bands", "net"]
    assert model.out_of_fold_.shape == (3, 72, 2) and model.combiner_.learned.shape == (3,)
    assert model.combiner_.learned[2] < 0.2, "two epochs teach a network nothing"
    assert model.score(some.X, some.labels) > 0.9


def test_the_average_is_that_of_members_fitted_alone(some) -> None:
    alone = [m.fit(some.X, some.labels).predict_proba(some.X) for m in fast().values()]
    model = EnsembleClassifier(members=fast()).fit(some.X, some.labels)
    np.testing.assert_allclose(model.predict_proba(some.X), np.mean(alone, axis=0), atol=1e-12)
    assert model.out_of_fold_ is None and model.combiner_.learned is None


@pytest.mark.parametrize("n_folds", [None, 2])
def test_what_is_learned_comes_from_people_left_out(crowd, n_folds) -> None:
    hard = crowd("1234", contrast=0.6)
    splitter = LeaveOneGroupOut() if n_folds is None else GroupKFold(n_folds)
    P = np.zeros((2, len(hard), 2))
    for train, test in splitter.split(hard.X, hard.y, hard.subject):
        for m, member in enumerate(fast().values()):
            P[m, test] = member.fit(hard.X[train], hard.labels[train]).predict_proba(hard.X[test])
    model = EnsembleClassifier(members=fast(), rule="weighted", calibrate=True, n_folds=n_folds)
    model.fit(hard.X, hard.labels, groups=hard.subject)
    np.testing.assert_allclose(model.out_of_fold_, P, atol=1e-9)
    combine = learn("weighted", P, hard.y, calibrate=True)
    np.testing.assert_allclose(model.combiner_.learned, combine.learned, atol=1e-9)
    np.testing.assert_allclose(model.combiner_.temperatures, combine.temperatures, rtol=1e-4)


class Witness(ClassifierMixin, BaseEstimator):
    """Notes whom it is fitted on and whom it predicts; the signal says who it is."""

    seen: list[tuple[set[int], set[int]]] = []

    def fit(self, X: Any, y: Any, groups: Any) -> Witness:
        self.classes_, self.fitted_ = np.unique(y), set(X[:, 0, 0].astype(int).tolist())
        assert set(map(int, groups)) == self.fitted_ and len(groups) == len(X)
        return self

    def predict_proba(self, X: Any) -> Any:
        self.seen.append((self.fitted_, set(X[:, 0, 0].astype(int).tolist())))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_no_member_predicts_a_person_whom_it_was_fitted_on(monkeypatch) -> None:
    people = np.repeat([1, 2, 3, 4, 5], 6)[np.random.default_rng(0).permutation(30)]
    X = np.zeros((30, 2, 10)) + people[:, None, None]
    for n_folds, n_fits in ((None, 5), (2, 2), (9, 5)):
        monkeypatch.setattr(Witness, "seen", [])
        model = EnsembleClassifier(members={"w": Witness()}, rule="meta", n_folds=n_folds)
        model.fit(X, np.arange(30) % 2, groups=people)
        assert len(Witness.seen) == n_fits
        assert all(not fitted & told for fitted, told in Witness.seen)
        assert sorted(p for _, told in Witness.seen for p in told) == [1, 2, 3, 4, 5]
        assert model.members_["w"].fitted_ == {1, 2, 3, 4, 5}


def test_without_people_the_folds_are_blocks(some) -> None:
    unknown = EnsembleClassifier(members=fast(), rule="weighted").fit(some.X, some.labels)
    one = EnsembleClassifier(members=fast(), rule="weighted")
    one.fit(some.X, some.labels, groups=np.ones(len(some)))
    np.testing.assert_array_equal(one.out_of_fold_, unknown.out_of_fold_)
    assert np.isfinite(unknown.out_of_fold_).all()


def test_memory_of_training_trials_does_not_fool_the_shipped_meta_learner(crowd) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    hard, new = crowd("123456", contrast=0.7), crowd("789", contrast=0.7)
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    members = {"csp": CSPLDAClassifier(), "memory": make_pipeline(flat, KNeighborsClassifier(1))}
    for learner in ("logistic", "xgboost"):
        model = EnsembleClassifier(members=members, rule="meta", learner=learner)
        shipped = model.fit(hard.X, hard.labels, groups=hard.subject).score(new.X, new.labels)

        def told(X: Any, model: Any = model) -> Any:
            return np.stack([m.predict_proba(X) for m in model.members_.values()])

        fooled = learn("meta", told(hard.X), hard.y, learner=learner)
        assert np.mean(fooled(told(hard.X)).argmax(1) == hard.y) > 0.99
        assert np.mean(fooled(told(new.X)).argmax(1) == new.y) < shipped - 0.1
        assert shipped > 0.65


@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_shuffled_labels_score_chance(crowd, rule, learner) -> None:
    people = crowd("1234", 40)
    model = EnsembleClassifier(members=fast(), rule=rule, learner=learner, calibrate=True)
    scores, out_of_fold = [], []
    for seed in range(4):
        rng, y = np.random.default_rng(seed), people.y.copy()
        for name in "1234":
            y[people.subject == name] = rng.permutation(y[people.subject == name])
        for train, test in LeaveOneGroupOut().split(y, y, people.subject):
            model.fit(people.X[train], y[train], groups=people.subject[train])
            scores.append(model.score(people.X[test], y[test]))
            out_of_fold.append(np.mean(model.out_of_fold_.argmax(2) == y[train]))
    assert np.mean(scores) == pytest.approx(0.5, abs=0.08)  # 4 standard errors of 640 trials
    assert np.mean(out_of_fold) == pytest.approx(0.5, abs=0.08)


def test_cross_val_score_hands_the_people_on(some) -> None:
    scores = cross_val_score(
        EnsembleClassifier(members={"w": Witness(), "csp": CSPLDAClassifier()}, rule="meta"),
        np.concatenate([np.broadcast_to(some.subject.astype(int)[:, None, None], (72, 1, 64)),
                        some.X], axis=1),
        some.labels,
        groups=some.subject,
        cv=LeaveOneGroupOut(),
        params={"groups": some.subject},
        error_score="raise",
    )  # fmt: skip
    assert scores.shape == (3,) and scores.mean() > 0.8
