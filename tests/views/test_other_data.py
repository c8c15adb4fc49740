"""Pretraining on other data: another cap, refused where it holds who is tested."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.config import Card, Model, Study, load_card, load_study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.pretraining import known_weights
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.model import pretrain_model
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of
from eegvit.views.other_data import checked, source_views
from eegvit.views.reading import make_views
from eegvit.views.view import DataView

SHORT = {"preset": "eeg_xs", "epochs": 1, "batch_size": 16, "device": "cpu"}
OTHER = Card(name="other", source="files", classes=("left_hand", "right_hand"), window=(0.0, 2.0))
STUDY = """\
name: small
data:
  card: simulated
  subjects: [1, 2, 3]
  channels: [C3, Cz, C4]
  classes: [left_hand, right_hand]
  window: [0.5, 1.5]
  options: {n_trials: 8, n_runs: 1, n_sessions: 1}
align: none
view: {resample: 125}
models:
  there:
    branch: efficientvit
    layout: grid
    align: {method: euclidean}
    pretrain: {data: {card: simulated, name: elsewhere, subjects: [7], channels: [Fz, C3, Cz, C4],
                      window: [0.5, 2.6], options: {n_trials: 8, n_runs: 1, n_sessions: 1}}}
"""


def people(make_trials: Callable[..., Trials], who: str, n_channels: int, **more: Any) -> Trials:
    given = {"n_trials": 12, "n_channels": n_channels, **more}
    trials = concatenate([make_trials(subject=s, seed=int(s), **given) for s in who])
    return trials.replace(ch_names=("C3", "Cz", "C4", "Fz", "Pz")[:n_channels])


def named(view: DataView, name: str) -> DataView:
    return replace(view, blocks=tuple(replace(block, data=name) for block in view.blocks))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def view(make_trials: Callable[..., Trials], cache: Cache) -> DataView:
    return view_of(people(make_trials, "123", 3, n_times=128), cache)


@pytest.fixture
def source(make_trials: Callable[..., Trials], cache: Cache) -> DataView:
    return named(view_of(people(make_trials, "45", 5, n_times=260), cache), "other")


@pytest.fixture
def study_of(make_study: Callable[..., Study]) -> Callable[..., Study]:
    def make(
        layout: str = "grid", evaluate: dict[str, Any] | None = None, **pretrain: Any
    ) -> Study:
        own = {"data": OTHER, "epochs": 1, "batch_size": 8, "steps": 4, **pretrain}
        parameters = {**SHORT, "layout": layout}
        models = {"there": Model(branch="efficientvit", parameters=parameters, pretrain=own)}
        made = make_study({"x": ("chance", {})}, **(evaluate or {}))
        return made.model_copy(update={"models": models})

    return make


def test_one_network_of_another_cap_serves_all_splits(study_of, view, source, cache):
    plan = make_plan(study_of(), {"there": view}, {"there": source})
    (key,) = plan.pretrainings
    store = Store(cache.fits)
    assert execute(plan, store, cache).failed == 0 and len(plan.fits) == 3
    weights = known_weights(store, key)
    assert weights.manifest["subjects"] == ["other/4", "other/5"]
    assert weights.manifest["architecture"]["n_channels"] == 5
    assert weights.manifest["architecture"]["n_times"] == 128
    fit = plan.fits[plan.requests[0].key]
    whole = source.take(np.arange(len(source)))
    stretches = np.stack([whole.X[:, :, :128], whole.X[:, :, 128:256]], 1).reshape(-1, 5, 128)
    grid = EfficientViTClassifier(**SHORT, layout="grid", sfreq=view.sfreq, ch_names=view.ch_names)
    tuned = FineTunedClassifier(
        model=grid, pretrain_epochs=1, pretrain_batch_size=8, finetune_steps=4
    )
    there = EfficientViTClassifier(
        **SHORT, layout="grid", sfreq=source.sfreq, ch_names=source.ch_names
    )
    by_hand = pretrain_model(
        there, stretches, recipe=tuned.pretraining(),
        subjects=np.repeat(whole.subject, 2).tolist(), recordings=np.repeat(whole.session, 2),
    )  # fmt: skip
    for name, value in by_hand.tensors.items():
        np.testing.assert_allclose(weights.tensors[name], value, atol=1e-6)
    tuned.set_params(weights=str(store.weights(key)))
    train, test = view.take(fit.train), view.take(fit.predict)
    told = tuned.fit(train.X, fit.y, groups=train.subject).predict_proba(test.X)
    np.testing.assert_allclose(store.load(fit.key).probabilities, told, atol=1e-5)


def test_the_key_of_a_fit_knows_the_other_data(study_of, make_trials, view, source, cache):
    fewer = named(view_of(people(make_trials, "4", 5, n_times=260), cache), "other")
    keys = [set(make_plan(study_of(), {"there": view}, {"there": s}).fits) for s in (source, fewer)]
    assert not keys[0] & keys[1]


def test_other_data_that_hold_who_is_tested_are_refused_by_name(study_of, view, source):
    def plan(own: DataView, **pretrain: Any) -> set[str]:
        study = study_of(evaluate={"test_subjects": ("2",)}, **pretrain)
        return {r.target for r in make_plan(study, {"there": view}, {"there": own}).requests}

    with pytest.raises(ValueError, match=r"model 'there': data other: .* on arrays/2, to be test"):
        plan(view)
    assert plan(view, unlabelled=True) == {"unlabelled"} and plan(source) == {"none"}
    with pytest.raises(ValueError, match=r"data other: .* with labels of arrays/2, to be tested"):
        plan(view, unlabelled=True, objective="supervised")


def test_what_does_not_fit_is_said_before_it_costs_anything(study_of, view, source, cache):
    with pytest.raises(ValueError, match=r"other has trials of 128 samples .* decoded have 260"):
        checked("there", OTHER, view, source, "stop", cache)
    with pytest.raises(ValueError, match=r"36 trials are of recordings of the study under another"):
        checked("there", OTHER, named(view, "other"), view, "stop", cache)
    assert checked("there", OTHER, view, view, "stop", cache) is view
    with pytest.raises(ValueError, match=r"the data to pretrain on are not there"):
        make_plan(study_of(), {"there": view})


def test_a_network_bound_to_its_cap_is_not_even_pretrained(
    study_of, view, source, cache, monkeypatch
):
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it was pretrained all the same")

    monkeypatch.setattr(sys.modules["eegvit.pretrain.model"], "pretrain_model", never)
    plan = make_plan(study_of(layout="conv"), {"there": view}, {"there": source})
    store = Store(cache.fits)
    assert execute(plan, store, cache).failed == 3
    reason = store.failure(plan.requests[0].key)["reason"]
    assert "a network for 5 channels does not serve 3" in reason and "layout: grid" in reason


def test_other_data_of_a_study_are_read_at_its_rate_and_aligned_like_it(tmp_path, cache):
    (tmp_path / "small.yaml").write_text(STUDY)
    study = load_study(tmp_path / "small.yaml")
    assert study.models["there"].said == "efficientvit, pretrained (contrastive on elsewhere)"
    views = make_views(study, cache)
    found = source_views(study, views, cache)["there"]
    assert set(found.data.tolist()) == {"elsewhere"} and found.ch_names == ("Fz", "C3", "Cz", "C4")
    assert found.sfreq == views["there"].sfreq == 125 != load_card("simulated").resample
    X = found.take(np.arange(len(found))).X
    np.testing.assert_allclose(
        np.mean(X @ X.transpose(0, 2, 1), 0) / X.shape[2], np.eye(4), atol=0.1
    )


def test_the_tested_under_another_name_and_window_are_known(study_of, make_trials, cache):
    """Pretraining with labels on whom is tested was accepted under another card's name."""
    trials = people(make_trials, "123", 3, n_times=512)
    view = view_of(trials.replace(X=trials.X[:, :, :300]), cache)
    again = trials[trials.subject != "1"].replace(X=-2 * trials.X[trials.subject != "1"][..., 80:])
    renamed = again.replace(subject=np.char.add("S", again.subject))
    strangers = people(make_trials, "78", 3, n_times=432)
    other = named(view_of(concatenate([renamed, strangers]), cache), "other")
    with pytest.raises(ValueError, match=r"24 trials .* e.g. of other/S2, there called arrays/2"):
        checked("there", OTHER, other, view, "stop", cache)
    with pytest.warns(UserWarning, match="they count as both"):
        told = checked("there", OTHER, other, view, "warn", cache)
    study = study_of(evaluate={"test_subjects": ("2",)}, objective="supervised", unlabelled=True)
    with pytest.raises(ValueError, match=r"with labels of arrays/2, to be tested"):
        make_plan(study, {"there": view}, {"there": told})
    with pytest.warns(UserWarning, match="2 sessions are left out"):
        left = checked("there", OTHER, other, view, "drop", cache)
    assert set(left.people.tolist()) == {"other/7", "other/8"}
    assert make_plan(study, {"there": view}, {"there": left}).requests[0].target == "none"
