"""Spikes and operations of networks whose spikes can be counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from eegvit.networks.macs import count
from eegvit.networks.spiking.front import SpikingFront
from eegvit.networks.spiking.network import SpikingNetwork
from eegvit.networks.spiking.operations import Operations, count_operations, spike_trains


def always_and_every_fourth(encoder: str = "direct", recurrent: bool = False) -> SpikingNetwork:
    """Return a network of two neurons: one spikes all the time, one at every fourth sample."""
    sizes = {"n_features": 2, "n_hidden": 3, "encoder": encoder}
    network = SpikingNetwork(1, 40, 2, sfreq=100.0, reset="hard", recurrent=recurrent, **sizes)
    with torch.no_grad():
        front = network.front
        assert isinstance(front.mixing, nn.Linear)
        front.mixing.weight.zero_()
        front.mixing.bias.copy_(torch.tensor([1.5, 0.26]))
        front.neurons.log_time_constant.fill_(20.0)  # no leak
    return network


def test_counts_by_hand() -> None:
    done = count_operations(always_and_every_fourth(), torch.randn(5, 1, 40))
    assert done.synaptic == (40 + 10) * 3
    assert done.leak == 40 * (2 + 3)
    assert done.analogue == 40 * 1 * 2 + 3 * 4 * 2  # mixing, and the head's rates
    assert done.dense == 40 * 1 * 2 + 40 * 2 * 3 + 3 * 4 * 2
    assert done.energy == pytest.approx(0.9 * 150 + 4.6 * (200 + 104))
    assert done.dense_energy == pytest.approx(4.6 * 344)
    assert done.ratio == pytest.approx(done.dense_energy / done.energy)


def test_recurrent_weights_count() -> None:
    network = SpikingNetwork(1, 40, 2, sfreq=100.0, n_features=2, n_hidden=0, recurrent=True)
    network.front = always_and_every_fourth(recurrent=True).front
    done = count_operations(network, torch.randn(5, 1, 40))
    assert done.synaptic == (39 + 9) * 2  # the last sample's spikes reach nothing
    assert done.dense == 40 * 2 + 39 * 2 * 2 + 2 * 4 * 2


def test_spikes_of_an_encoder_are_additions() -> None:
    x = torch.zeros(3, 1, 40)
    x[..., 10:] = 1.0  # one rise
    network = always_and_every_fourth("delta")
    assert isinstance(network.front.mixing, nn.Linear)
    with torch.no_grad():
        network.front.mixing = nn.Linear(2, 2)
        network.front.mixing.weight.zero_()
        network.front.mixing.bias.copy_(torch.tensor([1.5, 0.26]))
    done = count_operations(network, x)
    assert done.synaptic == 1 * 2 + 50 * 3
    assert done.analogue == 3 * 4 * 2


def test_dense_is_what_torch_counts() -> None:
    network = SpikingNetwork(4, 60, 3, sfreq=100.0)
    x = torch.randn(1, 4, 60)
    assert count_operations(network, x).dense == count(network, x)


def test_is_an_average_over_trials_whatever_the_batches() -> None:
    network = SpikingNetwork(4, 60, 3, sfreq=100.0).train()
    network.front.eval()
    x = torch.randn(7, 4, 60)
    one_by_one = [count_operations(network, trial[None]).synaptic for trial in x]
    assert len(set(one_by_one)) > 1
    assert count_operations(network, x, batch_size=3).synaptic == pytest.approx(sum(one_by_one) / 7)
    assert network.training and not network.front.training


def test_trains_of_each_layer() -> None:
    network = always_and_every_fourth().train()
    trains = spike_trains(network, torch.randn(5, 1, 40), batch_size=2)
    assert list(trains) == ["front.neurons", "neurons"]
    first = trains["front.neurons"]
    assert first.shape == (5, 2, 40) and trains["neurons"].shape == (5, 3, 40)
    assert first[:, 0].all() and first[:, 1].nonzero()[:10, 1].tolist() == list(range(3, 40, 4))
    assert network.training and not network.front.neurons._forward_hooks


def test_trains_of_a_front_inside_another_network() -> None:
    front = SpikingFront(3, sfreq=100.0)
    x = torch.randn(2, 3, 50)
    trains = spike_trains(nn.Sequential(front, nn.Flatten(), nn.Linear(150, 2)), x)
    assert torch.equal(trains["0.neurons"], front(x).bool())


def test_more_spikes_cost_more() -> None:
    few, many = (Operations(synaptic=s, analogue=10, leak=10, dense=1000) for s in (100, 200))
    assert many.energy - few.energy == pytest.approx(90) and many.ratio < few.ratio
