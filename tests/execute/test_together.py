"""Fits at once: where that is faster, with the same predictions, and nothing lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import eegvit.train
from eegvit.branches import neural_together
from eegvit.execute import together as grouping
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes
from eegvit.train.checkpoint import Checkpoint

NET = {"net": ("eegnet", {"epochs": 2, "batch_size": 8, "device": "cpu"})}


@pytest.fixture
def view(make_view):
    return make_view(n_trials=12, n_times=64)


@pytest.fixture
def worth(monkeypatch):
    """Every group is worth measuring, and wins."""
    monkeypatch.setattr(grouping, "WORTH", 0)
    monkeypatch.setattr(grouping, "seconds_a_step", lambda *_: (1.0, 0.1))


def _plan(make_study, view, folder, models=NET, **evaluate: Any):
    study = make_study(models, None, **evaluate)
    return make_plan(study, dict.fromkeys(models, view)), Store(folder)


def _probabilities(plan, store):
    found = outcomes(plan, store)
    assert [o.status for o in found] == ["ok"] * len(found)
    return np.concatenate([o.probabilities for o in found])


def test_the_same_at_once(make_study, view, cache, tmp_path, worth):
    models = {**NET, "csp": ("csp_lda", {}), "short": ("eegnet", {**NET["net"][1], "epochs": 1})}
    plan, together = _plan(make_study, view, tmp_path / "a", models, seeds=(0, 1))
    tally = execute(plan, together, cache)
    assert (tally.run, tally.failed) == (6 + 3 + 6, 0)
    sizes = {
        request.model: together.load(request.key).about.get("fits_at_once")
        for request in plan.requests
    }
    assert sizes == {"net": 6, "csp": None, "short": 6}
    alone = Store(tmp_path / "b")
    grouping.WORTH = 10**9
    execute(plan, alone, cache)
    found, expected = _probabilities(plan, together), _probabilities(plan, alone)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    known, about = (store.load(plan.requests[0].key).about for store in (together, alone))
    assert set(known) == {*about, "fits_at_once"}
    assert known["n_train"] == 24 and known["n_parameters"] == about["n_parameters"]
    assert known["fit"] == about["fit"] and known["seconds_fit"] > 0
    assert not list(together.root.rglob("*.checkpoint"))


def test_a_group_that_fails_is_carried_out_one_by_one(
    make_study, view, cache, tmp_path, worth, monkeypatch
):
    plan, store = _plan(make_study, view, tmp_path / "a")
    told = grouping.probabilities
    calls = []

    def fails_at_second(model, X):
        calls.append(len(X))
        if len([n for n in calls if n not in (1, 64)]) == 2:  # those measure what using it costs
            raise MemoryError("no memory")
        return told(model, X)

    monkeypatch.setattr(grouping, "probabilities", fails_at_second)
    tally = execute(plan, store, cache)
    assert (tally.run, tally.failed) == (3, 0)
    known = [store.load(key).about.get("fits_at_once") for key in plan.fits]
    assert known == [3, None, None], "what the group had finished was done again"
    assert not list(store.root.rglob("*.failed.json"))


def test_a_fit_that_fails_alone_too_is_noted(make_study, view, cache, tmp_path, worth):
    models = {"net": ("eegnet", {**NET["net"][1], "learning_rate": 1e30})}
    plan, store = _plan(make_study, view, tmp_path / "a", models)
    tally = execute(plan, store, cache)
    assert (tally.run, tally.failed) == (0, 3)
    assert all("diverged" in store.failure(key)["reason"] for key in plan.fits)


@pytest.mark.parametrize("then", ["together", "alone"])
def test_stopped_and_started_again(make_study, view, cache, tmp_path, worth, monkeypatch, then):
    plan, undisturbed = _plan(make_study, view, tmp_path / "a")
    execute(plan, undisturbed, cache)
    store = Store(tmp_path / "b")
    train_together = eegvit.train.train_together

    def interrupted(*args: Any, **settings: Any) -> Any:
        def stop(fit: int, epoch: int, record: Any) -> None:
            if fit == 2:
                raise KeyboardInterrupt

        return train_together(*args, **settings, save_every=0, on_epoch=stop)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(eegvit.train, "train_together", interrupted)
        execute(plan, store, cache)
    assert len(list(store.root.rglob("*.checkpoint"))) == 3
    begun = []
    load = Checkpoint.load

    def watched(self: Checkpoint) -> None:
        load(self)
        begun.append(len(self.run.history))

    monkeypatch.setattr(Checkpoint, "load", watched)
    grouping.WORTH = 0 if then == "together" else 10**9
    execute(plan, store, cache)
    assert begun == [1, 1, 1]
    found, expected = _probabilities(plan, store), _probabilities(plan, undisturbed)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_which_fits_are_alike(make_study, view, tmp_path, monkeypatch):
    models = {**NET, "csp": ("csp_lda", {}), "other": ("eegnet", {"epochs": 1})}
    plan, _ = _plan(make_study, view, tmp_path, models, seeds=(0, 1, 2, 3))
    fits = list(plan.fits.values())
    assert grouping.alike(fits, jobs=1) == [], "too short to be worth a measurement"
    monkeypatch.setattr(grouping, "WORTH", 0)
    for jobs, expected in ((0, [6, 6]), (1, [6, 6]), (3, [4, 4, 4]), (5, [3] * 4), (12, [])):
        groups = grouping.alike(fits, jobs)
        ours = [group for group in groups if fits[group[0]].recipe.parameters == NET["net"][1]]
        assert [len(group) for group in ours] == expected
        assert not {n for g in groups for n in g if fits[n].recipe.branch == "csp_lda"}
    plan, _ = _plan(make_study, view, tmp_path, {"usual": ("eegnet", {"batch_size": 8})})
    of_24 = list(plan.fits.values())
    fewer = [replace(of_24[0], train=of_24[0].train[:16]), *of_24[1:]]  # more epochs make 400
    assert grouping.alike(of_24, jobs=1) == [[0, 1, 2]] and grouping.alike(fewer, 1) == [[1, 2]]
    y = view.y.copy()
    y[:] = 0
    y[-12:] = 1  # the last person alone has the second class
    monkeypatch.setitem(view.__dict__, "y", y)
    assert all(len(group) in (4, 8) for group in grouping.alike(fits, jobs=0))


def test_the_measurement_is_remembered(make_study, view, cache, tmp_path, monkeypatch):
    plan, _ = _plan(make_study, view, tmp_path)
    recipe = next(iter(plan.fits.values())).recipe
    answers = {2: (1.0, 0.5), 3: (1.0, 0.95)}
    asked = []

    def measured(model: Any, n_channels: int, n_times: int, n_classes: int, n_fits: int) -> Any:
        asked.append((n_channels, n_times, n_classes, n_fits))
        return answers[n_fits]

    monkeypatch.setattr(grouping, "seconds_a_step", measured)
    for _ in range(2):
        assert grouping.is_faster(recipe, (4, 64), 2, 2, cache)
        assert not grouping.is_faster(recipe, (4, 64), 2, 8, cache)
    assert asked == [(4, 64, 2, 2), (4, 64, 2, 3)]
    answers[2] = (1.0, float("inf"))
    assert not grouping.is_faster(recipe, (4, 128), 2, 2, cache)


def test_what_is_not_the_same_is_never_faster(monkeypatch):
    from eegvit.branches.eegnet import EEGNetClassifier

    model = EEGNetClassifier(batch_size=8, device="cpu")
    assert neural_together.seconds_a_step(model, 3, 64, 2, 2)[1] < float("inf")
    train_together = eegvit.train.train_together

    def wrong(*args: Any, **settings: Any) -> Any:
        return train_together(*args, **settings | {"seeds": [5, 6]})

    def unable(*args: Any, **settings: Any) -> Any:
        raise RuntimeError("no batching rule")

    for broken in (wrong, unable):
        monkeypatch.setattr(eegvit.train, "train_together", broken)
        assert neural_together.seconds_a_step(model, 3, 64, 2, 2)[1] == float("inf")


def test_measured_in_a_worker(make_study, view, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(grouping, "WORTH", 0)
    plan, store = _plan(make_study, view, tmp_path / "a")
    with local(1) as workers:
        tally = execute(plan, store, cache, workers)
    assert tally.failed == 0 and tally.run == len(plan.fits)
    assert [e for e in cache.entries() if e["recipe"].get("what") == "fits at once"]
