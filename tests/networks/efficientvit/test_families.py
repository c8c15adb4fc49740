"""What holds for the stages of every family."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from random_weights import randomise
from torch import nn

from eegvit.networks.efficientvit.blocks import Stages
from eegvit.networks.efficientvit.model import FAMILIES
from eegvit.networks.efficientvit.presets import EEG
from eegvit.networks.fold import fold
from eegvit.registry import lookup

WIDTHS = {"widths": (12, 24), "depths": (1, 2)}
SMALL: dict[str, dict[str, Any]] = {
    "cascaded": {"heads": (2, 3), "kernels": (5, (1, 3), 3), "window": (3, 4), "key_dim": 3},
    "linear": {"n_local": 1, "dim": 6, "kernel": (3, 5)},
    "former": {
        "expansions": (2, (3, 2)),
        "attention": (0, 1),
        "strides": (1, 2),
        "dual_path": (True,),
        "n_heads": 2,
        "key_dim": 4,
        "value_dim": 6,
        "reach": (3, 4),
        "layer_scale": 1.0,
    },
    "multiscale": {"heads": (1, 2), "cell": (2, 3)},
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def small(family: str) -> Stages:
    torch.manual_seed(0)
    stages = lookup(FAMILIES, family)(**WIDTHS, **SMALL[family])
    assert isinstance(stages, Stages)
    return stages


@pytest.mark.parametrize("shape", [(11, 32), (1, 125), (3, 63), (22, 63), (22, 1), (1, 1)])
@pytest.mark.parametrize("preset", ["eeg_xxs", "eeg_xs", "eeg_s", "eeg_m"])
def test_any_rectangle_is_halved(family: str, preset: str, shape: tuple[int, int]) -> None:
    stages = lookup(FAMILIES, family)(**EEG[family][preset]).eval()
    with torch.no_grad():
        maps = stages(torch.randn(1, stages.widths[0], *shape))
    rows, columns = shape
    for found, width in zip(maps, stages.widths, strict=True):
        assert found.shape == (1, width, rows, columns) and found.isfinite().all()
        rows, columns = (rows + 1) // 2, (columns + 1) // 2


def test_every_stage_takes_the_map_of_the_one_before(family: str) -> None:
    stages = randomise(small(family)).eval()
    x = torch.randn(2, 12, 9, 13)
    for found, stage in zip(stages(x), stages.stages, strict=True):
        x = stage(x)
        assert torch.equal(found, x)


def test_folding_and_state(family: str) -> None:
    stages, twin = (small(family).double().eval() for _ in range(2))
    randomise(stages)
    x = torch.randn(2, 12, 5, 9, dtype=torch.float64)
    folded = fold(stages)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert not torch.allclose(twin(x)[-1], stages(x)[-1])
    twin.load_state_dict(stages.state_dict())
    for network, tolerance in ((folded, 1e-12), (twin, 0)):
        for found, wanted in zip(network(x), stages(x), strict=True):
            assert (found - wanted).abs().max() <= tolerance * wanted.abs().max()


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
@pytest.mark.parametrize("training", [False, True])
def test_constant_input(family: str, value: float, training: bool) -> None:
    stages = small(family).train(training)
    x = torch.full((2, 12, 5, 9), value, requires_grad=True)
    maps = stages(x)
    sum(m.square().sum() for m in maps).backward()
    for tensor in (*maps, x.grad, *(p.grad for p in stages.parameters())):
        assert tensor is not None and tensor.isfinite().all()


def test_exports_and_compiles(family: str) -> None:
    stages, x = randomise(small(family)).eval(), torch.randn(2, 12, 5, 9)
    exported = torch.export.export(stages, (x,)).module()
    compiled = torch.compile(stages, backend="eager", fullgraph=True)
    for form in (exported, compiled):
        for found, wanted in zip(form(x), stages(x), strict=True):
            torch.testing.assert_close(found, wanted)
