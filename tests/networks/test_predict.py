"""A few trials are predicted by a folded copy, which is the network to within rounding."""

from __future__ import annotations

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from random_weights import randomise
from torch import nn

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.networks import predict
from eegvit.networks.efficientvit.twin import TwinEfficientViT
from eegvit.networks.fold import fold
from eegvit.networks.predict import FEW, for_few, predict_proba

SHORT: dict[str, Any] = {"epochs": 4, "batch_size": 16, "device": "cpu", "learning_rate": 5e-3}
MODELS = {
    "eegnet": EEGNetClassifier(**SHORT),
    "efficientvit": EfficientViTClassifier(**SHORT, sfreq=128.0),
    "scalp": EfficientViTClassifier(**SHORT, sfreq=128.0, layout="scalp"),
    "fused": FusionClassifier(branches=["efficientvit", "eegnet"], sfreq=128.0, **SHORT),
    "series": FusionClassifier(branches=["snn", "eegnet"], wiring="series", sfreq=128.0, **SHORT),
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    return {}


@pytest.fixture
def model(name: str, trials: Any, fitted: dict[str, Any]) -> Any:
    """Return a fitted model; whoever changes it takes a copy."""
    if name not in fitted:
        fitted[name] = MODELS[name].fit(trials.X, trials.labels)
    return fitted[name]


@pytest.mark.parametrize("name", MODELS)
def test_few_trials_get_what_many_do(name: str, model: Any, trials: Any) -> None:
    whole = model.predict_proba(trials.X)  # more than a few
    assert len(trials) > FEW and np.ptp(whole[:, 0]) > 0.05
    few = model.predict_proba(trials.X[:FEW])
    one = np.concatenate([model.predict_proba(x[None]) for x in trials.X[:5]])
    np.testing.assert_allclose(few, whole[:FEW], atol=1e-5)
    np.testing.assert_allclose(one, whole[:5], atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_copy_has_no_norms_left_and_the_network_all_of_its_own(name: str, model: Any) -> None:
    def norms(network: nn.Module) -> int:
        return sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())

    before = norms(model.module_)
    assert before > 0 and norms(fold(model.module_)) < before / 2
    assert norms(model.module_) == before
    assert for_few(model.module_) is for_few(model.module_)


@pytest.mark.parametrize("name", ["eegnet"])
def test_what_is_trained_on_is_folded_anew(name: str, model: Any, trials: Any) -> None:
    network = copy.deepcopy(model.module_)
    first = predict_proba(network, trials.X[:3])
    before = for_few(network)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02)
    network.train()
    network(torch.from_numpy(trials.X)).square().sum().backward()
    optimiser.step()
    changed = predict_proba(network, trials.X[:3])
    assert for_few(network) is not before and not np.allclose(changed, first, atol=1e-3)
    np.testing.assert_allclose(changed, predict_proba(network, trials.X)[:3], atol=1e-5)
    with torch.no_grad():
        network[1].norm_1.running_mean += 5.0
    moved = predict_proba(network, trials.X[:3])
    assert not np.allclose(moved, changed, atol=1e-3)
    network.load_state_dict(model.module_.state_dict())
    np.testing.assert_allclose(predict_proba(network, trials.X[:3]), first, atol=1e-6)


@pytest.mark.parametrize("name", ["eegnet", "efficientvit"])
def test_pickles_and_fits_know_nothing_of_it(name: str, model: Any, trials: Any) -> None:
    size = len(pickle.dumps(model))
    learns = [p.requires_grad for p in model.module_.parameters()]
    told = model.predict_proba(trials.X[:2])
    assert len(pickle.dumps(model)) == size
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(trials.X[:2]), told)
    assert any(learns) and learns == [p.requires_grad for p in model.module_.parameters()]
    other = copy.deepcopy(model).fit(trials.X[::-1].copy(), trials.labels)
    assert not np.allclose(other.predict_proba(trials.X[:2]), told, atol=1e-4)


def test_a_copy_goes_with_its_network(trials: Any) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    assert for_few(network) is network, "there is nothing to fold"
    gc.collect()
    before = len(predict._folded)
    model = EEGNetClassifier(**SHORT | {"epochs": 1}).fit(trials.X, trials.labels)
    model.predict_proba(trials.X[:1])
    assert len(predict._folded) == before + 1
    del model
    gc.collect()
    assert len(predict._folded) == before


def test_networks_of_other_houses_are_left_alone(trials: Any) -> None:
    model = BraindecodeClassifier(**SHORT | {"epochs": 1}).fit(trials.X, trials.labels)
    assert for_few(model.module_) is model.module_


def test_what_is_put_into_a_network_later_is_seen() -> None:
    twin = TwinEfficientViT(3, 250, 2, sfreq=125.0, ch_names=("C3", "Cz", "C4"))
    network, x = randomise(twin).eval(), torch.randn(1, 3, 250)
    before = for_few(network)(x)
    network.lines = network.lines_for(3, 250, 2, 125.0)
    for judge in network.lines.judges:
        nn.init.constant_(judge.bias[:1], 3.0)
    after = for_few(network)(x)
    assert not torch.allclose(before, after, atol=1e-2)
    torch.testing.assert_close(after.softmax(1), network(x).softmax(1), atol=1e-5, rtol=0)


def test_what_a_folded_network_looks_up_is_of_the_sizes_and_the_kind_it_is_given() -> None:
    """Also after it was made where gradients are off, and for several threads at once."""
    twin = TwinEfficientViT(3, 250, 2, sfreq=125.0, ch_names=("C3", "Cz", "C4"))
    network = randomise(twin).double().eval()
    folded = fold(network)
    trials = [torch.randn(1, 3, n_times, dtype=torch.float64) for n_times in (250, 333)]
    with torch.inference_mode():
        expected = [network(x) for x in trials]
        folded(trials[0])
    x = trials[0].clone().requires_grad_()
    folded(x).sum().backward()
    assert x.grad is not None and x.grad.abs().max() > 0
    with ThreadPoolExecutor(4) as pool:
        for told, wanted in zip(pool.map(folded, trials * 16), expected * 16, strict=True):
            torch.testing.assert_close(told.detach(), wanted)
    again = pickle.loads(pickle.dumps(folded))
    assert torch.equal(again(trials[1]), folded(trials[1]))
    single = copy.deepcopy(folded).float()(trials[1].float())
    torch.testing.assert_close(single.double(), expected[1], atol=1e-3, rtol=1e-3)
