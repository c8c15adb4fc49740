"""Keys: what reruns a fit and what does not; deduplication; the printed plan."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import Align, Model
from eegvit.execute.store import Prediction, Store
from eegvit.plan.dry_run import describe
from eegvit.plan.keys import fit_key, takes_seed
from eegvit.plan.plan import make_plan
from eegvit.results.stored import score
from eegvit.views.view import stage_seconds


def _plan(make_study, view, models, **evaluate):
    study = make_study(models, **evaluate)
    return make_plan(study, dict.fromkeys(models, view))


def _keys(plan, model):
    return {(r.split, r.seed): r.key for r in plan.requests if r.model == model}


def test_seeds_share_the_fit_of_a_model_without_chance(make_study, make_view):
    view = make_view(n_trials=8)
    models = {"csp": ("csp_lda", {}), "net": ("eegnet", {"epochs": 1})}
    plan = _plan(make_study, view, models, seeds=(0, 1))
    assert len(set(_keys(plan, "csp").values())) == 3
    assert len(set(_keys(plan, "net").values())) == 6
    assert len(plan.fits) == 9 and len(plan.requests) == 12
    families = {key.partition("/")[0] for key in plan.fits}
    assert len(families) == 2, "how long a fit takes is looked up whatever the seed"


def test_same_model_under_two_names_is_fitted_once(make_study, make_view):
    view = make_view(n_trials=8)
    defaults = {"a": ("csp_lda", {}), "b": ("csp_lda", {"n_components": 6})}
    from eegvit.branches.csp import CSPLDAClassifier

    defaults["b"] = ("csp_lda", {"n_components": CSPLDAClassifier().n_components})
    plan = _plan(make_study, view, defaults)
    assert len(plan.fits) == 3 and _keys(plan, "a") == _keys(plan, "b")


def test_keys_depend_on_parameters_and_alignment(make_study, make_view):
    view = make_view(n_trials=8)
    reference = _keys(_plan(make_study, view, {"m": ("csp_lda", {})}), "m")
    other = _keys(_plan(make_study, view, {"m": ("csp_lda", {"n_components": 2})}), "m")
    aligned = make_view(n_trials=8, align=Align(method="euclidean"))
    moved = _keys(_plan(make_study, aligned, {"m": ("csp_lda", {})}), "m")
    everything = [*reference.values(), *other.values(), *moved.values()]
    assert len(set(everything)) == 9


def test_other_models_and_people_elsewhere_change_no_key(make_study, make_view):
    few, many = make_view(subjects=2, n_trials=20), make_view(subjects=3, n_trials=20)
    models = {"m": ("csp_lda", {})}
    more = {"first": ("mdm", {}), **models, "last": ("chance", {})}
    within = {"protocol": "within_session"}
    reference = _keys(_plan(make_study, few, models, **within), "m")
    with_more = _keys(_plan(make_study, many, more, **within), "m")
    assert reference.items() <= with_more.items()
    left_out = {"test_subjects": ("2",), "train_subjects": ("1",)}
    assert _keys(_plan(make_study, few, models, **left_out), "m") == _keys(
        _plan(make_study, many, models, **left_out), "m"
    )


def test_training_labels_enter_the_key_and_test_labels_do_not(make_study, make_trials, cache):
    from eegvit.trials import concatenate
    from eegvit.views.arrays import view_of

    people = concatenate([make_trials(subject=s, n_trials=8, seed=int(s)) for s in "123"])
    y = people.y.copy()
    y[people.subject == "3"] = 1 - y[people.subject == "3"]
    models = {"m": ("csp_lda", {})}
    before = _keys(_plan(make_study, view_of(people, cache), models), "m")
    after = _keys(_plan(make_study, view_of(people.replace(y=y), cache), models), "m")
    same = {split for (split, _), key in before.items() if after[split, 0] == key}
    assert same == {"3 left out"}


def test_trials_without_labels_enter_the_key(make_view):
    view, identity = make_view(subjects=1), {"branch": "eegnet", "parameters": {}}
    given = np.arange(0, 20, 4)
    trained = [given, np.arange(10), np.arange(11), np.arange(20)]
    keys = [fit_key(identity, view, np.union1d(given, rows), given) for rows in trained]
    assert len({fit_key(identity, view, given), *keys[1:]}) == 4
    other = fit_key(identity, view, trained[3], given + 1)
    assert other not in keys and other == fit_key(identity, view, trained[3], given + 1)


def test_neural_keys_know_torch_and_others_do_not(make_study, make_view, monkeypatch):
    from eegvit.plan import versions

    view = make_view(n_trials=8)
    models = {"csp": ("csp_lda", {}), "net": ("eegnet", {})}
    before = _plan(make_study, view, models)
    real = versions.version
    monkeypatch.setattr(versions, "version", lambda n: "99" if n == "torch" else real(n))
    after = _plan(make_study, view, models)
    assert _keys(before, "csp") == _keys(after, "csp")
    assert not set(_keys(before, "net").values()) & set(_keys(after, "net").values())
    monkeypatch.setattr(versions, "version", lambda n: "99" if n == "braindecode" else real(n))
    assert _keys(_plan(make_study, view, models), "net") == _keys(before, "net")


def test_keys_know_the_source_files_of_the_branch_and_of_no_other(
    make_study, make_view, monkeypatch
):
    from eegvit import source_code

    view = make_view(n_trials=8)
    series = [{"branch": "snn"}, {"branch": "eegnet"}]
    models = {
        "csp": ("csp_lda", {}),
        "net": ("eegnet", {}),
        "fused": ("fusion", {"branches": series, "wiring": "series"}),
        "steps": ("pipeline", {"steps": [{"from": "pyriemann.classification.MDM"}]}),
    }
    before, real = _plan(make_study, view, models), source_code._hash_of_file

    def changed(changed_file):
        fake = lambda name: "other" if name == changed_file else real(name)  # noqa: E731
        monkeypatch.setattr(source_code, "_hash_of_file", fake)
        after = _plan(make_study, view, models)
        return {m for m in models if _keys(after, m) != _keys(before, m)}

    assert changed("eegvit.features.csp") == {"csp"}
    assert changed("eegvit.networks.spectral") == {"net", "fused"}
    assert changed("eegvit.networks.spiking.lif") == {"fused"}
    assert changed("eegvit.branches.base") == set(models)


def test_model_that_cannot_be_built_still_has_a_plan(make_study, make_view):
    steps = [{"from": "sklearn.nowhere.Nothing"}]
    models = {"m": ("pipeline", {"steps": steps})}
    plan = _plan(make_study, make_view(n_trials=8), models, seeds=(0, 1))
    assert len(plan.fits) == 3


def test_describe_counts_stored_fits_and_estimates_the_rest(make_study, make_view, tmp_path):
    view = make_view(n_trials=8)
    models = {"csp": ("csp_lda", {}), "twin": ("csp_lda", {}), "mdm": ("mdm", {})}
    plan, store = _plan(make_study, view, models), Store(tmp_path / "fits")
    assert "6 fits, 0 stored, 6 to run on 2 workers; CPU time unknown" in describe(
        plan, store, jobs=2
    )
    fit = plan.fits[plan.requests[0].key]
    store.save(
        fit.key,
        Prediction(
            view.ids[fit.predict],
            view.block_keys[fit.predict],
            np.full((len(fit.predict), 2), 0.5),
            {"seconds_fit": 9.0, "seconds_predict": 1.0},
        ),
    )
    text = describe(plan, store)
    assert "6 fits, 1 stored, 5 to run on 1 worker; CPU time at least 20 s" in text
    columns = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert columns["csp"] == ["3", "3", "1", "2", "about", "20", "s"]
    assert columns["mdm"] == ["3", "3", "0", "3", "unknown"]
    assert columns["all"][:4] == ["9", "6", "1", "5"]


@pytest.mark.parametrize("name", ["sfreq", "ch_names", "random_state"])
def test_the_study_fills_what_a_class_asks_for(name, make_view):
    from eegvit.execute.one_fit import Recipe

    view = make_view(n_trials=8)
    model = Recipe("braindecode", {}, view.sfreq, view.ch_names, 7).build()
    wanted = {"sfreq": view.sfreq, "ch_names": view.ch_names, "random_state": 7}
    assert getattr(model, name) == wanted[name]
    assert not hasattr(Recipe("mdm", {}, view.sfreq, view.ch_names, None).build(), name)


def test_scores_come_with_what_their_views_cost(make_study, make_view, cache, tmp_path):
    align = Align(method="euclidean")
    view = make_view(align=align)
    plan = make_plan(make_study({"a": ("mdm", {})}, align), {"a": view})
    results = score(plan.study, plan, Store(tmp_path / "fits"))
    known = stage_seconds([view])
    assert results.view_stages["align"] == known["align"] > 0
    assert np.isnan(results.view_stages["read"])


def test_what_cannot_be_had_takes_no_seed():
    assert not takes_seed(Model(branch="eegvit.branches.csp:Gone"))
    assert takes_seed(Model(branch="eegnet"))
    assert not takes_seed(Model(branch="eegnet", parameters={"random_state": 3}))
