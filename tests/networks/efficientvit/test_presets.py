"""Presets on images are the published networks; presets on EEG have the sizes they promise."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.presets import EEG, IMAGE, image_model

PARAMETERS = {
    "m0": 2_349_436,
    "m1": 2_980_560,
    "m2": 4_187_554,
    "m3": 6_900_722,
    "m4": 8_804_228,
    "m5": 12_473_772,
}
MILLIONS = {
    "b0": 3.41,
    "b1": 9.10,
    "b2": 24.33,
    "b3": 48.65,
    "s0": 3.60,
    "s1": 6.19,
    "s2": 12.71,
    "l": 26.32,
}
MACS = {"m0": 79e6, "m1": 167e6, "m2": 201e6, "m3": 263e6, "m4": 299e6, "m5": 522e6}
EEG_PARAMETERS = {"eeg_xs": 10_000, "eeg_s": 60_000, "eeg_m": 300_000}


def test_all_fourteen_are_there() -> None:
    assert list(IMAGE) == [*PARAMETERS, *MILLIONS]


@pytest.mark.parametrize("name", IMAGE)
def test_image_parameters(name: str) -> None:
    with torch.device("meta"):
        network = image_model(name)
    count = sum(p.numel() for p in network.parameters())
    if name in PARAMETERS:
        assert count == PARAMETERS[name]
    else:
        assert round(count / 1e6, 2) == MILLIONS[name]


@pytest.mark.parametrize("name", MACS)
def test_image_macs(name: str) -> None:
    with torch.device("meta"):
        network, x = image_model(name).eval(), torch.empty(1, 3, 224, 224)
    with FlopCounterMode(display=False) as counter:
        assert network(x).shape == (1, 1000)
    assert counter.get_total_flops() / 2 == pytest.approx(MACS[name], rel=0.01)


def test_unknown_image_model() -> None:
    with pytest.raises(ValueError, match="no image preset: there are m0, m1"):
        image_model("m9")


@pytest.mark.parametrize("family", EEG)
@pytest.mark.parametrize("preset", EEG_PARAMETERS)
def test_eeg_parameters(family: str, preset: str) -> None:
    network = EfficientViT(22, 1000, 4, sfreq=250.0, family=family, preset=preset)
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(EEG_PARAMETERS[preset], rel=0.15)
    assert network.eval()(torch.randn(1, 22, 1000)).shape == (1, 4)
