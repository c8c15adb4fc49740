"""Pretraining within splits: once each, blind to labels, shared, refused where it leaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.config import Align, Model, Study
from eegvit.data.cache import Cache
from eegvit.execute import pretraining as module
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.execute.pretraining import known_weights
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.settings import PretrainRecipe, objective
from eegvit.results.stored import score
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

SHORT = {"kernel_length": 16, "epochs": 1, "batch_size": 16, "device": "cpu"}
PRE = {"epochs": 1, "batch_size": 16, "steps": 4}
FEW = {"label_fraction": (0.2, 0.5, 1.0), "draws": 2}  # five fits a split


def eegnet(**pretrain: Any) -> Model:
    return Model(branch="eegnet", parameters=SHORT, pretrain={**PRE, **pretrain})


@pytest.fixture
def study_of(make_study: Callable[..., Study]) -> Callable[..., Study]:
    def make(models: dict[str, Model], **evaluate: Any) -> Study:
        return make_study({"x": ("chance", {})}, **evaluate).model_copy(update={"models": models})

    return make


@pytest.fixture
def trials(make_trials: Callable[..., Trials]) -> Trials:
    return concatenate(
        [make_trials(n_trials=20, n_channels=3, n_times=128, subject=s, seed=int(s)) for s in "123"]
    )


@pytest.fixture
def run(study_of: Callable[..., Study], tmp_path: Path) -> Callable[..., Any]:
    def carry_out(
        trials: Trials, models: dict[str, Model], folder: str = "cache", jobs: int = 0,
        **evaluate: Any,
    ) -> tuple[Any, Store, Any]:  # fmt: skip
        cache = Cache(tmp_path / folder)
        view = view_of(trials, cache)
        plan = make_plan(study_of(models, **evaluate), dict.fromkeys(models, view))
        store = Store(cache.fits)
        with local(jobs) as workers:
            return plan, store, execute(plan, store, cache, workers)

    return carry_out


@pytest.fixture
def pretrained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the pretrainings of this process."""
    done: list[str] = []
    real = module.pretrain_and_save

    def counted(job: Any) -> None:
        done.append(job.key)
        real(job)

    monkeypatch.setattr(module, "pretrain_and_save", counted)
    return done


def told(plan: Any, store: Store) -> dict[Any, np.ndarray]:
    return {
        (r.model, r.split, r.labels): store.load(r.key).select(
            r.view.ids[r.test], r.view.block_keys[r.test]
        )
        for r in plan.requests
    }


def test_a_fold_is_pretrained_once_for_all_labels_and_finetunings(run, trials, pretrained):
    models = {
        "full": eegnet(), "probe": eegnet(finetune="probe", steps=6),
        "scratch": eegnet(objective="none"),
    }  # fmt: skip
    plan, store, tally = run(trials, models, **FEW)
    assert (tally.run, tally.failed) == (3 * 3 * 5, 0)
    assert len(pretrained) == 3 and len(plan.pretrainings) == 3
    _, _, again = run(trials, models, **FEW)
    assert again.run == 0 and len(pretrained) == 3
    about = store.load(next(r.key for r in plan.requests if r.model == "full")).about
    key = next(iter(plan.pretrainings))
    assert about["features"][key] > 0 and about["seconds_features"] == about["features"][key]
    weights = known_weights(store, key)
    assert len(weights.manifest["subjects"]) == 2
    assert set(weights.manifest["subjects"]) <= {"arrays/1", "arrays/2", "arrays/3"}


def test_fused_networks_are_pretrained_within_splits(run, trials, pretrained):
    fused = {"branches": [{"branch": "snn"}, {"branch": "eegnet", "kernel_length": 16}]}
    short = {"epochs": 1, "batch_size": 16, "device": "cpu"}
    model = Model(branch="fusion", parameters={**fused, **short}, pretrain=PRE)
    _, _, tally = run(trials, {"fused": model})
    assert (tally.run, tally.failed, len(pretrained)) == (3, 0, 3)


def test_labels_of_the_target_share_the_pretraining_of_a_fold(run, trials, pretrained):
    models = {"pre": eegnet(), "scratch": eegnet(objective="none")}
    few = {"labels_per_class": (1, 3), "labels_from": "target", "draws": 2}
    plan, _, tally = run(trials, models, test_subjects=("3",), **few)
    assert (len(pretrained), tally.failed) == (1, 0)
    (one,) = plan.pretrainings.values()
    tested = np.unique(np.concatenate([r.test for r in plan.requests]))
    assert not np.isin(one.rows, tested).any() and (one.view.subject[one.rows] == "3").sum() == 6


def test_it_is_the_classifier_that_is_documented(run, trials):
    """What a fit predicts is what the estimator predicts that pretrains by itself."""
    from eegvit.pretrain import FineTunedClassifier

    plan, store, _ = run(trials, {"pre": eegnet(), "none": eegnet(objective="none")}, **FEW)
    request = next(r for r in plan.requests if r.labels.amount == 0.2)
    fit = plan.fits[request.key]
    train, test = fit.view.take(fit.train), fit.view.take(fit.predict)
    model = FineTunedClassifier(
        model=EEGNetClassifier(**SHORT), pretrain_epochs=1, pretrain_batch_size=16, finetune_steps=4
    )
    by_hand = model.fit(train.X, fit.y, groups=train.subject).predict_proba(test.X)
    np.testing.assert_allclose(store.load(fit.key).probabilities, by_hand, atol=1e-5)


@pytest.mark.parametrize("objective", ["contrastive", "masked", "supervised"])
def test_labels_that_are_not_given_change_nothing(run, trials, objective):
    models = {"pre": eegnet(objective=objective), "scratch": eegnet(objective="none")}
    plan, store, _ = run(trials, models, label_fraction=(0.2,), draws=1)
    before = told(plan, store)
    requests = [r for r in plan.requests if r.split == "3 left out"]
    fits = {r.model: plan.fits[r.key] for r in requests}
    hidden = np.ones(len(trials), bool)
    hidden[fits["pre"].train[fits["pre"].y >= 0]] = False
    y = trials.y.copy()
    y[hidden] = 1 - y[hidden]
    view = view_of(trials.replace(y=y), Cache(store.root.parent))
    fresh = Store(store.root.parent / "other")
    moved = {
        f.key: replace(
            f, view=view, pretraining=f.pretraining and replace(f.pretraining, view=view)
        )
        for f in fits.values()
    }
    assert execute(Plan(plan.study, (), (), moved), fresh, Cache(store.root.parent)).run == 2
    for request in requests:
        probabilities = fresh.load(request.key).probabilities
        place = (request.model, request.split, request.labels)
        np.testing.assert_array_equal(probabilities, before[place])


def test_only_a_supervised_objective_is_pretrained_for_each_set_of_labels(run, trials, pretrained):
    models = {"pre": eegnet(objective="supervised"), "scratch": eegnet(objective="none")}
    few = {"label_fraction": (0.5,), "draws": 2, "test_subjects": ("3",)}
    plan, _, _ = run(trials, models, **few)
    assert len(pretrained) == 2
    jobs = [plan.pretrainings[key] for key in pretrained]
    assert all(len(job.labelled) == 20 and len(job.rows) == 40 for job in jobs)


def test_keys_know_what_matters(study_of, trials, tmp_path):
    view = view_of(trials, Cache(tmp_path / "cache"))

    def keys(seed: int = 0, whom: str = "3", **changes: Any) -> tuple[set[str], set[str]]:
        models = {"m": eegnet(**changes)}
        plan = make_plan(study_of(models, test_subjects=(whom,), seeds=(seed,)), {"m": view})
        return set(plan.pretrainings), set(plan.fits)

    pretrainings, fits = keys()
    assert keys(objective={"name": "contrastive"})[0] == pretrainings
    for same in ({"steps": 5}, {"finetune": "probe"}, {"layer_decay": 0.5}):
        assert keys(**same)[0] == pretrainings and not keys(**same)[1] & fits
    others = (
        {"epochs": 2},
        {"objective": "masked"},
        {"views": ("crop",)},
        {"seed": 1},
        {"whom": "2"},
    )
    for other in others:
        assert not keys(**other)[0] & pretrainings and not keys(**other)[1] & fits


def test_damaged_weights_are_made_again(run, trials, pretrained, tmp_path):
    models = {"pre": eegnet()}
    plan, store, _ = run(trials, models, test_subjects=("3",))
    (key,) = plan.pretrainings
    first = told(plan, store)
    store.weights(key).write_bytes(store.weights(key).read_bytes()[:-4])
    for path in store.root.glob("*/*.npz"):
        path.unlink()
    with pytest.warns(UserWarning, match=r"safetensors is damaged.*kept as .*\.damaged"):
        plan, store, tally = run(trials, models, test_subjects=("3",))
    assert len(pretrained) == 2 and tally.failed == 0
    for place, probabilities in told(plan, store).items():
        np.testing.assert_array_equal(probabilities, first[place])


def test_a_pretraining_that_fails_fails_its_fits_and_no_others(run, trials, monkeypatch):
    def broken(job: Any) -> None:
        raise RuntimeError("no memory is left")

    monkeypatch.setattr(module, "pretrain_and_save", broken)
    models = {"pre": eegnet(), "scratch": eegnet(objective="none")}
    plan, store, tally = run(trials, models, **FEW)
    assert (tally.run, tally.failed) == (15, 15)
    reasons = {store.failure(r.key)["reason"] for r in plan.requests if r.model == "pre"}
    assert reasons == {"pretraining: RuntimeError: no memory is left"}
    found = score(plan.study, plan, store)
    assert found.efficiency.point("pre", 0.2).reason.startswith("6 of 6 fits: pretraining")
    assert found.efficiency.point("scratch", 0.2).mean > 0


def weights_of(trials: Trials, who: list[str], path: Path, **changes: Any) -> str:
    chosen = trials[np.flatnonzero(np.isin(trials.subject, who))]
    recipe = PretrainRecipe(epochs=1, batch_size=16, views=(("crop", 0.3),), **changes)
    names = [f"arrays/{s}" for s in chosen.subject]
    weights = pretrain_model(
        EEGNetClassifier(**SHORT), chosen.X, recipe=recipe, subjects=names, labels=chosen.y
    )
    weights.save(path)
    return str(path)


def test_weights_that_saw_a_person_tested_are_refused_by_name(study_of, trials, tmp_path):
    view = view_of(trials, Cache(tmp_path / "cache"))
    file = weights_of(trials, ["1", "2"], tmp_path / "w.safetensors")

    def targets(align: str = "none", **evaluate: Any) -> set[str]:
        unlabelled = evaluate.pop("unlabelled", False)
        pretrain = {"weights": file, "steps": 4, "unlabelled": unlabelled}
        model = Model(branch="eegnet", parameters=SHORT, pretrain=pretrain)
        study = study_of({"m": model}, **evaluate)
        study = study.model_copy(update={"align": Align(method=align)})
        return {request.target for request in make_plan(study, {"m": view}).requests}

    with pytest.raises(ValueError, match=r"model 'm': .*w\.safetensors: .*on arrays/1, arrays/2,"):
        targets()
    with pytest.raises(ValueError, match=r"on arrays/2, to be tested in protocol cross_subject"):
        targets(align="euclidean", test_subjects=("2",))
    assert targets(test_subjects=("3",)) == {"none"}
    assert targets(test_subjects=("2",), unlabelled=True) == {"unlabelled"}
    assert targets(protocol="within_session", n_folds=2) == {"unlabelled"}


def test_weights_that_saw_labels_of_a_person_tested_are_always_refused(study_of, trials, tmp_path):
    view = view_of(trials, Cache(tmp_path / "cache"))
    file = weights_of(
        trials, ["1", "2"], tmp_path / "w.safetensors", objective=objective("supervised")
    )
    pretrain = {"weights": file, "steps": 4, "unlabelled": True}
    model = Model(branch="eegnet", parameters=SHORT, pretrain=pretrain)
    with pytest.raises(ValueError, match=r"with labels of arrays/1, arrays/2, to be tested"):
        make_plan(study_of({"m": model}), {"m": view})


def test_a_file_of_weights_that_does_not_serve_is_refused_before_anything_runs(
    study_of, trials, tmp_path
):
    view = view_of(trials, Cache(tmp_path / "cache"))
    file = tmp_path / "w.safetensors"
    weights_of(trials, ["1"], file)

    def plan(**parameters: Any) -> int:
        pretrain = {"weights": str(file), "steps": 4}
        model = Model(branch="eegnet", parameters={**SHORT, **parameters}, pretrain=pretrain)
        return len(make_plan(study_of({"m": model}, test_subjects=("3",)), {"m": view}).fits)

    assert plan() == 1
    with pytest.raises(ValueError, match=r"model 'm': .*w\.safetensors: these weights are of an"):
        plan(n_filters=4)
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"model 'm': .*w\.safetensors is damaged"):
        plan()


def test_the_key_knows_what_a_weights_file_holds_not_where_it_lies(study_of, trials, tmp_path):
    view = view_of(trials, Cache(tmp_path / "cache"))

    def keys(file: str) -> set[str]:
        pretrain = {"weights": file, "steps": 4}
        model = Model(branch="eegnet", parameters=SHORT, pretrain=pretrain)
        return set(make_plan(study_of({"m": model}, test_subjects=("3",)), {"m": view}).fits)

    first = weights_of(trials, ["1"], tmp_path / "a.safetensors")
    copy = tmp_path / "b.safetensors"
    copy.write_bytes(Path(first).read_bytes())
    other = weights_of(trials, ["2"], tmp_path / "c.safetensors")
    assert keys(first) == keys(str(copy)) and not keys(first) & keys(other)


def test_a_person_is_one_and_the_same_in_studies_of_one_set_and_of_several(make_view):
    view = make_view(n_trials=8)
    assert set(view.people.tolist()) == {"arrays/1", "arrays/2", "arrays/3"}
    blocks = [b.trials.replace(subject=np.full(8, f"arrays:{b.subject}")) for b in view.blocks]
    several = [replace(b, trials=own) for b, own in zip(view.blocks, blocks, strict=True)]
    named = replace(view, blocks=tuple(several))
    assert named.subject[0] == "arrays:1"
    assert named.people.tolist() == view.people.tolist()
