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
    "b0": 3_410_008,  # published as 3.41, 9.10, 24.33 and 48.65 million
    "b1": 9_102_024,
    "b2": 24_330_712,
    "b3": 48_646_056,
    "s0": 3_600_256,  # published as 3.60, 6.19, 12.71 and 26.32 million
    "s1": 6_185_560,
    "s2": 12_710_112,
    "l": 26_322_288,
}
# published multiplications with additions for 224 x 224, and to which share of them they hold
MACS = {
    "m0": (79e6, 0.01),
    "m1": (167e6, 0.01),
    "m2": (201e6, 0.01),
    "m3": (263e6, 0.01),
    "m4": (299e6, 0.01),
    "m5": (522e6, 0.01),
    "b0": (0.10e9, 0.015),
    "b1": (0.52e9, 0.015),
    "b2": (1.6e9, 0.015),
    "b3": (4.0e9, 0.015),
    "s0": (0.40e9, 0.012),
    "s1": (0.65e9, 0.012),
    "s2": (1.25e9, 0.012),
    "l": (2.56e9, 0.012),
}
EEG_PARAMETERS = {"eeg_xs": 10_000, "eeg_s": 60_000, "eeg_m": 300_000}


def test_all_fourteen_are_there() -> None:
    assert list(IMAGE) == list(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_image_networks_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        network, x = image_model(name).eval(), torch.empty(1, 3, 224, 224)
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert network(x).shape == (1, 1000)
    macs, share = MACS[name]
    assert counter.get_total_flops() / 2 == pytest.approx(macs, rel=share)


def test_unknown_image_model() -> None:
    with pytest.raises(ValueError, match="no image preset: there are m0, m1"):
        image_model("m9")


@pytest.mark.parametrize("family", EEG)
@pytest.mark.parametrize("preset", EEG_PARAMETERS)
def test_eeg_parameters(family: str, preset: str) -> None:
    network = EfficientViT(22, 1000, 4, sfreq=250.0, family=family, preset=preset, layout="conv")
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(EEG_PARAMETERS[preset], rel=0.15)
    assert network.eval()(torch.randn(1, 22, 1000)).shape == (1, 4)
