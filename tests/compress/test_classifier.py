"""The classifier that is trained and pruned."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from eegvit.branches.base import EEGClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.compress import PrunedClassifier, prune
from eegvit.compress.budget import cost
from eegvit.pretrain import FineTunedClassifier
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu"}
EEGNET = EEGNetClassifier(kernel_length=16, **SHORT)


def make(**changes: Any) -> PrunedClassifier:
    return PrunedClassifier(**{"model": EEGNET, "rounds": 2, **changes})


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
    assert cross_val_score(make(), trials.X, trials.labels, cv=2).shape == (2,)
    assert not hasattr(EEGNET, "module_"), "the model given is not fitted itself"


def test_parameters_macs_file_and_latency_fall_together(make_trials: Any, tmp_path: Path) -> None:
    trials = make_trials(n_trials=16, n_channels=22, n_times=1000, sfreq=250.0)
    one = {**SHORT, "epochs": 1}
    whole = ShallowConvNetClassifier(**one).fit(trials.X, trials.labels)
    example, measured = torch.from_numpy(np.array(trials.X[:1], np.float32)), []
    for to in (1.0, 0.5, 0.1):
        small = prune(whole, trials.X, trials.labels, to=to, rounds=1, tuning=0.0)
        torch.save(small.module_.state_dict(), tmp_path / "weights")
        costs = [cost(small.module_, example, of) for of in ("parameters", "macs", "latency")]
        measured.append([*costs, (tmp_path / "weights").stat().st_size])
    steps = np.diff(measured, axis=0)
    assert (steps[:, [0, 1, 3]] < 0).all(), measured
    assert measured[-1][2] < measured[0][2], measured  # between, clocks of a busy machine waver


def test_other_budgets_are_kept(trials: Trials, make_trials: Any) -> None:
    whole = ShallowConvNetClassifier(**SHORT).fit(trials.X, trials.labels)
    small = prune(whole, trials.X, trials.labels, to=0.5, of="parameters", rounds=1, tuning=0.0)
    assert 0.4 < small.n_parameters_ / whole.n_parameters_ <= 0.503
    long = make_trials(n_trials=8, n_channels=22, n_times=1000)
    slow = ShallowConvNetClassifier(**{**SHORT, "epochs": 1}).fit(long.X, long.labels)
    quick = prune(slow, long.X, long.labels, to=0.7, of="latency", rounds=1, tuning=0.0)
    assert quick.count_macs() < 0.9 * slow.count_macs()


def test_pruning_to_all_changes_nothing(trials: Trials) -> None:
    whole = clone(EEGNET).fit(trials.X, trials.labels)
    same = prune(whole, trials.X, trials.labels, to=1.0)
    assert same.cuts_ == ()
    np.testing.assert_array_equal(same.predict_proba(trials.X), whole.predict_proba(trials.X))


def test_the_fitted_model_stays_as_it_is(trials: Trials) -> None:
    whole = clone(EEGNET).fit(trials.X, trials.labels)
    before = whole.predict_proba(trials.X)
    prune(whole, trials.X, trials.labels, rounds=1)
    np.testing.assert_array_equal(whole.predict_proba(trials.X), before)
    assert whole.cuts_ == ()


def test_trials_that_are_not_trained_on_decide_nothing(people: Trials) -> None:
    """What is pruned and how it is tuned depend on training trials only."""
    train = people.subject != "3"
    fitted = [
        make(to=0.3).fit(people.X[train], people.labels[train], groups=people.subject[train]),
        make(to=0.3).fit(
            np.array(people.X[train]), people.labels[train], groups=people.subject[train]
        ),
    ]
    told = [one.predict_proba(people.X[~train]) for one in fitted]
    np.testing.assert_array_equal(*told)
    assert fitted[0].model_.cuts_ == fitted[1].model_.cuts_ != ()


def test_what_guides_it_decides_what_goes(trials: Trials) -> None:
    cuts = {
        by: make(by=by, to=0.3).fit(trials.X, trials.labels).model_.cuts_
        for by in ("taylor", "magnitude", "random")
    }
    assert len({repr(one) for one in cuts.values()}) == 3


def test_trials_without_a_label_are_not_pruned_by(trials: Trials) -> None:
    some = trials.labels.astype(object)
    some[::2] = ""
    start = FineTunedClassifier(model=EEGNET, objective="none", finetune_steps=4)
    model = make(model=start, rounds=1).fit(trials.X, some)
    assert model.classes_.tolist() == sorted(set(trials.labels)) and model.weights_ is None
    assert model.n_parameters_ < clone(start).fit(trials.X, some).n_parameters_
    assert "lesson" not in model.fit_takes() and "lesson" in make().fit_takes()


def test_what_cannot_be_done_is_said(trials: Trials) -> None:
    for wrong, sentence in (
        ({"to": 0.0}, "to=0.0: it is a share of what the network costs"),
        ({"of": "joules"}, "of='joules': it is one of macs, parameters, latency"),
        ({"by": "luck"}, "by='luck': it is one of taylor, magnitude, random"),
        ({"rounds": 0}, "rounds=0: it must be 1 or more"),
        ({"tuning": -1.0}, "tuning=-1.0: it must be 0 or more"),
        ({"to": 0.001}, "with one unit left in each layer the network still has"),
    ):
        with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
            make(**wrong).fit(trials.X, trials.labels)
    with pytest.raises(TypeError, match="must be a neural classifier"):
        PrunedClassifier(model=EEGClassifier()).fit(trials.X, trials.labels)
    with pytest.raises(ValueError, match="labels that the model does not know"):
        prune(clone(EEGNET).fit(trials.X, trials.labels), trials.X, trials.y)
