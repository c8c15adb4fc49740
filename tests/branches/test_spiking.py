"""The spiking classifier beyond the contract of every branch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eegvit.branches.neural_together import fit_together
from eegvit.branches.spiking import SpikingClassifier

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 16, "device": "cpu", "sfreq": 128.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "delta"},
        {"encoder": "step_forward"},
        {"readout": "membrane"},
        {"reset": "hard", "surrogate": "triangular"},
        {"n_hidden": 0},
        {"recurrent": True},
    ],
    ids=str,
)
def test_learns_an_easy_contrast_in_every_form(changes: dict[str, Any], make_trials: Any) -> None:
    train, test = (make_trials(n_trials=60, seed=seed, contrast=8.0) for seed in (1, 2))
    long = SHORT | {"epochs": 25, "learning_rate": 5e-3, "n_features": 16}
    model = SpikingClassifier(**long | changes).fit(train.X, train.labels)
    assert model.score(test.X, test.labels) > 0.8


def test_learns_its_own_time_constants_and_thresholds(trials: Any) -> None:
    model = SpikingClassifier(**SHORT | {"learning_rate": 0.01}).fit(trials.X, trials.labels)
    untrained = model.network(8, 256, 2)
    for name in ("time_constant", "threshold"):
        after, before = (getattr(n.front.neurons, name) for n in (model.module_[1], untrained))
        assert (after != before).float().mean() > 0.9, name
    assert before.shape == (32,)


def test_parameters_reach_the_network() -> None:
    model = SpikingClassifier(
        sfreq=200.0,
        n_features=7,
        n_hidden=5,
        encoder="step_forward",
        step=0.7,
        readout="membrane",
        segments=3,
        time_constants=(0.02, 0.05),
        reset="hard",
        surrogate="triangular",
        recurrent=True,
        dropout=0.1,
    )
    network: Any = model.network(4, 90, 2)
    assert network.front.encoder.n_features == 8 and network.front.encoder.step == 0.7
    assert network.front.n_features == 7 and network.synapses.out_features == 5
    assert type(network.front.encoder).__name__ == "StepForward"
    assert (network.readout, network.segments, network.dropout) == ("membrane", 3, 0.1)
    neurons = network.neurons
    assert (neurons.reset, neurons.surrogate) == ("hard", "triangular")
    assert neurons.recurrent is not None
    np.testing.assert_allclose(neurons.time_constant.detach()[[0, -1]], [0.02, 0.05], rtol=1e-5)


def test_each_channel_may_learn_a_time_constant_of_its_own(trials: Any) -> None:
    model = SpikingClassifier(n_features=None, **SHORT)
    model.set_params(epochs=10, learning_rate=0.01).fit(trials.X, trials.labels)
    layers: Any = model.module_
    constants = layers[1].front.neurons.time_constant.detach().numpy()
    first = np.geomspace(0.01, 0.1, trials.X.shape[1])
    assert constants.shape == first.shape and (constants != first.astype(np.float32)).all()
    told = model.predict_proba(trials.X)
    other = trials.X.copy()
    other[:, 0] += 5
    assert not np.array_equal(model.predict_proba(other), told)
    both = SpikingClassifier(n_features=None, n_hidden=0, encoder="delta", **SHORT)
    rates = both.fit(trials.X, trials.labels).firing_rates(trials.X)
    assert [len(rate) for rate in rates.values()] == [2 * trials.X.shape[1]]


def test_the_sampling_rate_sets_the_leak(trials: Any) -> None:
    slow, fast = (SpikingClassifier(sfreq=sfreq).network(8, 256, 2) for sfreq in (128.0, 512.0))
    assert (fast.front.neurons.leak > slow.front.neurons.leak).all()
    with pytest.raises(ValueError, match="needs the sampling rate"):
        SpikingClassifier(epochs=1).fit(trials.X, trials.labels)


def test_rates_trains_and_operations(trials: Any) -> None:
    model = SpikingClassifier(**SHORT, n_hidden=8).fit(trials.X, trials.labels)
    trains = model.spike_trains(trials.X)
    assert {name: train.shape for name, train in trains.items()} == {
        "front.neurons": (40, 32, 256),
        "neurons": (40, 8, 256),
    }
    for name, rates in model.firing_rates(trials.X).items():
        assert rates.shape == trains[name].shape[1:2]
        np.testing.assert_allclose(rates, trains[name].sum((0, 2)) / (40 * 256 / 128.0))
    done = model.count_operations(trials.X)
    assert done.synaptic == pytest.approx(trains["front.neurons"].sum() / 40 * 8)
    assert done.dense == model.count_macs()
    seen = model.module_[0](torch_of(trials.X))
    assert trains["front.neurons"].sum() == model.module_[1].front(seen).sum().item()


def torch_of(X: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(X.astype(np.float32))


def test_fits_together_are_fits_alone(make_trials: Any) -> None:
    data = make_trials(n_trials=32, n_times=64)
    settings = SHORT | {"n_features": 6, "n_hidden": 4}
    rows = [np.arange(24), np.arange(8, 32)]
    models = [SpikingClassifier(**settings, random_state=seed) for seed in (0, 1)]
    fit_together(models, data.X, data.labels, rows)
    for seed, own in enumerate(rows):
        alone = SpikingClassifier(**settings, random_state=seed).fit(data.X[own], data.labels[own])
        np.testing.assert_allclose(
            models[seed].predict_proba(data.X), alone.predict_proba(data.X), atol=1e-4
        )
