"""What a model costs to use is measured once for each model, from signals to probabilities."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.execute import one_fit as fitting
from eegvit.execute.costs import costs
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.execute.store import Store
from eegvit.networks.macs import count
from eegvit.plan.plan import make_plan
from eegvit.report import words
from eegvit.report.tables.costs import times_table
from eegvit.report.text.markdown import markdown
from eegvit.results.stored import score


@pytest.mark.parametrize("jobs", [0, 1])
def test_every_row_says_what_its_model_costs(make_study, make_view, cache, jobs):
    view = make_view(n_trials=12)
    short = {"epochs": 1, "batch_size": 16, "device": "cpu"}
    models = {"net": ("eegnet", short), "csp": ("csp_lda", {})}
    study = make_study(models, seeds=(0, 1))
    plan, store = make_plan(study, dict.fromkeys(models, view)), Store(cache.fits)
    with local(jobs) as workers:
        execute(plan, store, cache, workers)
    results = score(study, plan, store)
    rows = {row.model: row for row in results.board}
    X = view.take(np.arange(12)).X
    network = EEGNetClassifier(**short).fit(X, view.y[:12])
    expected = count(network.module_, torch.zeros(1, *X.shape[1:]))
    assert rows["net"].macs == expected > 1000
    assert np.isnan(rows["csp"].macs)
    for row in rows.values():
        assert 0 < row.seconds_1 < row.seconds_64 < 60
        for shown in (words.macs(row.macs), words.latency(row.seconds_1)):
            assert shown in str(times_table(results)) and shown in markdown(results)
    told = [store.load(key).about.get("costs") for key in plan.fits]
    assert len([one for one in told if one]) == 2 < len(told)  # once for each model


def test_a_measurement_that_fails_loses_no_fit(make_study, make_view, cache, monkeypatch):
    def fail(*_):
        raise MemoryError("no room for 64 trials")

    monkeypatch.setattr(fitting, "costs", fail)
    view = make_view(n_trials=12)
    study = make_study({"csp": ("csp_lda", {})})
    plan, store = make_plan(study, {"csp": view}), Store(cache.fits)
    assert execute(plan, store, cache).failed == 0
    told = [store.load(key).about["warnings"] for key in plan.fits]
    assert sum("no room for 64 trials" in " ".join(warnings) for warnings in told) == 1
    assert np.isnan(score(study, plan, store).board[0].seconds_1)


def test_time_counts_from_the_signals_and_few_trials_are_repeated():
    seen = []

    def predict(X):
        seen.append(X.shape)
        time.sleep(0.001 * len(X))

    told = costs(object(), predict, np.zeros((5, 2, 3)))
    assert set(seen) == {(1, 2, 3), (64, 2, 3)}
    assert told["macs"] is None
    assert told["seconds_1"] >= 0.001 and told["seconds_64"] >= 0.064


def test_a_slow_model_is_not_asked_again_and_again():
    calls = []

    def predict(X):
        calls.append(len(X))
        time.sleep(1.1)

    costs(object(), predict, np.zeros((64, 1, 1)))
    assert calls == [1, 64]
