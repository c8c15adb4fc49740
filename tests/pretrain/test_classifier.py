"""The classifier that is pretrained first."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.encoder import depths
from eegvit.pretrain.finetune import FinetuneRun
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.settings import PretrainRecipe
from eegvit.train import Recipe, train
from eegvit.train.batches import Batches
from eegvit.trials import Trials

EEGNET = EEGNetClassifier(kernel_length=16, epochs=1, batch_size=8, device="cpu")


def make(**changes: Any) -> FineTunedClassifier:
    given = {"model": EEGNET, "pretrain_epochs": 1, "pretrain_batch_size": 16, "finetune_steps": 6}
    return FineTunedClassifier(**{**given, **changes})


def partly(labels: np.ndarray, unknown: Any = "") -> np.ndarray:
    known = labels.astype(object)
    known[10:] = unknown
    return known


def test_it_is_a_classifier_like_others(trials: Trials) -> None:
    model = make()
    told = model.fit(trials.X, trials.labels).predict_proba(trials.X)
    np.testing.assert_allclose(told.sum(1), 1, atol=1e-6)
    again = clone(model).fit(trials.X, trials.labels)
    np.testing.assert_array_equal(again.predict_proba(trials.X), told)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(trials.X), told)
    other = clone(model).set_params(random_state=1).fit(trials.X, trials.labels)
    assert not np.array_equal(other.predict_proba(trials.X), told)
    assert model.set_params(model__depth=1).get_params()["model__depth"] == 1
    assert model.n_parameters_ > 0 and model.count_macs() > 0
    assert model.embed(trials.X).shape[0] == len(trials)
    assert not hasattr(EEGNET, "module_"), "the model given is not fitted itself"


def test_lines_are_found_on_labelled_trials(trials: Trials) -> None:
    network = EfficientViTClassifier(
        epochs=1, batch_size=8, device="cpu", sfreq=trials.sfreq, ch_names=trials.ch_names
    )
    known = partly(trials.labels)
    found = []
    for changed in (slice(0), slice(10, None), slice(5)):
        X = trials.X.copy()
        X[changed] = X[changed, :, ::-1]  # backwards: another course, of the same scale
        model = make(model=network, objective="none").fit(X, known).model_
        found.append(model.module_[1].lines.judges[1].weight)
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=0.0)
    assert (found[2] - found[0]).abs().max() > 0.01
    people = np.arange(len(trials)) % 5
    model = make(model=network, objective="none").fit(trials.X, known, groups=people).model_
    assert model.module_[1].lines.shares.std() > 0 and "people_" not in vars(model)


@pytest.mark.parametrize("unknown", ["", None, -1])
def test_trials_without_a_label_are_pretrained_on_only(trials: Trials, unknown: Any) -> None:
    labels = trials.y if unknown == -1 else trials.labels
    y = partly(labels, unknown)
    model = make().fit(trials.X, y)
    assert (
        model.classes_.tolist() == np.unique(trials.labels if unknown != -1 else trials.y).tolist()
    )
    assert len(model.weights_.manifest["data"]) == 1
    moved = trials.X.copy()
    moved[20:] = moved[20:][:, ::-1]
    changed = make().fit(moved, y)
    name = "1.front.spatial"
    assert not np.array_equal(model.weights_.tensors[name], changed.weights_.tensors[name])
    few = make(objective="none").fit(trials.X, y)
    relabelled = y.copy()
    relabelled[:10] = y[:10][::-1]
    other = make().fit(trials.X, relabelled)
    for key, value in model.weights_.tensors.items():
        np.testing.assert_array_equal(value, other.weights_.tensors[key])
    assert few.weights_ is None


def test_only_the_supervised_objective_sees_labels(trials: Trials) -> None:
    y = partly(trials.labels)
    swapped = y.copy()
    swapped[:10] = y[:10][::-1]
    one, two = (make(objective="supervised").fit(trials.X, labels) for labels in (y, swapped))
    name = "1.front.spatial"
    assert not np.array_equal(one.weights_.tensors[name], two.weights_.tensors[name])


def test_scratch_is_plain_training_of_as_many_steps(trials: Trials) -> None:
    y = trials.labels
    scratch = make(objective="none", finetune_steps=9, finetune="probe", layer_decay=0.1)
    scratch.fit(trials.X, y)
    assert len(scratch.model_.history_) == 2  # of five steps
    plain = clone(EEGNET).set_params(epochs=2).fit(trials.X, y)
    np.testing.assert_array_equal(scratch.predict_proba(trials.X), plain.predict_proba(trials.X))
    tuned = make(finetune_steps=9).fit(trials.X, y)
    assert len(tuned.model_.history_) == 2


def test_few_labels_make_as_many_steps(trials: Trials) -> None:
    model = make(finetune_steps=30).fit(trials.X, partly(trials.labels))
    assert len(model.model_.history_) == 15  # ten trials are two steps


@pytest.mark.parametrize("finetune", ["probe", "partial", "full"])
def test_what_is_trained(trials: Trials, finetune: str) -> None:
    model = make(finetune=finetune, finetune_steps=12).fit(trials.X, trials.labels)
    state = model.model_.module_.state_dict()
    kept = {
        name
        for name, value in model.weights_.tensors.items()
        if np.array_equal(state[name].numpy(), value)
    }
    early, late = "1.front.temporal", "1.pointwise"
    frozen = {"probe": {early, late}, "partial": {early}, "full": set()}[finetune]
    assert kept & {early, late} == frozen
    assert ("1.front.norm.running_mean" in kept) == (early in frozen)
    assert ("1.norm_2.running_mean" in kept) == (late in frozen)
    assert all(parameter.requires_grad for parameter in model.model_.module_.parameters())


def test_layers_learn_the_slower_the_deeper_they_lie(trials: Trials) -> None:
    X, y = trials.X.astype(np.float32), trials.y
    model = clone(EEGNET)
    model.check_X(X, reset=True)
    model.classes_ = np.arange(2)
    network = model.builder(X, np.arange(len(X)))()
    recipe = Recipe(epochs=2, batch_size=len(X), warmup=0.0, weight_decay=0.0)
    batches = Batches(X, y, recipe, "cpu")
    found = depths(network, torch.zeros(2, *X.shape[1:]))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    run = FinetuneRun(
        network,
        recipe,
        batches,
        np.arange(len(X)),
        None,
        0,
        weights=None,
        finetune="full",
        layer_decay=0.01,
    )
    run.begin_epoch()
    run.step(np.arange(len(X)))
    assert found["1.front.temporal"] > found["1.depthwise"] > found["1.head.weight"]
    for name, parameter in network.named_parameters():
        if name == "1.front.norm.bias":  # the next batch norm takes it out: no gradient
            continue
        moved = (parameter - before[name]).abs().max().item()  # AdamW's first step is the rate
        assert moved == pytest.approx(1e-3 * 0.01 ** found[name], rel=0.02), name


def test_plain_training_has_one_rate() -> None:
    X, y = np.ones((4, 2, 8), np.float32), np.array([0, 1, 0, 1])
    build = lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))  # noqa: E731
    network, history = train(build, X, y, recipe=Recipe(epochs=1, batch_size=4))
    assert len(history) == 1


def test_weights_from_a_file(trials: Trials, tmp_path: Path) -> None:
    recipe = PretrainRecipe(epochs=1, batch_size=16, views=(("crop", 0.3),))
    weights = pretrain_model(EEGNET, trials.X, recipe=recipe, subjects=["x/1"] * len(trials))
    path = tmp_path / "w.safetensors"
    weights.save(path)
    model = make(weights=str(path), finetune="probe").fit(trials.X, trials.labels)
    name = "1.front.spatial"
    found = model.model_.module_.state_dict()[name].numpy()
    np.testing.assert_array_equal(found, weights.tensors[name])
    assert model.weights_.manifest["subjects"] == ["x/1"]
    wider = clone(EEGNET).set_params(n_filters=4)
    with pytest.raises(ValueError, match="weights are of another network"):
        make(model=wider, weights=str(path)).fit(trials.X, trials.labels)


@pytest.mark.parametrize("goal", ["contrastive", "masked"])
@pytest.mark.parametrize("wiring", ["parallel", "series"])
def test_fused_networks_are_pretrained(goal: str, wiring: str, trials: Trials) -> None:
    branches = [{"branch": "snn"}, EEGNET]
    fused = FusionClassifier(
        branches=branches, wiring=wiring, sfreq=128.0, epochs=1, batch_size=8, device="cpu"
    )
    model = make(model=fused, objective=goal).fit(trials.X, partly(trials.labels))
    scratch = make(model=fused, objective="none").fit(trials.X, partly(trials.labels))
    told = model.predict_proba(trials.X)
    assert not np.allclose(told, scratch.predict_proba(trials.X))
    assert not any("standardise" in name for name in model.weights_.tensors)


def test_features_that_need_labels_are_not_pretrained(trials: Trials) -> None:
    fused = FusionClassifier(branches=["fbcsp", EEGNET], sfreq=128.0, epochs=1)
    with pytest.raises(ValueError, match="features of FBCSPClassifier are learned from labels"):
        make(model=fused).fit(trials.X, trials.labels)


def test_searches_and_folds(trials: Trials) -> None:
    model = make(finetune_steps=2)
    assert cross_val_score(model, trials.X, trials.labels, cv=2).shape == (2,)
    grid = GridSearchCV(model, {"model__depth": [1, 2]}, cv=2).fit(trials.X, trials.labels)
    assert grid.best_params_["model__depth"] in (1, 2)


def test_what_is_wrong_is_said(trials: Trials) -> None:
    X, y = trials.X, trials.labels
    for changes, error, what in (
        ({"model": CSPLDAClassifier()}, TypeError, "neural classifier"),
        ({"objective": "contrastiv"}, ValueError, "did you mean 'contrastive'"),
        ({"objective": {"temprature": 1}}, ValueError, "did you mean 'temperature'"),
        ({"views": ("crops",)}, ValueError, "no view 'crops'"),
        ({"layer_decay": 0.0}, ValueError, "layer_decay"),
        ({"finetune": "some"}, ValueError, "finetune"),
    ):
        with pytest.raises(error, match=what):
            make(**changes).fit(X, y)
    with pytest.raises(ValueError, match="no trial has a label"):
        make().fit(X, np.full(len(X), ""))
    with pytest.raises(ValueError, match="one class only"):
        make().fit(X, np.where(y == y[0], y, ""))
    with pytest.raises(ValueError, match="y has shape"):
        make().fit(X, y[:5])
