"""Spiking neurons in front of other networks, and a spiking network alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.spiking.encoders import Delta
from eegvit.networks.spiking.front import SpikingFront
from eegvit.networks.spiking.lif import integrate_and_fire
from eegvit.networks.spiking.network import SpikingNetwork


def with_gradient(network: nn.Module) -> dict[str, bool]:
    """Tell which parameters a training step moves."""
    torch.manual_seed(1)
    y = torch.arange(8) % 3
    F.cross_entropy(network(2 * torch.randn(8, 4, 256)), y).backward()
    return {
        name: p.grad is not None and bool(p.grad.any()) for name, p in network.named_parameters()
    }


@pytest.mark.parametrize("output", ["spikes", "membrane"])
@pytest.mark.parametrize("behind", ["eegnet", "efficientvit"])
def test_learns_in_series_before_another_network(behind: str, output: Any) -> None:
    torch.manual_seed(0)
    front = SpikingFront(4, sfreq=128.0, n_features=6, output=output)
    network: nn.Module = EEGNet(6, 256, 3)
    if behind == "efficientvit":
        network = EfficientViT(6, 256, 3, sfreq=128.0, preset="eeg_xs")
    moved = with_gradient(nn.Sequential(front, network))
    assert {name for name in moved if name.startswith("0.")} == {
        "0.mixing.weight",
        "0.mixing.bias",
        "0.neurons.log_time_constant",
        "0.neurons.log_threshold",
    }
    assert all(value for name, value in moved.items() if name.startswith("0."))


@pytest.mark.parametrize("output", ["spikes", "membrane"])
def test_gives_what_its_neurons_give(output: Any) -> None:
    x = torch.randn(5, 3, 100)
    front = SpikingFront(3, sfreq=128.0, output=output, reset="hard", encoder="delta", step=0.4)
    encoded = Delta(3, 0.4)(x.permute(2, 0, 1))
    neurons = front.neurons
    both = integrate_and_fire(encoded, neurons.leak, neurons.threshold, reset="hard")
    expected = both[0] if output == "spikes" else both[1]
    assert front.n_features == 6 and front(x).shape == (5, 6, 100)
    assert torch.equal(front(x), expected.permute(1, 2, 0))


def test_unmixed_channels_do_not_meet() -> None:
    front = SpikingFront(3, sfreq=128.0, output="membrane")
    x = torch.randn(5, 3, 100)
    other = x.clone()
    other[:, 1] += 1
    changed = (front(x) != front(other)).any(-1).any(0)
    assert changed.tolist() == [False, True, False]


@pytest.mark.parametrize("encoder", ["direct", "delta", "step_forward"])
@pytest.mark.parametrize("readout", ["rate", "membrane"])
def test_a_network_alone_learns_with_all_its_parameters(readout: Any, encoder: str) -> None:
    torch.manual_seed(0)
    network = SpikingNetwork(
        4, 256, 3, sfreq=128.0, readout=readout, encoder=encoder, recurrent=True
    )
    assert all(with_gradient(network).values())


def test_segments_are_means_over_stretches_of_time() -> None:
    network = SpikingNetwork(4, 250, 3, sfreq=128.0, n_features=5, n_hidden=0, segments=3).eval()
    x = torch.randn(2, 4, 250)
    spikes = network.front(x)
    expected = [spikes[..., a:b].mean(-1) for a, b in ((0, 84), (84, 167), (167, 250))]
    torch.testing.assert_close(network.features(x), torch.stack(expected, -1))
    logits = network.head(torch.stack(expected, -1).flatten(1))
    torch.testing.assert_close(network(x), logits)


def test_the_second_layer_sees_the_spikes_of_the_first() -> None:
    torch.manual_seed(0)
    network = SpikingNetwork(4, 100, 3, sfreq=128.0, segments=1, readout="membrane").eval()
    assert network.synapses is not None and network.neurons is not None
    x = torch.randn(2, 4, 100)
    seen = network.neurons(network.synapses(network.front(x).permute(2, 0, 1)))[1]
    torch.testing.assert_close(network.features(x), seen.mean(0)[..., None])


def test_both_layers_are_made_alike() -> None:
    given = {"time_constants": (0.02, 0.05), "reset": "hard", "surrogate": "triangular"}
    network = SpikingNetwork(
        4, 100, 3, sfreq=200.0, n_features=6, n_hidden=5, recurrent=True, threshold=2.0, **given
    )
    assert network.neurons is not None
    for layer, size in ((network.front.neurons, 6), (network.neurons, 5)):
        assert layer.reset == "hard" and layer.surrogate == "triangular" and layer.sfreq == 200.0
        assert layer.recurrent is not None and layer.recurrent.shape == (size, size)
        torch.testing.assert_close(layer.threshold, torch.full((size,), 2.0))
        torch.testing.assert_close(layer.time_constant[[0, -1]], torch.tensor([0.02, 0.05]))


@pytest.mark.parametrize(
    "changes",
    [
        {"readout": "spikes"},
        {"segments": 0},
        {"segments": 51},
        {"encoder": "rate"},
        {"n_features": 0},
        {"n_hidden": -1},
    ],
)
def test_refuses_what_makes_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        SpikingNetwork(3, 50, 2, sfreq=128.0, **changes)
    with pytest.raises(ValueError, match="output"):
        SpikingFront(3, sfreq=128.0, output="rate")  # type: ignore[arg-type]
