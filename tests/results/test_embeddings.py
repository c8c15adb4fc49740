"""What networks hold: of training trials only, measured once, the same for all that share them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.config import Model, Study
from eegvit.data.cache import Cache
from eegvit.execute import embeddings as module
from eegvit.execute.embeddings import networks, represent, scaled
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.pretrain.probes import embed, linear_probe
from eegvit.results.embeddings import representations
from eegvit.results.stored import score
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

SHORT = {"kernel_length": 16, "epochs": 1, "batch_size": 16, "device": "cpu"}
PRE = {"epochs": 1, "batch_size": 16, "steps": 4}
MODELS = {
    "full": Model(branch="eegnet", parameters=SHORT, pretrain=PRE),
    "probe": Model(branch="eegnet", parameters=SHORT, pretrain={**PRE, "finetune": "probe"}),
    "scratch": Model(branch="eegnet", parameters=SHORT, pretrain={**PRE, "objective": "none"}),
    "csp": Model(branch="csp_lda", parameters={"n_components": 2}),
}


@pytest.fixture
def trials(make_trials: Callable[..., Trials]) -> Trials:
    return concatenate(
        [make_trials(n_trials=20, n_channels=3, n_times=128, subject=s, seed=int(s)) for s in "123"]
    )


@pytest.fixture
def planned(make_study: Callable[..., Study], cache: Cache) -> Callable[..., Any]:
    def make(trials: Trials, **evaluate: Any) -> Any:
        few = {"label_fraction": (0.2, 1.0), "draws": 2, **evaluate}
        study = make_study({"x": ("chance", {})}, **few).model_copy(update={"models": MODELS})
        return make_plan(study, dict.fromkeys(MODELS, view_of(trials, cache)))

    return make


def test_each_network_is_measured_once_and_models_share_it(planned, trials, cache, monkeypatch):
    plan, store = planned(trials), Store(cache.fits)
    execute(plan, store, cache)
    done: list[str] = []
    real = module.probe_and_note
    monkeypatch.setattr(module, "probe_and_note", lambda job: (done.append(job.key), real(job)))
    represent(plan, store, cache)
    assert len(done) == len(set(done)) == 2 * 3  # three folds, pretrained and as built
    represent(plan, store, cache)
    assert len(done) == 6
    found = score(plan.study, plan, store).representations
    assert [(one.models, one.n_networks) for one in found] == [
        (("full", "probe"), 3), (("scratch",), 3),
    ]  # fmt: skip
    for one in found:
        assert len(one.places) == len(one.classes) == len(one.people) == 40
        assert set(one.people) == {"arrays/2", "arrays/3"}
        assert one.figures["class_chance"] == 0.5 and one.figures["d"] > 1


def test_what_is_measured_is_the_network_that_fits_start_from(planned, trials, cache):
    from eegvit.branches.eegnet import EEGNetClassifier
    from eegvit.pretrain.model import untrained

    plan, store = planned(trials, test_subjects=("3",)), Store(cache.fits)
    execute(plan, store, cache)
    represent(plan, store, cache)
    X, y = trials.X[:40], trials.y[:40]
    who = trials.subject[:40]
    for one in representations(plan, store):
        network, last = untrained(EEGNetClassifier(**SHORT), X, seed=0)
        if "full" in one.models:
            (key,) = plan.pretrainings
            module.load(store.weights(key)).put_into(network, last)
        assert one.figures["classes"] == linear_probe(embed(network.eval(), X), y, groups=who)


def test_nothing_of_the_people_tested_enters(planned, trials, cache):
    plan = planned(trials, test_subjects=("3",))
    store = Store(cache.fits)
    rows = np.concatenate([network.rows for network in networks(plan, store)])
    assert set(trials.subject[rows].tolist()) == {"1", "2"}
    tested = trials.subject == "3"
    y, X = trials.y.copy(), trials.X.copy()
    y[tested], X[tested] = 1 - y[tested], 0
    other = planned(trials.replace(X=X, y=y), test_subjects=("3",))
    keys = [[network.key for network in networks(p, store)] for p in (plan, other)]
    assert keys[0] == keys[1] and len(set(keys[0])) == 2
    calibrated = planned(trials, label_fraction=None, labels_per_class=(2,), labels_from="target")
    for network, request in zip(
        networks(calibrated, store),
        (r for r in calibrated.requests if r.model != "csp"),
        strict=True,
    ):
        assert not np.isin(trials.subject[network.rows], trials.subject[request.test]).any()


def test_labels_of_the_training_trials_are_in_the_key(planned, trials, cache):
    def keys(own: Trials) -> list[str]:
        return [n.key for n in networks(planned(own, test_subjects=("3",)), Store(cache.fits))]

    y = trials.y.copy()
    y[:20] = y[:20][::-1]
    assert not set(keys(trials)) & set(keys(trials.replace(y=y)))


def test_one_person_of_few_trials_is_measured_too(planned, trials, cache):
    few = {"protocol": "within_session", "n_folds": 2, "label_fraction": (1.0,)}
    plan, store = planned(trials[np.arange(16)], **few), Store(cache.fits)
    execute(plan, store, cache)
    represent(plan, store, cache)
    for one in representations(plan, store):
        assert one.n_networks == 2 and 0 <= one.figures["neighbours"] <= 1
        assert np.isnan(one.figures["person"])


def test_a_measurement_that_fails_is_left_out(planned, trials, cache, monkeypatch, tmp_path: Path):
    plan, store = planned(trials, test_subjects=("3",)), Store(cache.fits)
    execute(plan, store, cache)

    def broken(*_: Any) -> None:
        raise RuntimeError("no memory is left")

    monkeypatch.setattr(sys.modules["eegvit.pretrain.probes"], "described", broken)
    represent(plan, store, cache)
    results = score(plan.study, plan, store)
    assert results.representations == ()
    assert {row.status for row in results.board} == {"ok"}


def test_a_map_of_small_embeddings_keeps_them_apart() -> None:
    places = np.random.default_rng(0).normal(size=(50, 2))
    noted = scaled(1e-7 * places).round(4)
    np.testing.assert_allclose(noted, places / np.abs(places).max(), atol=1e-4)
    assert scaled(np.zeros((3, 2))).tolist() == [[0.0, 0.0]] * 3


def test_damaged_notes_and_weights_are_made_again(planned, trials, cache):
    plan, store = planned(trials, test_subjects=("3",)), Store(cache.fits)
    execute(plan, store, cache)
    represent(plan, store, cache)
    first = [one.figures["classes"] for one in representations(plan, store)]
    for path in (*store.root.glob("represented/*.json"), *store.root.glob("*/*.safetensors")):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"is damaged.*\.damaged and made again"):
        represent(plan, store, cache)
    assert [one.figures["classes"] for one in representations(plan, store)] == first
    assert len(first) == 2
