"""Distilled models in a study: who tells them what, what decides it, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.compress import DistilledClassifier
from eegvit.config import Ensemble, Model, Study
from eegvit.data.cache import Cache
from eegvit.ensemble.rules import learn
from eegvit.execute import fits as module
from eegvit.execute.fits import Tally, execute
from eegvit.execute.shard import Shard
from eegvit.execute.store import Store
from eegvit.execute.teaching import said_by, taught
from eegvit.execute.told import told_of
from eegvit.plan.plan import Plan, make_plan
from eegvit.results.stored import score
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

EEGNET = {"kernel_length": 16, "epochs": 2, "batch_size": 8, "device": "cpu"}
MODELS = {
    "small": Model(branch="eegnet", parameters=EEGNET, distill={"from": "both"}),
    "csp": Model(branch="csp_lda"),
    "mdm": Model(branch="mdm"),
}
BOTH = {"both": Ensemble(of=("mdm", "csp"), rule="meta")}

Run = Callable[..., tuple[Plan, Store, Tally]]


@pytest.fixture
def four(make_trials: Callable[..., Trials]) -> Trials:
    """Return four people."""
    return concatenate(
        [make_trials(n_trials=16, subject=s, seed=int(s), contrast=1.5) for s in "1234"]
    )


@pytest.fixture
def planned(make_study: Callable[..., Study], tmp_path: Path) -> Callable[..., tuple[Plan, Cache]]:
    def make(
        trials: Trials, models: dict[str, Model] = MODELS, ensembles: Any = BOTH,
        folder: str = "cache", **evaluate: Any,
    ) -> tuple[Plan, Cache]:  # fmt: skip
        cache = Cache(tmp_path / folder)
        evaluate = evaluate or {"test_subjects": ("4",)}
        study = make_study({"any": ("chance", {})}, **evaluate)
        study = study.model_copy(update={"models": models, "ensembles": ensembles})
        return make_plan(study, dict.fromkeys(models, view_of(trials, cache))), cache

    return make


@pytest.fixture
def run(planned: Callable[..., tuple[Plan, Cache]]) -> Run:
    def carry_out(*given: Any, **more: Any) -> tuple[Plan, Store, Tally]:
        plan, cache = planned(*given, **more)
        store = Store(cache.fits)
        return plan, store, execute(plan, store, cache)

    return carry_out


def of_student(plan: Plan, who: str = "4") -> Any:
    (request,) = [r for r in plan.requests if r.model == "small" and r.split == f"{who} left out"]
    return plan.fits[request.key]


def keys(plan: Plan, model: str = "small") -> list[str]:
    return sorted(r.key for r in plan.requests if r.model == model and not r.outer)


def soft_of(fit: Any, store: Store) -> np.ndarray:
    told = {r: told_of(r, store.load(r.key)) for r in fit.teaching.requests}
    return said_by(fit.teaching, told, fit)


def test_it_is_a_row_taught_by_the_very_fits_that_ensembles_learn_from(four: Trials, run: Run):
    plan, store, tally = run(four, n_folds=None)
    alone = make_plan(
        plan.study.model_copy(update={"models": {n: MODELS[n] for n in ("csp", "mdm")}}),
        {n: next(iter(plan.fits.values())).view for n in ("csp", "mdm")},
    )
    assert set(plan.fits) - set(alone.fits) == set(keys(plan))
    assert (tally.failed, tally.run) == (0, len(alone.fits) + 4)
    results = score(plan.study, plan, store)
    (row,) = [row for row in results.board if row.model == "small"]
    assert row.status == "ok" and row.target == "none"
    (check,) = [one for one in results.audit.checks if "teacher" in one.what]
    assert check.passed and check.counted == "4 fits of students, 12 of teachers"


def test_nobody_is_told_of_by_who_saw_them_nor_the_tested(four: Trials, planned: Any) -> None:
    plan, _ = planned(four, n_folds=None)
    for who in "1234":
        fit = of_student(plan, who)
        told = np.concatenate([r.test for r in fit.teaching.members[0]])
        np.testing.assert_array_equal(np.sort(told), fit.train)
        for request in fit.teaching.requests:
            view, saw = request.view, plan.fits[request.key].train
            people = set(view.subject[saw])
            assert who not in people and not people & set(view.subject[request.test])


def test_a_rule_tells_of_a_fold_what_it_learned_from_the_others(four: Trials, run: Run) -> None:
    plan, store, _ = run(four)
    fit = of_student(plan)
    soft = soft_of(fit, store)
    members = fit.teaching.members
    assert [m[0].model for m in members] == ["csp", "mdm"] and len(members[0]) == 3
    P = [np.stack([told_of(m[k], store.load(m[k].key)) for m in members]) for k in range(3)]
    y = [fit.view.y[r.test] for r in members[0]]
    for k in range(3):
        others = [j for j in range(3) if j != k]
        rule = learn("meta", np.concatenate([P[j] for j in others], 1),
                     np.concatenate([y[j] for j in others]))  # fmt: skip
        own = np.searchsorted(fit.train, members[0][k].test)
        np.testing.assert_allclose(soft[own], rule(P[k]))


def test_it_is_the_classifier_that_is_documented(four: Trials, run: Run) -> None:
    """What a fit predicts is what the estimator predicts that fits its teacher by itself."""
    models = {**MODELS, "small": MODELS["small"].model_copy(update={"distill": {"from": "csp"}})}
    plan, store, _ = run(four, models, seeds=(5,), test_subjects=("4",))
    fit = of_student(plan)
    train, test = fit.view.take(fit.train), fit.view.take(fit.predict)
    model = DistilledClassifier(
        model=EEGNetClassifier(**EEGNET), teacher="csp_lda", random_state=5
    ).fit(train.X, fit.y, groups=train.subject)
    np.testing.assert_allclose(soft_of(fit, store), model.soft_, atol=1e-6)
    told = store.load(fit.key).probabilities
    np.testing.assert_allclose(told, model.predict_proba(test.X), atol=1e-4)


def test_the_people_tested_decide_nothing(four: Trials, run: Run) -> None:
    """Other labels and other signals of who is tested change no key and no prediction but theirs.

    Everybody else is told by them, so the whole of the store is made anew.
    """
    tested = four.subject == "4"
    X = np.array(four.X)
    X[tested] = X[tested][::-1]
    changed = four.replace(X=X, y=np.where(tested, 1 - four.y, four.y))
    told = []
    for folder, trials in (("one", four), ("other", changed)):
        plan, store, _ = run(trials, folder=folder)
        fit = of_student(plan)
        told.append((fit.key, store.load(fit.key).probabilities))
    assert told[0][0] == told[1][0]
    np.testing.assert_allclose(told[0][1], told[1][1][::-1], atol=1e-6)


def test_a_weight_of_nothing_is_the_plain_model_bit_for_bit(four: Trials, run: Run) -> None:
    nothing = {"from": "csp", "weight": 0.0}
    models = {
        "plain": Model(branch="eegnet", parameters=EEGNET),
        "small": Model(branch="eegnet", parameters=EEGNET, distill=nothing),
        "heard": Model(branch="eegnet", parameters=EEGNET, distill={"from": "csp"}),
        "csp": MODELS["csp"],
    }
    plan, store, _ = run(four, models, {}, seeds=(3,), test_subjects=("4",))
    told = {name: store.load(*keys(plan, name)).probabilities for name in models}
    np.testing.assert_array_equal(told["small"], told["plain"])
    assert not np.array_equal(told["heard"], told["plain"])


def test_the_key_knows_the_teacher(four: Trials, planned: Any) -> None:
    def known(ensembles: Any = BOTH, **changes: Any) -> tuple[str, ...]:
        models = {name: changes.get(name, model) for name, model in MODELS.items()}
        return tuple(keys(planned(four, models, ensembles)[0]))

    def distilled(**how: Any) -> Model:
        return MODELS["small"].model_copy(update={"distill": {"from": "both", **how}})

    own = known()
    assert known({"both": Ensemble(of=("csp", "mdm"), rule="meta")}) == own
    others = [
        known(csp=Model(branch="csp_lda", parameters={"n_components": 2})),
        known({"both": Ensemble(of=("csp", "mdm"), rule="average")}),
        known({"both": Ensemble(of=("csp", "mdm"), rule="meta", calibrate="temperature")}),
        known(small=distilled(weight=0.4)),
        known(small=distilled(temperature=3.0)),
        known(small=distilled(**{"from": "csp"})),
    ]
    assert len({own, *others}) == 7


def test_the_mean_over_seeds_teaches_as_one(four: Trials, run: Run) -> None:
    one = {**EEGNET, "epochs": 1}
    models = {
        "net": Model(branch="eegnet", parameters=one, seeds="mean"),
        "small": Model(branch="eegnet", parameters=one, distill={"from": "net"}),
    }
    plan, store, _ = run(four, models, {}, seeds=(0, 1), test_subjects=("4",))
    fits = [plan.fits[key] for key in keys(plan)]
    assert len(fits) == 2
    told = [soft_of(fit, store) for fit in fits]
    np.testing.assert_array_equal(*told)
    (members,) = fits[0].teaching.members
    assert sorted((r.split, r.seed) for r in members) == [
        (f"4 left out, {who} held out", seed) for who in "123" for seed in (0, 1)
    ]
    first = [told_of(r, store.load(r.key)) for r in members if ", 2 held" in r.split]
    own = np.searchsorted(fits[0].train, members[1].test)
    np.testing.assert_allclose(told[0][own], np.mean(first, axis=0))


@pytest.mark.parametrize("evaluate", [
    {"protocol": "within_session", "n_folds": 3},
    {"protocol": "cross_session"},
    {"protocol": "cross_subject", "n_folds": 2},
    {"protocol": "cross_subject", "test_subjects": ("4",), "calibrate": 2},
], ids=["within a session", "across sessions", "groups of people", "calibrated"])  # fmt: skip
def test_every_protocol_has_teachers(
    evaluate: dict[str, Any], make_trials: Callable[..., Trials], run: Run
) -> None:
    parts = [
        make_trials(n_trials=18, subject=p, session=s, seed=int(p + s), n_channels=3, n_times=128)
        for p in "1234"
        for s in "01"
    ]
    models = {
        "csp": MODELS["csp"],
        "small": Model(branch="eegnet", parameters=EEGNET, distill={"from": "csp"}),
    }
    plan, store, tally = run(concatenate(parts), models, {}, **evaluate)
    assert tally.failed == 0
    for key in keys(plan):
        fit = plan.fits[key]
        soft = soft_of(fit, store)
        silent = np.isnan(soft).any(axis=1)
        whose = fit.view.subject[fit.train[silent]]
        first = set("1234") if "calibrate" in evaluate else set()  # two of each class
        assert set(whose) == first and silent.sum() == 4 * len(first)
        for r in fit.teaching.requests:
            assert not np.intersect1d(plan.fits[r.key].train, r.test).size
            assert not np.intersect1d(plan.fits[r.key].train, fit.predict).size
    assert score(plan.study, plan, store).board[0].status == "ok"


def test_where_nobody_is_left_to_learn_from_it_is_said(four: Trials, planned: Any) -> None:
    two = four[np.flatnonzero(np.isin(four.subject, ("1", "2")))]
    sentence = "ensembles both and distilled models small learn from predictions out-of-fold: split"
    with pytest.raises(ValueError, match=sentence):
        planned(two, n_folds=None)


def test_a_run_goes_on_where_it_stopped(four: Trials, planned: Any, monkeypatch) -> None:
    plan, cache = planned(four)
    store, done = Store(cache.fits), []
    real = module.fit_and_save

    def killed(job: Any) -> None:
        if len(done) == 8:  # all teachers, and not the student
            raise KeyboardInterrupt
        done.append(job.key)
        real(job)

    monkeypatch.setattr(module, "fit_and_save", killed)
    with pytest.raises(KeyboardInterrupt):
        execute(plan, store, cache)
    done.clear()
    tally = execute(plan, store, cache)
    assert tally == Tally(8, 1, 0) and done == keys(plan)
    whole = {key: store.load(key).probabilities for key in keys(plan)}
    fresh = Store(cache.root / "fresh")
    monkeypatch.setattr(module, "fit_and_save", real)
    execute(plan, fresh, cache)
    for key, told in whole.items():
        np.testing.assert_array_equal(fresh.load(key).probabilities, told)


def test_without_its_teacher_a_student_fails_and_says_why(four: Trials, planned: Any, monkeypatch):
    plan, cache = planned(four)
    store, real = Store(cache.fits), module.fit_and_save

    def broken(job: Any) -> None:
        if job.name.startswith("mdm, 4 left out, 2 held out"):
            raise RuntimeError("no memory is left")
        real(job)

    monkeypatch.setattr(module, "fit_and_save", broken)
    tally = execute(plan, store, cache)
    failure = store.failure(*keys(plan))
    assert failure["reason"] == "teacher both: RuntimeError: no memory is left"
    assert tally == Tally(0, 7, 2)
    monkeypatch.setattr(module, "fit_and_save", real)
    assert execute(plan, store, cache) == Tally(7, 2, 0)


def test_a_shard_leaves_students_whose_teachers_are_elsewhere(four: Trials, planned: Any) -> None:
    plan, cache = planned(four)
    store, shards = Store(cache.fits), (Shard(1, 2), Shard(2, 2))
    first, second = sorted(shards, key=lambda shard: not shard.own(plan) & set(keys(plan)))
    tally = execute(plan, store, cache, shard=first)
    assert tally == Tally(0, len(first.own(plan)) - 1, 0)
    assert store.failure(*keys(plan)) is None
    assert execute(plan, store, cache, shard=second).failed == 0
    assert execute(plan, store, cache) == Tally(8, 1, 0)
    assert all(fit.is_in(store) for fit in plan.fits.values())


def test_who_saw_the_people_tested_tells_of_it(four: Trials, planned: Any, monkeypatch) -> None:
    """A student of a model that saw trials of the people tested has seen them too."""
    from eegvit.plan import plan as planning

    monkeypatch.setattr(planning, "saw_target", lambda study, name, *_: name == "mdm")
    plan, _ = planned(four)
    targets = {r.model: r.target for r in plan.requests}
    assert targets == {"csp": "none", "mdm": "unlabelled", "small": "unlabelled"}


def test_a_student_hears_only_of_its_own_training_trials(four: Trials, run: Run) -> None:
    plan, store, _ = run(four)
    fit = of_student(plan)
    other = replace(fit, train=fit.train[::2])
    told = taught([fit, replace(other, key="other")], store).soft
    np.testing.assert_array_equal(told["other"], told[fit.key][::2])
