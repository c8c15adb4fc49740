"""EEGNet and ShallowConvNet are the functions that braindecode's are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.shallow import ShallowConvNet
from eegvit.networks.temporal_spatial import TemporalSpatial

models = pytest.importorskip("braindecode.models", exc_type=ImportError)

SHAPES = [(3, 500), (8, 206), (22, 1000), (64, 480)]
# our name -> the peer's name
EEGNET = {
    "front.temporal": "conv_temporal.weight",
    "front.norm": "bnorm_temporal",
    "front.spatial": "conv_spatial.parametrizations.weight.original",
    "norm_1": "bnorm_1",
    "depthwise": "conv_separable_depth.weight",
    "pointwise": "conv_separable_point.weight",
    "norm_2": "bnorm_2",
    "head.weight": "final_layer.conv_classifier.weight",
    "head.bias": "final_layer.conv_classifier.bias",
}
SHALLOW = {
    "temporal": "conv_time_spat.conv_time.weight",
    "temporal_bias": "conv_time_spat.conv_time.bias",
    "spatial": "conv_time_spat.conv_spat.weight",
    "norm": "bnorm",
    "head.weight": "final_layer.conv_classifier.weight",
    "head.bias": "final_layer.conv_classifier.bias",
}


def pairs(own: dict[str, Tensor], peer: dict[str, Tensor], names: dict[str, str]) -> Iterator:
    for name, value in own.items():
        where, _, leaf = name.rpartition(".")
        yield name, value, peer[names[name] if name in names else f"{names[where]}.{leaf}"]


def build(kind: str, shape: tuple[int, int]) -> tuple[nn.Module, nn.Module, dict[str, str]]:
    n_channels, n_times = shape
    sizes = {"n_chans": n_channels, "n_times": n_times, "n_outputs": 3, "drop_prob": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "eegnet":
            own: nn.Module = EEGNet(n_channels, n_times, 3, dropout=0.0)
            peer, names = models.EEGNet(**sizes), EEGNET
        else:
            own = ShallowConvNet(n_channels, n_times, 3, dropout=0.0)
            peer, names = models.ShallowFBCSPNet(**sizes), SHALLOW
    randomise(peer)
    for _, value, original in pairs(own.state_dict(), peer.state_dict(), names):
        value.copy_(original.reshape(value.shape))
    assert sum(p.numel() for p in own.parameters()) == sum(p.numel() for p in peer.parameters())
    return own, peer, names


def largest_difference(a: Tensor, b: Tensor) -> float:
    a, b = a.detach(), b.detach().reshape(a.shape)
    return float((a - b).abs().max() / b.abs().max().clamp_min(1.0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["eegnet", "shallow"])
def test_evaluation(kind: str, shape: tuple[int, int]) -> None:
    own, peer, _ = build(kind, shape)
    x = torch.randn(7, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = peer.eval()(x)
        assert expected.std() > 0.1
        assert largest_difference(own.eval()(x), expected) < 1e-5
        one = torch.cat([own(trial[None]) for trial in x])
        assert largest_difference(one, expected) < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["eegnet", "shallow"])
def test_training(kind: str, shape: tuple[int, int]) -> None:
    own, peer, names = build(kind, shape)
    generator = torch.Generator().manual_seed(1)
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    steps: list[Callable[[], None]] = [
        torch.optim.SGD(network.parameters(), lr=0.01).step for network in (own, peer)
    ]
    for _ in range(2):  # the second sees the first's running statistics and weights
        x = torch.randn(7, *shape, generator=generator).requires_grad_()
        twin = x.detach().clone().requires_grad_()
        out, expected = own.train()(x), peer.train()(twin)
        assert largest_difference(out, expected) < 2e-5
        for network in (own, peer):
            network.zero_grad()
        F.cross_entropy(out, y).backward()
        F.cross_entropy(expected, y).backward()
        assert x.grad is not None and twin.grad is not None
        assert largest_difference(x.grad, twin.grad) < 2e-5
        gradients = [{n: p.grad for n, p in m.named_parameters()} for m in (own, peer)]
        for name, value, original in pairs(*gradients, names):  # type: ignore[arg-type]
            assert value.abs().max() > 0 or name.endswith("bias")
            assert largest_difference(value, original) < 2e-5, name
        for step in steps:
            step()
        for name, value, original in pairs(own.state_dict(), peer.state_dict(), names):
            assert largest_difference(value, original) < 2e-5, name


@pytest.mark.parametrize("kernel_length", [5, 64, 65])
@pytest.mark.parametrize("n_times", [130, 500])
def test_both_orders_are_one_function(kernel_length: int, n_times: int) -> None:
    torch.manual_seed(0)
    layers = [TemporalSpatial(6, 4, 2, kernel_length).double() for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = torch.randn(5, 6, n_times, dtype=torch.float64) + 0.3
    outputs = [layers[0].temporal_first(x), layers[1].spatial_first(x)]
    torch.testing.assert_close(outputs[1], outputs[0])
    for layer, out in zip(layers, outputs, strict=True):
        out.square().mean().backward()
        assert int(layer.norm.num_batches_tracked) == 1
    for a, b in zip(layers[1].parameters(), layers[0].parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(layers[1].norm.running_var, layers[0].norm.running_var)
    torch.testing.assert_close(layers[1].norm.running_mean, layers[0].norm.running_mean)


@pytest.mark.parametrize("shape", [(8, 512), (1, 300), (128, 250)])
@pytest.mark.parametrize("network", [EEGNet, ShallowConvNet])
def test_any_shape(network: type[nn.Module], shape: tuple[int, int]) -> None:
    assert network(*shape, 2)(torch.zeros(3, *shape)).shape == (3, 2)


@pytest.mark.parametrize("network", [EEGNet, ShallowConvNet])
def test_too_short(network: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="longer window"):
        network(3, 20, 2)
