"""Fused networks: which branch sees what, what counts when, what stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged
from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.fusion.beside import packed
from eegvit.networks.fusion.branches import BandBranch, NetworkBranch, VectorBranch
from eegvit.networks.fusion.network import FUSERS, FusedNetwork
from eegvit.networks.fusion.series import Series
from eegvit.networks.macs import count
from eegvit.networks.shallow import ShallowConvNet
from eegvit.networks.spiking.front import SpikingFront
from eegvit.networks.spiking.network import SpikingNetwork

SHAPE = {"n_channels": 3, "n_times": 250, "n_classes": 2}
NETWORKS: dict[str, Any] = {
    "eegnet": lambda: EEGNet(3, 250, 2),
    "shallow": lambda: ShallowConvNet(3, 250, 2),
    "efficientvit": lambda: EfficientViT(3, 250, 2, sfreq=125.0, preset="eeg_xs"),
    "efficientvit-all-depths": lambda: EfficientViT(
        3, 250, 2, sfreq=125.0, preset="eeg_xs", multi_scale=True
    ),
    "snn": lambda: SpikingNetwork(3, 250, 2, sfreq=125.0),
    "snn-eegnet": lambda: Series([SpikingFront(3, sfreq=125.0, n_features=6)], EEGNet(6, 250, 2)),
}


def branch(name: str = "eegnet", **options: Any) -> NetworkBranch:
    return NetworkBranch(nn.Identity(), NETWORKS[name](), **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_branch_is_its_network_in_parts(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    x = torch.randn(4, 3, 250)
    whole = network(x)
    part = NetworkBranch(nn.Identity(), network).eval()
    maps = part(x)
    torch.testing.assert_close(part.head(part.vector(maps)), whole, atol=0, rtol=0)
    assert len(maps) >= 1 and all(m.ndim >= 3 and len(m) == 4 for m in maps)


@pytest.mark.parametrize("fuse", FUSERS)
def test_features_reach_their_branch_and_no_other(fuse: str) -> None:
    torch.manual_seed(0)
    shapes = [(5,), (4, 1, 2)]
    branches = [VectorBranch(shapes[0], 2), branch(), BandBranch(shapes[1], 2)]
    network = FusedNetwork(branches, **SHAPE, fuse=fuse, shapes=shapes).eval()
    rng = np.random.default_rng(0)
    features = [rng.standard_normal((6, *shape)).astype(np.float32) for shape in shapes]
    signals = torch.randn(6, 3, 250)
    seen: dict[int, Tensor] = {}
    for i, part in enumerate(branches):
        part.register_forward_hook(lambda _, x, __, i=i: seen.__setitem__(i, x[0]))
    told = network(torch.cat([signals, torch.from_numpy(packed(features, 3))], 2))
    assert told.shape == (6, 2)
    torch.testing.assert_close(seen[0], torch.from_numpy(features[0]), atol=0, rtol=0)
    torch.testing.assert_close(seen[1], signals, atol=0, rtol=0)
    torch.testing.assert_close(seen[2], torch.from_numpy(features[1]), atol=0, rtol=0)


@pytest.mark.parametrize("fuse", FUSERS)
def test_heads_of_branches_are_for_training_only(fuse: str) -> None:
    torch.manual_seed(0)
    branches = [branch("snn"), branch("efficientvit")]
    network = FusedNetwork(branches, **SHAPE, fuse=fuse, auxiliary=0.3)
    x = torch.randn(5, 3, 250)
    told = network(x)
    assert isinstance(told, Judged) and told.weight == 0.3
    assert [logits.shape for logits in (told.logits, *told.others)] == [(5, 2)] * 3
    alone = network.eval()(x)
    n_learned = sum(p.numel() for p in network.parameters())
    network.drop_auxiliary()
    torch.testing.assert_close(network(x), alone, atol=0, rtol=0)
    assert sum(p.numel() for p in network.parameters()) < n_learned
    assert isinstance(network.train()(x), Tensor)


def test_a_frozen_branch_does_not_change() -> None:
    torch.manual_seed(0)
    frozen = branch(frozen=True)
    network = FusedNetwork([frozen, branch("snn")], **SHAPE).train()
    x = torch.randn(16, 3, 250)
    before = [m.clone() for m in frozen(x)]
    network(x).square().sum().backward()
    assert not any(p.grad is not None for p in frozen.network.parameters())
    assert all(p.grad is not None for p in network.head.parameters())
    for was, now in zip(before, frozen(x), strict=True):  # no dropout, no statistics moved on
        torch.testing.assert_close(now, was, atol=0, rtol=0)


def test_building_it_moves_no_statistics() -> None:
    part = branch()
    FusedNetwork([part, branch("snn")], **SHAPE)
    norms = [m for m in part.modules() if isinstance(m, nn.BatchNorm1d)]
    assert norms and all(norm.num_batches_tracked == 0 for norm in norms)


def test_series_is_one_after_the_other_and_freezes_its_front() -> None:
    torch.manual_seed(0)
    front, network = SpikingFront(3, sfreq=125.0, n_features=6), EEGNet(6, 250, 2)
    series = Series([front], network, frozen=True).eval()
    x = torch.randn(4, 3, 250)
    torch.testing.assert_close(series(x), network(front(x)), atol=0, rtol=0)
    series.train()(x).sum().backward()
    assert not front.training and network.training
    assert all(p.grad is None for p in front.parameters())
    assert all(p.grad is not None for p in network.head.parameters())


def test_macs_are_those_of_the_parts() -> None:
    x = torch.zeros(1, 3, 250)
    parts = [branch("eegnet"), branch("shallow")]
    network = FusedNetwork(parts, **SHAPE)
    bodies = sum(count(NETWORKS[n](), x) for n in ("eegnet", "shallow"))
    n_seen = network.fuser.n_features
    assert count(network, x) == bodies  # the heads' products are the fused head's
    assert network.head.in_features == n_seen


def test_bands_are_no_stretches_of_time() -> None:
    parts = [branch(), BandBranch((9, 1, 4), 2)]
    network = FusedNetwork(parts, **SHAPE, fuse="multiscale", shapes=[(9, 1, 4)])
    grids = network.grids(network.maps(torch.zeros(2, 3, 250), [torch.zeros(2, 9, 1, 4)]))
    assert [x.shape[2:] for x in grids[0]] == [(1, 62), (1, 7)]
    assert [x.shape[2:] for x in grids[1]] == [(9, 1), (9, 1)]


@pytest.mark.parametrize(
    ("make", "fragment"),
    [
        (lambda: NetworkBranch(nn.Identity(), nn.Linear(3, 2)), "gives no feature maps"),
        (lambda: BandBranch((9, 4), 2), "no map of bands"),
        (lambda: FusedNetwork([branch(), branch()], **SHAPE, fuse="concatt"), "did you mean"),
        (lambda: FusedNetwork([branch(), branch()], **SHAPE, auxiliary=-1), "0 or more"),
    ],
)
def test_says_what_is_wrong(make: Any, fragment: str) -> None:
    with pytest.raises(ValueError, match=fragment):
        make()
