"""Networks up to their last layer, and the depth of their parameters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.twin import TwinEfficientViT
from eegvit.pretrain.encoder import Encoder, depths, last_layers


def test_the_last_layers_is_the_one_called_last() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(6, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.first(x))

    assert last_layers(Backwards(), torch.zeros(1, 6)) == ("last",)
    with pytest.raises(ValueError, match="no linear layer"):
        last_layers(nn.Flatten(), torch.zeros(1, 6))


def test_a_network_of_streams_has_a_last_layer_in_each() -> None:
    network = TwinEfficientViT(3, 128, 4, sfreq=64.0, preset="eeg_xs").eval()
    x = torch.randn(5, 3, 128)
    encoder = Encoder(network, x)
    assert encoder.last == ("streams.0.head.linear", "streams.1.head.linear")
    apart = [Encoder(stream, x)(x) for stream in network.streams]
    torch.testing.assert_close(encoder(x), torch.cat(apart, 1))


def test_the_last_layer_of_the_embedding_gives_the_logits() -> None:
    network = EfficientViT(3, 128, 4, sfreq=64.0, preset="eeg_xs").eval()
    x = torch.randn(5, 3, 128)
    encoder = Encoder(network, x)
    assert encoder.last == ("head.linear",) and network.training is False
    torch.testing.assert_close(network.head.linear(encoder(x)), network(x))
    assert not network.head.linear._forward_pre_hooks, "it leaves nothing behind"


def test_gradients_reach_everything_but_the_last_layers() -> None:
    network = EEGNet(3, 128, 2)
    Encoder(network, torch.zeros(2, 3, 128))(torch.randn(6, 3, 128)).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == ["head.weight", "head.bias"]


@pytest.mark.parametrize(
    ("network", "order"),
    [
        (
            EEGNet(3, 128, 2),
            ["front.temporal", "norm_1.weight", "depthwise", "pointwise", "norm_2.weight"]
            + ["head.weight"],
        ),
        (
            EfficientViT(3, 128, 2, sfreq=64.0, preset="eeg_xs"),
            ["layout.", "stages.", "head.linear.weight"],
        ),
    ],
    ids=["eegnet", "efficientvit"],
)
def test_depth_falls_from_input_to_output(network: nn.Module, order: list[str]) -> None:
    found = depths(network, torch.zeros(2, 3, 128))
    assert set(found) == {name for name, _ in network.named_parameters()}
    assert min(found.values()) == 0 and max(found.values()) == 1
    levels = [[d for name, d in found.items() if name.startswith(part)] for part in order]
    for deeper, nearer in zip(levels[:-1], levels[1:], strict=True):
        assert (
            min(deeper) > max(nearer) or len(deeper) > 1 and sum(deeper) / len(deeper) > max(nearer)
        )
