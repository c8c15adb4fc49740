"""The page shows what spiking layers do, and only where there are some."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.report.figures.raster import raster
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.tables.spikes import spikes_table, spiking_rows
from eegvit.results.stored import score
from eegvit.trials import concatenate
from eegvit.views.arrays import view_of

SHORT = {"epochs": 1, "batch_size": 16, "device": "cpu"}


def test_rates_operations_and_raster_of_a_study(make_study, make_trials, tmp_path):
    trials = concatenate([make_trials(subject=s, seed=int(s), n_trials=20) for s in "12"])
    cache = Cache(tmp_path)
    models = {
        "snn": ("snn", {**SHORT, "n_features": 8, "n_hidden": 4}),
        "snn-eegnet": ("fusion", {**SHORT, "branches": ["snn", "eegnet"], "wiring": "series"}),
        "mdm": ("mdm", {}),
    }
    study = make_study(models)
    plan, store = make_plan(study, dict.fromkeys(models, view_of(trials, cache))), Store(cache.fits)
    execute(plan, store, cache)
    results = score(study, plan, store)
    rows = {row.model: row for row in spiking_rows(results)}
    assert sorted(rows) == ["snn", "snn-eegnet"]
    told = rows["snn"].spiking
    assert [layer["neurons"] for layer in told["layers"]] == [8, 4]
    n_spikes = sum(map(len, told["raster"]))
    assert str(raster(rows["snn"])).count("v7") == n_spikes
    table = str(spikes_table(results))
    rates = " + ".join(f"{layer['rate']:.1f}" for layer in told["layers"])
    done = told["operations"]
    assert told["layers"][0]["rate"] > 0 and f">{rates}<" in table
    for energy in (done["energy"], done["dense_energy"]):
        assert f">{energy / 1e6:.3g} µJ<" in table
    assert f">{done['dense_energy'] / done['energy']:.1f}<" in table
    assert 'id="spikes"' in page(results, manifest(results))
    calm = replace(results, board=tuple(replace(row, spiking={}) for row in results.board))
    assert 'id="spikes"' not in page(calm, manifest(calm))


def test_activity_is_that_of_the_spike_trains(make_trials):
    trials = make_trials(n_trials=24)
    model = SpikingClassifier(sfreq=trials.sfreq, n_features=8, n_hidden=4, **SHORT)
    told = model.fit(trials.X, trials.labels).spiking_activity(trials.X)
    trains = model.spike_trains(trials.X)
    for layer in told["layers"]:
        expected = trains[layer["name"]].mean() * trials.sfreq
        np.testing.assert_allclose(layer["rate"], expected)
    first = trains[told["layers"][0]["name"]][0]
    for times, train in zip(told["raster"], first, strict=True):
        np.testing.assert_allclose(times, np.flatnonzero(train) / trials.sfreq, atol=1e-4)
    done = model.count_operations(trials.X)
    assert told["operations"]["energy"] == done.energy
    assert told["operations"]["dense_energy"] == done.dense_energy


def test_a_fused_model_without_neurons_has_no_activity(make_trials):
    trials = make_trials(n_trials=24)
    model = FusionClassifier(branches=["eegnet", "shallow"], sfreq=trials.sfreq, **SHORT)
    assert model.fit(trials.X, trials.labels).spiking_activity(trials.X) == {}
