"""The network is the published one, filters and mixtures of covariances joined."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor

from eegvit.networks.spd.eigenvalues import log, rectified
from eegvit.networks.spd.network import SPDNet, orthonormal, upper


def step_by_step(network: SPDNet, x: Tensor) -> Tensor:
    """Return covariances with every layer by itself: filters, covariance, bilinear map."""
    x = torch.stack([F.conv1d(x.flatten(0, 1)[:, None], k[None, None]) for k in network.temporal])
    x = x.unflatten(1, (-1, network.spatial.shape[2]))[:, :, :, 0]  # (temporal, n, channels, times)
    x = torch.einsum("stc,tncl->nsl", network.spatial, x)
    C = torch.stack([torch.cov(each, correction=0) for each in x])
    mixing = orthonormal(network.mixing)
    return rectified(mixing.T @ C @ mixing, network.threshold)


@pytest.mark.parametrize(("n_channels", "n_times"), [(3, 125), (19, 500), (64, 250)])
def test_covariances_are_those_of_layer_after_layer(n_channels: int, n_times: int) -> None:
    network = SPDNet(n_channels, n_times, 2).double()
    x = torch.randn(4, n_channels, n_times, dtype=torch.float64)
    x = x + 5  # an offset does not count
    torch.testing.assert_close(network.covariances(x), step_by_step(network, x))


@pytest.mark.parametrize(("n_channels", "size"), [(1, 4), (3, 12), (64, 20)])
def test_a_covariance_is_no_larger_than_what_is_filtered(n_channels: int, size: int) -> None:
    network = SPDNet(n_channels, 200, 3)
    assert network.covariances(torch.randn(2, n_channels, 200)).shape == (2, size, size)


def test_the_person_is_a_sample_beside_the_trial() -> None:
    torch.manual_seed(0)
    network = SPDNet(3, 200, 2, n_people=3)
    x, people = torch.randn(12, 3, 200), torch.arange(12) % 2
    beside = torch.zeros(12, 3, 1)
    beside[:, 0, 0] = people
    network(torch.cat([x, beside], 2))
    assert network.norm.n_batches.tolist() == [1, 1, 0]
    network.eval()
    assert torch.equal(network(torch.cat([x, beside], 2)), network(x))


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 1e6])
def test_gradients_are_finite_for_any_signal(scale: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 4, 200)
    x[:, 1] = x[:, 0]  # two channels are one
    network = SPDNet(4, 200, 2)
    for _ in range(3):
        F.cross_entropy(network(scale * x), torch.arange(8) % 2).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_too_short_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="needs trials of 100 samples"):
        SPDNet(3, 99, 2, kernel_length=50)


@pytest.fixture
def peer() -> Any:
    """Return the published network by spd_learn, its convolutions without padding."""
    models = pytest.importorskip("spd_learn.models", reason="spd_learn is not installed")
    network = models.TSMNet(n_chans=5, n_outputs=3, n_bimap_filters=12)
    network.cnn[0].padding, network.cnn[0].padding_mode = 0, "zeros"
    return network.double()


def is_fixed(name: str) -> bool:
    """Say whether a tensor of the published network is no learned one."""
    return name.endswith(("base", "threshold_", "autograd_", "bias.original"))


def transplanted(peer: Any) -> SPDNet:
    """Return our network with the weights of the other, all of them drawn."""
    fixed = {name: value.clone() for name, value in peer.state_dict().items() if is_fixed(name)}
    randomise(peer).load_state_dict(fixed, strict=False)
    network: Any = SPDNet(5, 200, 3, n_mixed=12, kernel_length=25).double()
    C = torch.randn(30, 12, 12, dtype=torch.float64)
    peer.spdbnorm.running_mean.copy_(torch.eye(12) + C[0] @ C[0].T / 12)
    peer.spdbnorm.running_var.fill_(3.0)
    with torch.no_grad():
        network.temporal.copy_(peer.cnn[0].weight[:, 0, 0])
        network.spatial.copy_(peer.cnn[1].weight[..., 0])
        network.mixing.copy_(peer.spdnet[0].weight[0])
        network.norm.scale.copy_(peer.spdbnorm.weight)
        network.norm.log_mean.copy_(log(peer.spdbnorm.running_mean[0]))
        network.norm.spread.copy_(peer.spdbnorm.running_var.squeeze())
        network.head.weight.copy_(peer.head.weight)
        network.head.bias.copy_(peer.head.bias)
    return network


def test_it_is_the_published_network(peer: Any) -> None:
    network = transplanted(peer).eval()
    peer.eval()
    x = torch.randn(6, 5, 200, dtype=torch.float64)
    mine, its = x.clone().requires_grad_(), x.clone().requires_grad_()
    told, expected = network(mine), peer(its)
    torch.testing.assert_close(told, expected, rtol=1e-6, atol=1e-6)
    towards = torch.randn_like(told)
    told.backward(towards)
    expected.backward(towards)
    torch.testing.assert_close(mine.grad, its.grad, rtol=1e-5, atol=1e-6)
    pairs = {
        "temporal": network.temporal.grad - peer.cnn[0].weight.grad[:, 0, 0],
        "spatial": network.spatial.grad - peer.cnn[1].weight.grad[..., 0],
        "head": network.head.weight.grad - peer.head.weight.grad,
    }
    assert {name for name, off in pairs.items() if not off.abs().max() < 1e-5} == set()


def test_its_norm_trains_as_the_published_one_does(peer: Any) -> None:
    network = transplanted(peer)
    C = network.covariances(torch.randn(16, 5, 200, dtype=torch.float64)).detach()
    norm = network.norm
    norm.momentum, norm.log_means[0], norm.n_batches[0] = 1.0, log(C.mean(0)), 9
    expected = peer.logeig(peer.spdbnorm.train()(C))
    torch.testing.assert_close(upper(norm(C)), expected, rtol=1e-6, atol=1e-6)
