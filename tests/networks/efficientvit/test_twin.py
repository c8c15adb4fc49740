"""Two networks side by side are what each is alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged
from eegvit.networks.efficientvit.maps.power_map import PowerMap
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.twin import STREAMS, TwinEfficientViT
from eegvit.networks.fold import fold
from eegvit.networks.macs import count
from eegvit.train.loss import cross_entropy

SETTINGS: dict[str, Any] = {"sfreq": 125.0, "preset": "eeg_xs", "dropout": 0.0}


FAMILIES = ("linear", "cascaded")  # of other widths each


@pytest.fixture
def twin() -> TwinEfficientViT:
    network = TwinEfficientViT(3, 250, 4, family=FAMILIES, **SETTINGS)
    randomise(network)
    return network


def apart(twin: TwinEfficientViT) -> list[EfficientViT]:
    """Return the two networks on their own, with the twin's weights."""
    networks = []
    for layout, family, stream in zip(STREAMS, FAMILIES, twin.streams, strict=True):
        network = EfficientViT(3, 250, 4, layout=layout, family=family, **SETTINGS)
        network.load_state_dict(stream.state_dict())
        networks.append(network)
    return networks


def test_the_prediction_is_the_mean_of_both(twin: TwinEfficientViT) -> None:
    x = torch.randn(5, 3, 250)
    both = [network.eval()(x).softmax(1) for network in apart(twin)]
    assert (both[0] - both[1]).abs().max() > 0.01
    torch.testing.assert_close(twin.eval()(x).softmax(1), (both[0] + both[1]) / 2)
    torch.testing.assert_close(twin.forward_head(twin.forward_features(x)), twin(x))
    assert twin.features(x).shape == (5, 24 + 16, 16)


def test_each_learns_from_its_own_loss(twin: TwinEfficientViT) -> None:
    x, y = torch.randn(8, 3, 250), torch.arange(8) % 4
    told = twin.train()(x)
    assert isinstance(told, Judged)
    cross_entropy(told, y).backward()
    for network, stream in zip(apart(twin), twin.streams, strict=True):
        F.cross_entropy(network.train()(x), y).backward()
        for (name, one), other in zip(network.named_parameters(), stream.parameters(), strict=True):
            torch.testing.assert_close(other.grad, one.grad, msg=name)


def test_folded_is_unfolded(twin: TwinEfficientViT) -> None:
    x = torch.randn(4, 3, 250, dtype=torch.float64)
    twin = twin.double().eval()
    torch.testing.assert_close(fold(twin)(x), twin(x))
    assert not [m for m in fold(twin).modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def test_it_costs_what_both_cost(twin: TwinEfficientViT) -> None:
    x = torch.randn(1, 3, 250)
    assert count(twin.eval(), x) == sum(count(network.eval(), x) for network in apart(twin))


def plain_power(layer: PowerMap, x: Tensor) -> Tensor:
    """Write out the log-power: one trial, plane and column at a time."""
    filtered = layer.norm(layer.front(x))
    n, width, n_times = filtered.shape
    n_steps = n_times // layer.pool
    powers = torch.empty(n, width, n_steps, dtype=x.dtype)
    for step in range(n_steps):
        around = range(max(0, step - 2), min(n_steps, step + 3))
        samples = [t for s in around for t in range(s * layer.pool, (s + 1) * layer.pool)]
        mean = sum(filtered[:, :, t] ** 2 for t in samples) / len(samples)
        powers[:, :, step] = (mean + 0.01).log()
    norm = layer.log_norm
    mean, var = norm.running_mean[:, None], norm.running_var[:, None]
    return (powers - mean) / (var + norm.eps).sqrt() * norm.weight[:, None] + norm.bias[:, None]


@pytest.mark.parametrize(("n_channels", "width", "sfreq"), [(3, 12, 125.0), (5, 7, 128.0)])
def test_power_is_the_mean_square_around_each_step(
    n_channels: int, width: int, sfreq: float
) -> None:
    layer = PowerMap(n_channels, width, sfreq=sfreq).double().eval()
    randomise(layer)
    x = torch.randn(3, n_channels, 131, dtype=torch.float64)
    torch.testing.assert_close(layer(x)[:, :, 0], plain_power(layer, x))


def test_a_louder_rhythm_shows_as_more_power() -> None:
    layer = PowerMap(1, 2, sfreq=125.0).eval()
    rhythm = torch.sin(2 * math.pi * 10 * torch.arange(500) / 125)
    quiet, loud = layer(torch.stack([rhythm, 4 * rhythm])[:, None])
    assert (loud >= quiet).all() and (loud - quiet).amax((1, 2)).max() > 0.5
