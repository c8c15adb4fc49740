"""Hemispheres that share their weights: a mirrored head gives the mirrored map."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.hemispheres import SharedScalpMap
from eegvit.networks.efficientvit.maps.scalp import angles, directions_of
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.twin import TwinEfficientViT
from eegvit.networks.fold import fold
from eegvit.preprocess.reflection import opposite
from eegvit.train.run import parameter_groups

ROWS = {"F": "z", "FC": "31z24", "C": "531z246", "CP": "31z24", "P": "1z2", "PO": "z"}
GRAZ = tuple(row + place for row, places in ROWS.items() for place in places)
MONTAGES = {
    "two": ("C3", "C4"),
    "three": ("C3", "Cz", "C4"),
    "no midline": ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"),
    "22": GRAZ,
    "64": tuple(mne.channels.make_standard_montage("biosemi64").ch_names),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "three stages, all seen": {"preset": "eeg_s", "multi_scale": True},
    "plain attention": {"settings": {"attention": "plain"}},
    "sandwich": {"settings": {"sandwich": True, "cascade": False}},
}


def signals(n: int, n_channels: int, n_times: int, seed: int = 0) -> Tensor:
    """Return noise."""
    return torch.randn(
        n, n_channels, n_times, generator=torch.Generator().manual_seed(seed)
    ).double()


def make(names: tuple[str, ...], *, n_times: int = 250, **given: Any) -> EfficientViT:
    """Return a network whose hemispheres share their weights, all drawn at random."""
    shared: dict[str, Any] = {"hemispheres": "shared"} | given
    network = EfficientViT(len(names), n_times, 3, sfreq=125.0, ch_names=names, **shared)
    return randomise(network.double()).eval()


def mirrored(x: Tensor, names: tuple[str, ...]) -> Tensor:
    """Return trials with each electrode exchanged for the one on the other side, by its name."""
    return x[:, list(opposite(names, "a test"))]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("montage", MONTAGES)
def test_a_mirrored_trial_gives_the_mirrored_map(montage: str, setting: str) -> None:
    names = MONTAGES[montage]
    network = make(names, **SETTINGS[setting])
    x = signals(3, len(names), 250)
    halves = network.layout.halves
    assert halves.n_rows == len(network.layout.places) <= 6 and halves.n_pairs > 0
    with torch.no_grad():
        maps, images = (network.forward_features(each) for each in (x, mirrored(x, names)))
    for one, image in zip(maps, images, strict=True):
        size = one.abs().max()
        assert (halves.mirrored(image, 2) - one).abs().max() < 1e-5 * size
        assert (image - one).abs().max() > 1e-2 * size, "left and right are the same"
        assert one.std(2).min() > 0, "places are the same"
    for sums, one, image in zip(network.rows, maps[-len(network.rows) :], images, strict=False):
        seen, turned = (sums(each).unflatten(1, (-1, 2)) for each in (one, image))
        sign = torch.tensor([1.0, -1.0])[:, None, None]
        assert (turned * sign - seen).abs().max() < 1e-5 * seen.abs().max()


def test_apart_a_mirrored_trial_gives_another_map() -> None:
    network = make(GRAZ, hemispheres="apart")
    x = signals(3, 22, 250)
    one, image = (network.forward_features(each)[-1] for each in (x, mirrored(x, GRAZ)))
    assert all((image[:, :, row] - one[:, :, 0]).abs().max() > 0.1 for row in range(6))


def test_places_are_pairs_of_electrodes_far_apart() -> None:
    for names in MONTAGES.values():
        layout = SharedScalpMap(len(names), 250, 8, sfreq=125.0, ch_names=names)
        assert layout.places is not None
        pairs, middle = layout.halves.n_pairs, layout.halves.n_middle
        left, right = layout.places[:pairs], layout.places[pairs + middle :]
        np.testing.assert_allclose(left * [-1, 1, 1], right)
        assert (left[:, 0] < 0).all() and (layout.places[pairs : pairs + middle, 0] == 0).all()
        near = angles(layout.places, directions_of(names, ""))
        assert near.min(axis=1).max() < 0.1, "a place is not at an electrode"
        assert layout.n_rows == min(6, len(names))
        if len(names) == 64:
            apart = angles(layout.places, layout.places) + 9 * np.eye(6)
            assert apart.min() > 0.6, "places lie together"


def test_fewer_numbers_are_learned_and_each_counts() -> None:
    sizes = {}
    for hemispheres in ("apart", "shared"):
        network = make(GRAZ, hemispheres=hemispheres)
        sizes[hemispheres] = {
            name: sum(p.numel() for p in part.parameters())
            for name, part in (("layout", network.layout), ("rows", network.rows))
        }
    assert sizes["shared"]["layout"] < 0.8 * sizes["apart"]["layout"]
    assert sizes["shared"]["rows"] < sizes["apart"]["rows"]
    network = make(GRAZ).train()
    x = signals(8, 22, 250).requires_grad_()
    F.cross_entropy(network(x), torch.arange(8) % 3).backward()
    assert x.grad is not None and (x.grad.abs().sum((0, 2)) > 0).all(), "an electrode is not seen"
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name
    free = {id(p) for p in parameter_groups(network, 0.1)[1]["params"]}
    assert {name for name, p in network.named_parameters() if id(p) in free} >= {"layout.place"}


def test_statistics_are_those_of_both_sides() -> None:
    names = MONTAGES["three"]
    network = make(names).train()
    x = signals(16, 3, 250)
    x[:, 0] *= 3  # the left is stronger
    other = make(names).train()
    with torch.no_grad():
        first, second = network(x), other(mirrored(x, names))
    assert not torch.allclose(first, second, atol=1e-3)
    for (name, one), two in zip(network.named_buffers(), other.buffers(), strict=True):
        if name.startswith("layout") and "running" in name:
            torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
    apart = make(names, hemispheres="apart").train()
    norm = apart.layout.norm
    before = norm.running_mean.clone(), norm.running_var.clone()
    with torch.no_grad():
        apart(x)
    assert not torch.equal(before[1], norm.running_var)


@pytest.mark.parametrize("montage", ["three", "22"])
def test_folded_is_unfolded(montage: str) -> None:
    names = MONTAGES[montage]
    network, x = make(names, multi_scale=True, preset="eeg_xs"), signals(4, len(names), 250)
    folded = fold(network)
    logits = network(x)
    assert (folded(x) - logits).abs().max() < 1e-5 * logits.abs().max()
    assert not [m for m in folded.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    again = fold(make(names, multi_scale=True, preset="eeg_xs", hemispheres="apart"))
    assert folded.state_dict().keys() == again.state_dict().keys(), "something stays unfolded"


def test_channels_may_be_listed_in_any_order() -> None:
    order = torch.randperm(22, generator=torch.Generator().manual_seed(3))
    shuffled = tuple(GRAZ[i] for i in order)
    x = signals(2, 22, 250)
    expected = make(GRAZ)(x)
    torch.testing.assert_close(make(shuffled)(x[:, order]), expected, atol=1e-4, rtol=1e-4)
    assert (make(shuffled)(x) - expected).abs().max() > 1e-2


def test_of_both_networks_it_is_the_one_on_the_scalp() -> None:
    twin = TwinEfficientViT(22, 250, 2, sfreq=125.0, ch_names=GRAZ, hemispheres="shared")
    conv, scalp = twin.streams
    assert isinstance(scalp.layout, SharedScalpMap) and not hasattr(conv.layout, "halves")


@pytest.mark.parametrize(
    ("names", "given", "said"),
    [
        (("C3", "Cz", "FC2"), {}, r"every channel .* C3 \(C4\), FC2 \(FC1\)"),
        (("C3", "EEG1", "C4"), {}, "hemispheres 'shared': EEG1: not in the 10-05 system"),
        (None, {}, "hemispheres 'shared' needs the names of the channels"),
        (("Fz", "Cz", "Pz"), {}, "of Fz, Cz, Pz none is left or right"),
        (MONTAGES["three"], {"layout": "conv"}, "which layout 'conv' has not"),
        (MONTAGES["three"], {"layout": "grid"}, "which layout 'grid' has not"),
        (MONTAGES["three"], {"family": "former"}, "needs the family 'cascaded': to 'former'"),
        (MONTAGES["three"], {"hemispheres": "share"}, "did you mean 'shared'"),
    ],
)
def test_what_cannot_be_mirrored_is_refused(names: Any, given: dict[str, Any], said: str) -> None:
    settings = {"hemispheres": "shared"} | given
    with pytest.raises(ValueError, match=said):
        EfficientViT(3, 250, 2, sfreq=125.0, ch_names=names, **settings)
