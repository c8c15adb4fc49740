"""Execution: results, failures of every kind, shared features, resumed runs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.config import Align
from eegvit.execute.fits import execute
from eegvit.execute.local import Workers, local
from eegvit.execute.store import Store
from eegvit.plan.dry_run import describe
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes
from eegvit.tasks import Task

TESTS = Path(__file__).parent.parent


@pytest.fixture
def steps(monkeypatch):
    """Make steps.py importable, here and in the workers; return a function that names one."""
    monkeypatch.syspath_prepend(str(TESTS))
    monkeypatch.delitem(sys.modules, "steps", raising=False)

    def describe_step(name="Guess", **parameters):
        return {"from": f"steps.{name}", "parameters": parameters}

    return describe_step


def _run(make_study, view, models, cache, jobs=1, align=None, **evaluate):
    study = make_study(models, align, **evaluate)
    plan, store = make_plan(study, dict.fromkeys(models, view)), Store(cache.fits)
    with local(jobs) as workers:
        return plan, store, execute(plan, store, cache, workers)


@pytest.mark.parametrize("jobs", [0, 2])
def test_predictions_are_those_of_the_estimator(make_study, make_view, cache, jobs):
    view = make_view(n_trials=12, align=Align(method="euclidean"))
    plan, store, tally = _run(make_study, view, {"csp": ("csp_lda", {})}, cache, jobs=jobs)
    assert (tally.stored, tally.run, tally.failed) == (0, 3, 0)
    for outcome, split in zip(outcomes(plan, store), plan.splits, strict=True):
        train, test = view.take(split.train), view.take(split.test)
        by_hand = CSPLDAClassifier().fit(train.X, train.y).predict_proba(test.X)
        assert np.allclose(outcome.probabilities, by_hand, atol=1e-6)
        assert outcome.ids.tolist() == test.ids.tolist()
        assert set(outcome.seconds) == {"features", "fit", "predict"}
    about = store.load(plan.requests[0].key).about
    assert about["peak_memory"] > 1e6 and about["n_train"] == 24
    assert about["n_parameters"] is None and about["seconds_fit"] > 0


def test_second_run_runs_nothing(make_study, make_view, cache):
    view, models = make_view(n_trials=12), {"csp": ("csp_lda", {})}
    _run(make_study, view, models, cache, jobs=0)
    more = {**models, "mdm": ("mdm", {})}
    plan, store, tally = _run(make_study, view, more, cache, jobs=0)
    assert (tally.stored, tally.run) == (3, 3)
    assert "6 fits, 6 stored, 0 to run" in describe(plan, store)


def test_missing_rows_are_predicted_beside_the_old(make_study, make_view, cache):
    view, models = make_view(subjects=4, n_trials=12), {"csp": ("csp_lda", {})}
    train = {"train_subjects": ("1", "2")}
    _run(make_study, view, models, cache, 0, test_subjects=("3",), **train)
    plan, store, tally = _run(make_study, view, models, cache, 0, test_subjects=("4",), **train)
    assert tally.run == 1
    known = store.load(plan.requests[0].key)
    assert {i.split("/")[0] for i in known.ids} == {"3", "4"}
    _, _, tally = _run(make_study, view, models, cache, 0, test_subjects=("3", "4"), **train)
    assert (tally.stored, tally.run) == (1, 0)


def test_failures_keep_their_reason_and_the_others_go_on(make_study, make_view, cache, steps):
    view = make_view(n_trials=12)
    models = {
        "raises": ("pipeline", {"steps": [steps(mishap="raise")]}),
        "killed": ("pipeline", {"steps": [steps(mishap="killed")]}),
        "absent": ("pipeline", {"steps": [{"from": "sklearn.nowhere.Nothing"}]}),
        "talks": ("pipeline", {"steps": [steps(mishap="says")]}),
    }
    plan, store, tally = _run(make_study, view, models, cache)
    assert (tally.run, tally.failed) == (3, 9)
    found = {o.model: o for o in outcomes(plan, store)}
    assert found["raises"].reason == "ValueError: this model cannot be fitted"
    assert "signal SIGKILL" in found["killed"].reason
    assert "nowhere" in found["absent"].reason
    assert [found[m].status for m in models] == ["failed", "failed", "failed", "ok"]
    assert "steps.py" in store.failure(found["raises"].key)["traceback"]
    _, _, tally = _run(make_study, view, models, cache)
    assert (tally.stored, tally.failed) == (3, 9)


def test_features_are_computed_once_a_block_and_shared(
    make_study, make_view, cache, steps, tmp_path
):
    log = tmp_path / "log"
    leading = steps("Logged", log=str(log))
    lda = {"from": "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"}
    logistic = {"from": "sklearn.linear_model.LogisticRegression"}
    models = {
        "lda": ("pipeline", {"steps": [leading, lda]}),
        "logistic": ("pipeline", {"steps": [leading, logistic]}),
    }
    view = make_view(subjects=3, sessions=2, n_trials=10)
    plan, store, _ = _run(make_study, view, models, cache, jobs=2, n_folds=3)
    # probes have fewer trials; what a model costs to use is measured with 1 and 64
    real = [n for n in log.read_text().split() if 10 <= int(n) < 64]
    assert real == ["10"] * 6
    assert all(o.status == "ok" for o in outcomes(plan, store))


def test_seeds_and_groups_and_checkpoint_reach_a_network(make_study, make_view, cache):
    view = make_view(n_trials=12, n_times=64)
    models = {"net": ("eegnet", {"epochs": 2, "validation": 0.5})}
    plan, store, tally = _run(make_study, view, models, cache, test_subjects=("3",), seeds=(0, 1))
    assert tally.run == 2
    one, two = outcomes(plan, store)
    assert not np.array_equal(one.probabilities, two.probabilities)
    assert one.n_parameters > 100
    assert not list(cache.fits.rglob("*.checkpoint"))


def test_a_worker_that_dies_is_replaced(steps):
    import os

    tasks = [Task("dies", os._exit, (3,)), Task("lives", len, ((1, 2),))]
    with Workers(jobs=1) as workers:
        answers = {a.number: a for a in workers.run(tasks)}
        again = [a.value for a in workers.run(tasks[1:])]
    assert again == [2]
    assert answers[0].reason == "the worker process ended with exit code 3"
    assert answers[1].value == 2
