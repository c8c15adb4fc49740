"""Parameters that are moved: from units that matter least to more of those that matter most."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from small_networks import SHAPE, network_of

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural import NeuralClassifier
from eegvit.compress import PrunedClassifier, prune
from eegvit.compress.budget import TOLERANCE, Savings, cost
from eegvit.compress.moving import copies
from eegvit.networks.units import cut, units_of, widened
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu"}
MODELS: dict[str, NeuralClassifier] = {
    "eegnet": EEGNetClassifier(kernel_length=16, **SHORT),
    "cascaded": EfficientViTClassifier(sfreq=128.0, family="cascaded", layout="scalp", **SHORT),
}


def counts(model: NeuralClassifier) -> dict[str, int]:
    return {name: len(units) for name, units in units_of(copy.deepcopy(model.module_)).items()}


@pytest.mark.parametrize("kind", ["cascaded", "multiscale", "eegnet", "shallow", "spiking"])
@pytest.mark.parametrize("of", ["parameters", "macs"])
def test_what_was_saved_is_spent_on_what_matters_most(kind: str, of: Any) -> None:
    network = network_of(kind).float()
    example = torch.zeros(1, *SHAPE[:2])
    cost_of = partial(cost, example=example, of=of)
    found = units_of(copy.deepcopy(network))
    rng = np.random.default_rng(0)
    scores = {name: rng.random(len(units)) for name, units in found.items()}
    savings = Savings(example, of)(network)
    target = 1.3 * cost_of(network)
    more = copies(network, scores, savings, cost_of, cost_of, target)
    wide = widened(network, more)
    cheapest = min(savings.values())
    assert TOLERANCE * target - 2 * cheapest <= cost_of(wide) <= TOLERANCE * target
    named = [(name, own) for name, all_ in more.items() for own in set(all_) if all_.count(own) > 1]
    worth = {(n, u): scores[n][u] / savings[n] for n in savings for u in range(len(scores[n]))}
    chosen = np.mean([worth[unit] for unit in named])
    assert chosen > np.mean([w for unit, w in worth.items() if unit not in named])
    assert all(found[name].widens for name in more)


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_moved_at_equal_cost(name: str, trials: Trials) -> None:
    whole = clone(MODELS[name]).fit(trials.X, trials.labels)
    same = prune(whole, trials.X, trials.labels, to=1.0, of="parameters", rounds=2, move=True)
    assert 0.97 < same.n_parameters_ / whole.n_parameters_ <= TOLERANCE
    before, after = counts(whole), counts(same)
    if name == "cascaded":  # EEGNet has two layers only, of which both may lose something
        assert any(after[unit] < before[unit] for unit in before if unit in after)
        assert any(after[unit] > before[unit] for unit in before if unit in after)
    steps = same.cuts_
    assert any(len(set(own)) < len(own) for step in steps for own in step.values())
    assert any(len(set(own)) == len(own) for step in steps for own in step.values())
    assert not np.allclose(same.predict_proba(trials.X), whole.predict_proba(trials.X), atol=1e-4)


def test_it_works_beside_pruning(trials: Trials) -> None:
    model = PrunedClassifier(model=MODELS["eegnet"], to=0.6, of="parameters", rounds=2, move=True)
    told = model.fit(trials.X, trials.labels).predict_proba(trials.X)
    plain = clone(model).set_params(move=False).fit(trials.X, trials.labels)
    assert not np.array_equal(plain.predict_proba(trials.X), told)
    whole = clone(MODELS["eegnet"]).fit(trials.X, trials.labels)
    assert 0.55 < model.n_parameters_ / whole.n_parameters_ <= 0.6 * TOLERANCE
    again = clone(model).fit(trials.X, trials.labels)
    np.testing.assert_array_equal(again.predict_proba(trials.X), told)


def test_untuned_it_gives_what_the_network_gives_that_lost_the_same(trials: Trials) -> None:
    """What was added says nothing before it is trained."""
    whole = clone(MODELS["eegnet"]).fit(trials.X, trials.labels)
    moved = prune(
        whole, trials.X, trials.labels, to=1.0, of="parameters", rounds=1, tuning=0.0, move=True
    )
    less, more = moved.cuts_
    lost = cut(whole.module_, less)
    x = torch.from_numpy(np.array(trials.X, dtype=np.float32))
    with torch.no_grad():
        torch.testing.assert_close(moved.module_(x), lost(x), rtol=0, atol=1e-6)
    assert any(len(set(own)) < len(own) for own in more.values())
