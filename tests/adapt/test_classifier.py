"""Classifiers that are updated while they are tested: around any network, each session anew."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from eegvit import AdaptingClassifier
from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.branches.spd import SPDNetClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.compress import DistilledClassifier, PrunedClassifier
from eegvit.pretrain import FineTunedClassifier
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 16, "device": "cpu"}
EEGNET = EEGNetClassifier(**SHORT)
OF_DATA: dict[str, Any] = {"sfreq": 128.0, **SHORT}
MODELS: dict[str, Any] = {
    "eegnet": EEGNET,
    "shallow": ShallowConvNetClassifier(**SHORT),
    "spd": SPDNetClassifier(**SHORT),
    "spiking": SpikingClassifier(**OF_DATA),
    "fused": FusionClassifier(branches=["fbcsp", "eegnet"], **OF_DATA),
    "series": FusionClassifier(branches=["snn", "eegnet"], wiring="series", **OF_DATA),
    "pruned": PrunedClassifier(model=EEGNET, rounds=1),
    "taught": DistilledClassifier(model=PrunedClassifier(model=EEGNET, rounds=1), teacher="mdm"),
    "finetuned": FineTunedClassifier(model=EEGNET, pretrain_epochs=1, finetune_steps=4),
}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def fitted(request: pytest.FixtureRequest) -> dict[str, AdaptingClassifier]:
    """Hold one fitted classifier a model."""
    return {}


@pytest.fixture
def trained(people: Trials, fitted: dict[str, AdaptingClassifier]):
    def of(name: str) -> AdaptingClassifier:
        if name not in fitted:
            model = AdaptingClassifier(model=MODELS[name], learning_rate=0.01, random_state=5)
            fitted[name] = model.fit(people.X, people.labels, groups=people.subject)
        return fitted[name]

    return of


@pytest.mark.parametrize("name", MODELS)
def test_it_begins_as_the_model_and_then_learns(name: str, trained, people: Trials) -> None:
    model, X = trained(name), people.X[:12]
    told = model.predict_proba(X)
    plain = np.concatenate([model.model_.predict_proba(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(told[:8], plain[:8])
    assert (told[8:] != plain[8:]).any(axis=1).all()
    np.testing.assert_allclose(told.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict_proba(X), told)
    assert model.n_parameters_ == model.model_.n_parameters_


def test_the_model_is_trained_as_it_would_be_alone(trained, people: Trials) -> None:
    alone = clone(EEGNET).set_params(random_state=5).fit(people.X, people.labels)
    model = trained("eegnet")
    np.testing.assert_array_equal(
        model.model_.predict_proba(people.X), alone.predict_proba(people.X)
    )
    np.testing.assert_array_equal(
        model.predict_proba(people.X[:1]), alone.predict_proba(people.X[:1])
    )
    assert model.history_ == alone.history_


def test_each_session_begins_anew_wherever_its_trials_lie(trained, people: Trials) -> None:
    model, X = trained("eegnet"), people.X[:30]
    apart = np.concatenate([model.predict_proba(X[:14]), model.predict_proba(X[14:])])
    session = np.array(["morning"] * 14 + ["evening"] * 16)
    np.testing.assert_array_equal(model.predict_proba(X, sessions=session), apart)
    mixed = np.argsort(np.r_[np.arange(14), np.arange(16)], kind="stable")
    told = model.predict_proba(X[mixed], sessions=session[mixed])
    np.testing.assert_array_equal(told, apart[mixed])
    assert not np.array_equal(model.predict_proba(X), apart)


def test_it_keeps_the_contract_of_classifiers(trained, people: Trials) -> None:
    model, X = trained("eegnet"), people.X[:20]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert set(model.predict(X)) <= set(people.labels)
    copied = clone(model)
    assert copied.get_params()["learning_rate"] == 0.01 and not hasattr(copied, "model_")
    assert copied.set_params(model__epochs=1).model.epochs == 1
    assert {"groups", "checkpoint"} <= model.fit_takes()
    assert "soft" in AdaptingClassifier(model=MODELS["taught"]).fit_takes()
    changed = AdaptingClassifier(model=clone(EEGNET).set_params(epochs=3))
    assert changed.identity() != AdaptingClassifier(model=EEGNET).identity()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"window": 1}, "window=1: classes are shared out over several trials"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: it must be positive"),
        ({"temperature": -1.0}, "temperature=-1.0: it must be positive"),
    ],
)
def test_settings_without_a_meaning_are_refused(changes, sentence: str, trials: Trials) -> None:
    with pytest.raises(ValueError, match=sentence):
        AdaptingClassifier(model=EEGNET, **changes).fit(trials.X, trials.labels)


def test_only_networks_are_updated(trials: Trials) -> None:
    with pytest.raises(TypeError, match="must be a neural classifier of this house"):
        AdaptingClassifier(model=CSPLDAClassifier()).fit(trials.X, trials.labels)


def test_sessions_must_be_of_the_trials(trained, people: Trials) -> None:
    with pytest.raises(ValueError, match=r"sessions has shape \(3,\) for 5 trials"):
        trained("eegnet").predict_proba(people.X[:5], sessions=[1, 1, 2])
