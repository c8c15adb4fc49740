"""The ensemble keeps the promises of a scikit-learn classifier, also inside other tools."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.mdm import MDMClassifier
from eegvit.branches.tangent import FBTangentSpaceClassifier, TangentSpaceClassifier
from eegvit.ensemble import RULES, EnsembleClassifier
from eegvit.ensemble.meta import evidence
from eegvit.ensemble.out_of_fold import folds

EVERY = [(rule, learner) for rule in RULES for learner in RULES[rule].learners or [None]]
pytestmark = pytest.mark.filterwarnings("ignore:groups were not given")
BANDS = ((8.0, 12.0), (12.0, 16.0))


def fast() -> dict[str, Any]:
    return {"csp": CSPLDAClassifier(), "mdm": MDMClassifier()}


@pytest.mark.parametrize("kind", [dict, list])
def test_parameters_of_members(kind, some) -> None:
    given = kind(fast().items())
    model = EnsembleClassifier(members=given, rule="weighted")
    assert model.members is given and set(vars(model)) == set(model.get_params(deep=False))
    assert model.get_params()["csp__shrinkage"] == 0.05
    copy = clone(model).set_params(csp__shrinkage=0.5, calibrate=True)
    assert copy.get_params()["csp__shrinkage"] == 0.5 and copy.calibrate
    assert model.get_params()["csp__shrinkage"] == 0.05 and not model.calibrate
    copy.set_params(mdm=TangentSpaceClassifier(), mdm__C=3.0)
    assert isinstance(copy.members, kind)
    assert copy.get_params()["mdm__C"] == 3.0 and isinstance(dict(given)["mdm"], MDMClassifier)
    built = EnsembleClassifier(
        members=kind(
            {"csp": CSPLDAClassifier(shrinkage=0.5), "mdm": TangentSpaceClassifier(C=3.0)}.items()
        ),
        rule="weighted",
        calibrate=True,
    )
    told = [m.fit(some.X, some.labels).predict_proba(some.X) for m in (copy, built)]
    np.testing.assert_array_equal(*told)
    replaced = copy.set_params(members={"a": CSPLDAClassifier()}, a__n_components=2)
    assert replaced.get_params()["a__n_components"] == 2
    with pytest.raises(ValueError, match="nobody"):
        model.set_params(nobody__shrinkage=0.1)


@pytest.mark.parametrize(
    "members",
    [
        ["csp_lda", {"branch": "mdm", "estimator": "scm"}],
        [CSPLDAClassifier(), ("mdm", MDMClassifier(estimator="scm"))],
        {"csp_lda": "csp_lda", "mdm": MDMClassifier(estimator="scm")},
    ],
)
def test_members_may_be_names_mappings_or_classifiers(some, members) -> None:
    model = EnsembleClassifier(members=members)
    same = EnsembleClassifier(
        members={"csp_lda": CSPLDAClassifier(), "mdm": MDMClassifier(estimator="scm")}
    )
    told = [m.fit(some.X, some.labels).predict_proba(some.X) for m in (clone(model), same)]
    np.testing.assert_array_equal(*told)
    assert list(model.fit(some.X, some.labels).members_) == ["csp_lda", "mdm"]
    assert model.members is members
    changed = clone(model).set_params(csp_lda=MDMClassifier(), csp_lda__estimator="lwf")
    assert changed.get_params()["csp_lda__estimator"] == "lwf"
    assert list(changed.fit(some.X, some.labels).members_) == ["csp_lda", "mdm"]


def test_a_rule_that_learns_without_people_warns_and_no_other_does(some) -> None:
    said = "groups were not given, so the folds that the rule learns from may have"
    with pytest.warns(UserWarning, match=said) as caught:
        EnsembleClassifier(members=fast(), rule="weighted").fit(some.X, some.labels)
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(UserWarning, match=said):
        EnsembleClassifier(members=fast(), calibrate=True).fit(some.X, some.labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EnsembleClassifier(members=fast()).fit(some.X, some.labels)
        model = EnsembleClassifier(members=fast(), rule="weighted")
        model.fit(some.X, some.labels, groups=some.subject)


def test_members_made_for_other_data_are_refused(some) -> None:
    import mne

    info = mne.create_info(list(some.ch_names), some.sfreq, "eeg")
    epochs = mne.EpochsArray(1e-6 * some.X.astype(np.float64), info, verbose="error")
    model = EnsembleClassifier(members={"bands": FBTangentSpaceClassifier(sfreq=250.0)})
    with pytest.raises(ValueError, match=r"has sfreq=250.0, but the trials have 128.0"):
        model.fit(epochs, some.labels)
    turned = epochs.copy().reorder_channels(epochs.ch_names[::-1])
    model = EnsembleClassifier(members=fast()).fit(epochs, some.labels)
    told = model.predict_proba(epochs)
    np.testing.assert_array_equal(model.predict_proba(turned), told)
    logs = model.predict_log_proba(epochs)
    np.testing.assert_allclose(np.exp(logs), told)
    np.testing.assert_allclose(model.decision_function(epochs), logs[:, 1] - logs[:, 0])


def test_people_are_routed_through_scikit_learn(some) -> None:
    import sklearn

    model = EnsembleClassifier(members=fast(), rule="weighted")
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        scores = cross_val_score(
            model, some.X, some.labels, params={"groups": some.subject}, cv=LeaveOneGroupOut()
        )
    assert scores.mean() > 0.8


def test_fitting_leaves_parameters_and_input_alone(some) -> None:
    members, X = fast(), some.X.copy()
    model = EnsembleClassifier(members=members, rule="meta", calibrate=True)
    before = model.get_params()
    model.fit(some.X, some.labels, groups=some.subject).predict(some.X)
    assert model.get_params() == before and not hasattr(members["csp"], "classes_")
    np.testing.assert_array_equal(some.X, X)
    assert not [key for key in vars(clone(model)) if key.endswith("_")]


def test_a_second_fit_forgets_the_first(some) -> None:
    model = EnsembleClassifier(members=fast(), rule="weighted", calibrate=True)
    model.fit(some.X, some.labels).set_params(rule="average", calibrate=False)
    told = model.fit(some.X, 3 + 4 * some.y).predict_proba(some.X)
    fresh = EnsembleClassifier(members=fast()).fit(some.X, some.labels)
    np.testing.assert_array_equal(told, fresh.predict_proba(some.X))
    assert model.classes_.tolist() == [3, 7] and model.combiner_.temperatures is None


def test_a_class_that_one_person_alone_has(crowd) -> None:
    some = crowd(classes=("feet", "left", "right"))
    kept = (some.labels != "feet") | (some.subject == "3")
    X, labels, people = some.X[kept], some.labels[kept], some.subject[kept]
    for rule, learner in EVERY:
        model = EnsembleClassifier(members=fast(), rule=rule, learner=learner, calibrate=True)
        p = model.fit(X, labels, groups=people).predict_proba(X)
        assert p.shape == (len(X), 3) and np.isfinite(p).all()
        assert (model.out_of_fold_[:, people == "3", 0] == 0).all()
        assert (model.out_of_fold_[:, people != "3", 0] > 0).any()


@pytest.mark.parametrize("n_rare", [2, 3])
def test_a_class_of_a_few_trials(some, n_rare) -> None:
    kept = np.sort(np.r_[np.flatnonzero(some.y == 0), np.flatnonzero(some.y == 1)[:n_rare]])
    model = EnsembleClassifier(members=fast(), rule="meta", calibrate=True)
    model.fit(some.X[kept], some.labels[kept])
    assert np.isfinite(model.out_of_fold_).all()
    held = [some.y[kept][test] for _, test in folds(some.y[kept], None, None)]
    assert len(held) == n_rare and all(set(codes) == {0, 1} for codes in held)
    with pytest.raises(ValueError, match="all other training trials are of one class"):
        model.fit(some.X[kept[some.y[kept] == 0]], ["a"] + ["b"] * (sum(some.y[kept] == 0) - 1))


def test_people_of_one_class_each_are_refused(some) -> None:
    people = np.where(some.y == 0, "a", "b")
    model = EnsembleClassifier(members=fast(), rule="weighted")
    with pytest.raises(ValueError, match="all other training trials are of one class"):
        model.fit(some.X, some.labels, groups=people)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"members": []}, "at least one member"),
        ({"members": {}}, "at least one member"),
        ({"members": [("a", MDMClassifier()), ("a", MDMClassifier())]}, "distinct"),
        ({"members": [MDMClassifier(), "mdm"]}, "member name 'mdm': names are distinct"),
        ({"members": {"a": "csp_ldda"}}, "unknown name 'csp_ldda', did you mean 'csp_lda'"),
        ({"members": {"a": {"branch": "mdm", "C": 1}}}, "MDMClassifier has no parameter 'C'"),
        ({"members": {"a": 3}}, "member 3 is no classifier"),
        ({"members": {"a__b": MDMClassifier()}}, "without '__'"),
        ({"members": {"rule": MDMClassifier()}}, "parameter of the ensemble"),
        ({"rule": "avrage"}, "did you mean 'average'"),
        ({"rule": "vote", "learner": "xgboost"}, "learns nothing"),
    ],
)
def test_wrong_parameters_are_refused(some, changes, said) -> None:
    model = EnsembleClassifier(**{"members": fast()} | changes)
    with pytest.raises(ValueError, match=said):
        model.fit(some.X, some.labels)


def test_wrong_input_is_refused(some) -> None:
    model = EnsembleClassifier(members=fast())
    with pytest.raises(NotFittedError):
        model.predict(some.X)
    with pytest.raises(ValueError, match="groups has shape"):
        model.fit(some.X, some.labels, groups=some.subject[:-1])
    with pytest.raises(ValueError, match="one class"):
        model.fit(some.X, np.zeros(len(some)))
    with pytest.raises(ValueError, match=r"X\[None\]"):
        model.fit(some.X, some.labels).predict(some.X[0])


def test_epochs_give_what_their_array_gives(some) -> None:
    import mne

    info = mne.create_info(list(some.ch_names), some.sfreq, "eeg")
    epochs = mne.EpochsArray(1e-6 * some.X.astype(np.float64), info, verbose="error")
    told = []
    for X, sfreq in ((epochs, None), (some.X, some.sfreq)):
        bands = FBTangentSpaceClassifier(bands=BANDS, sfreq=sfreq)
        model = EnsembleClassifier(members={"bands": bands, "mdm": MDMClassifier()}, rule="meta")
        told.append(model.fit(X, some.labels, groups=some.subject).predict_proba(X))
    np.testing.assert_allclose(told[0], told[1], atol=1e-3)


def test_parameters_are_keyword_only_and_documented() -> None:
    doc = inspect.getdoc(EnsembleClassifier) or ""
    for parameter in inspect.signature(EnsembleClassifier).parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert f"\n{parameter.name} : " in doc


def test_grid_search_reaches_into_members(crowd) -> None:
    hard = crowd("12", contrast=0.7)
    search = GridSearchCV(
        EnsembleClassifier(members=fast()),
        {"csp__n_components": [2, 4], "rule": ["average", "vote"]},
        cv=2,
        scoring="neg_log_loss",
        error_score="raise",
    ).fit(hard.X, hard.labels)
    assert len(set(search.cv_results_["mean_test_score"])) == 4


@pytest.mark.parametrize(("rule", "voting"), [("average", "soft"), ("vote", "hard")])
def test_equals_scikit_learns_voting(crowd, rule, voting) -> None:
    hard, new = crowd("12", contrast=0.6), crowd("3", contrast=0.6)
    members = fast() | {"tangent": TangentSpaceClassifier()}  # three: no ties
    own = EnsembleClassifier(members=members, rule=rule).fit(hard.X, hard.labels)
    theirs = VotingClassifier(list(members.items()), voting=voting).fit(hard.X, hard.labels)
    np.testing.assert_array_equal(own.predict(new.X), theirs.predict(new.X))
    if voting == "soft":
        np.testing.assert_allclose(own.predict_proba(new.X), theirs.predict_proba(new.X))


def test_equals_scikit_learns_stacking_over_people(crowd) -> None:
    hard, new = crowd("1234", contrast=0.6), crowd("5", contrast=0.6)

    def seen(P: np.ndarray) -> np.ndarray:  # theirs is the second class of each member
        return evidence(np.stack([1 - P.T, P.T], axis=-1))

    theirs = StackingClassifier(
        list(fast().items()),
        make_pipeline(FunctionTransformer(seen), LogisticRegression(max_iter=2000)),
        cv=list(LeaveOneGroupOut().split(hard.X, hard.y, hard.subject)),
    )
    own = EnsembleClassifier(members=fast(), rule="meta")
    own.fit(hard.X, hard.labels, groups=hard.subject)
    told = theirs.fit(hard.X, hard.labels).predict_proba(new.X)
    np.testing.assert_allclose(own.predict_proba(new.X), told, atol=1e-6)


def test_inside_moabb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = pytest.importorskip("moabb.datasets.fake")
    from moabb.evaluations import CrossSubjectEvaluation
    from moabb.paradigms import LeftRightImagery

    monkeypatch.setenv("MNE_DATA", str(tmp_path))
    monkeypatch.setenv("_MNE_FAKE_HOME_DIR", str(tmp_path))
    dataset = fake.FakeDataset(
        event_list=("left_hand", "right_hand"),
        n_sessions=1,
        n_runs=1,
        n_subjects=3,
        sfreq=128,
        duration=60,
        n_events=24,
        seed=0,
    )
    evaluation = CrossSubjectEvaluation(
        paradigm=LeftRightImagery(fmin=8, fmax=30, tmin=0.0, tmax=2.0, resample=128),
        datasets=[dataset],
        hdf5_path=str(tmp_path),
        suffix="ensemble",
        overwrite=True,
        error_score="raise",
        n_jobs=1,
    )
    models = {rule: EnsembleClassifier(members=fast(), rule=rule) for rule in ("vote", "meta")}
    results = evaluation.process(models)
    assert set(results["pipeline"]) == set(models) and len(results) == 6
    assert results["score"].between(0, 1).all()
