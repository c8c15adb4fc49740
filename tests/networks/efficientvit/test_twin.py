"""Two networks side by side are what each is alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import nn

from eegvit.networks.auxiliary import Judged
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
    shapes = [tuple(each.shape[1:]) for each in twin.forward_features(x)]
    assert shapes == [(16, 1, 31), (24, 1, 16), (12, 3, 15), (16, 2, 8)]


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


NAMES = ("Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6",
         "CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz")  # fmt: skip


@pytest.mark.parametrize("multi_scale", [False, True])
@pytest.mark.parametrize(
    ("n_channels", "n_times", "sfreq"), [(22, 1000, 250.0), (3, 250, 125.0), (5, 333, 100.0)]
)
def test_folded_is_unfolded_with_lines(
    n_channels: int, n_times: int, sfreq: float, multi_scale: bool
) -> None:
    """The default network: of one trial or several, of its length or another."""
    settings = {"sfreq": sfreq, "ch_names": NAMES[::-1][:n_channels], "multi_scale": multi_scale}
    network = TwinEfficientViT(n_channels, n_times, 4, family=FAMILIES, **settings)
    randomise(network).eval()
    network.lines = network.lines_for(n_channels, n_times, 4, sfreq)
    random = torch.Generator().manual_seed(1)
    for judge in network.lines.judges:
        nn.init.normal_(judge.weight, std=0.05, generator=random)
        nn.init.normal_(judge.bias, generator=random)
    network.lines.shares.copy_(torch.tensor([0.2, 1.9, 0.9]))
    single = fold(network)
    folded = fold(network.double())
    with torch.inference_mode():
        for n, length in ((1, n_times), (3, n_times), (2, n_times + 37), (1, n_times - 11)):
            x = 3 * torch.randn(n, n_channels, length, dtype=torch.float64, generator=random)
            expected = network(x).softmax(1)
            assert n == 1 or expected.std(0).max() > 1e-3, "trials are alike"
            torch.testing.assert_close(folded(x).softmax(1), expected, atol=1e-9, rtol=0)
            near = single(x.float()).softmax(1).double()
            torch.testing.assert_close(near, expected, atol=1e-5, rtol=0)
            plain = network.forward_head(network.forward_features(x)).softmax(1)
            assert (plain - expected).abs().max() > 1e-3, "lines say nothing"


def test_folded_is_sure_where_unfolded_is(twin: TwinEfficientViT) -> None:
    """No probability gets lost or infinite where all are as good as certain."""
    twin = twin.eval()
    with torch.no_grad():
        for stream in twin.streams:
            stream.head.linear.bias.copy_(torch.tensor([500.0, 0.0, 0.0, -500.0]))
        told = fold(twin)(torch.randn(3, 3, 250))
    assert told.isfinite().all()
    torch.testing.assert_close(told.softmax(1), torch.eye(4)[[0, 0, 0]])


def test_it_costs_what_both_cost(twin: TwinEfficientViT) -> None:
    x = torch.randn(1, 3, 250)
    assert count(twin.eval(), x) == sum(count(network.eval(), x) for network in apart(twin))
