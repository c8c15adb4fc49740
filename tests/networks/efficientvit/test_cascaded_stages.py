"""Stages around cascaded group attention: options, folding, states, limits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.families.cascaded import CascadedStages
from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.fold import fold

Size = tuple[int, int]


SMALL: dict[str, Any] = {
    "widths": (8, 12),
    "depths": (1, 2),
    "heads": (2, 3),
    "kernels": (5, (1, 3), 3),
    "window": (3, 4),
    "key_dim": 3,
}
ABLATIONS: list[dict[str, Any]] = [
    {},
    {"cascade": False},
    {"sandwich": False},
    {"interaction": False},
    {"sandwich": False, "interaction": False},
    {"key_dim": None},
    {"ffn_ratio": 4},
    {"attention": "plain"},
    {"window": ((2, 8), (3, 3))},
]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def small(**changes: Any) -> CascadedStages:
    return CascadedStages(**SMALL | changes)


def sized(network: nn.Module, size: Size, n: int = 2, planes: int = 12) -> Tensor:
    return torch.randn(n, planes, *size, dtype=next(network.parameters()).dtype)


# --- the definition, position by position ---------------------------------------------------


def difference(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return float(((a - b).abs().max() / b.abs().max().clamp(min=1.0)).detach())


def is_attention(module: nn.Module) -> bool:
    return isinstance(module, (CascadedAttention, PlainAttention))


def test_options_are_what_they_say() -> None:
    block = small().stages[0]
    attention = next(m for m in block.modules() if is_attention(m))
    assert attention.qkv[0].conv.weight.shape == (3 + 3 + 4, 4, 1, 1)
    assert [q.conv.kernel_size for q in attention.query] == [(5, 5), (1, 3)]
    wide = small(key_dim=None, widths=(20, 30), ffn_ratio=1.5)
    attention = next(m for m in wide.modules() if is_attention(m))
    assert attention.qkv[0].conv.weight.shape == (30, 10, 1, 1)
    hidden = {m.conv.out_channels for m in wide.stages[0].modules() if isinstance(m, ConvNorm)}
    assert 30 in hidden and 40 not in hidden
    kinds = {type(m) for m in small(attention="plain").modules()}
    assert PlainAttention in kinds and CascadedAttention not in kinds
    tables = [m.table.numel() for m in small(window=((2, 8), (3, 3))).modules() if is_bias(m)]
    assert tables == [2 * 16, 3 * 9, 3 * 9]


def is_bias(module: nn.Module) -> bool:
    return isinstance(module, OffsetBias)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": (2, 5)}, "12 planes cannot be shared evenly by 5 heads"),
        ({"heads": (2, 4)}, "4 heads need as many kernels, not 3"),
        ({"depths": (1,)}, "there are 2 stages in widths"),
        ({"attention": "linear"}, "must be 'cascaded' or 'plain'"),
        ({"window": ((3, 3),)}, "rows, columns"),
        ({"window": (0, 7)}, "rows, columns"),
        ({"drop_path": 1.0}, "must be in"),
    ],
)
def test_wrong_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)


@pytest.mark.parametrize("changes", ABLATIONS, ids=str)
def test_a_network_starts_as_nothing_but_its_merging(changes: dict[str, Any]) -> None:
    network = small(**changes)
    x = sized(network, (4, 5), planes=8)
    torch.testing.assert_close(network(x)[0], x)


@pytest.mark.parametrize("size", [(11, 32), (1, 125), (3, 63), (22, 63), (5, 1)])
@pytest.mark.parametrize("changes", [{}, {"attention": "plain"}], ids=str)
def test_folded(size: Size, changes: dict[str, Any]) -> None:
    network = CascadedStages(
        widths=(16, 24), depths=(1, 1), heads=(2, 2), kernels=(5, 3), **changes
    )
    randomise(network).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):  # of a size that training would leave
            nn.init.uniform_(norm.weight, 0.2, 0.6)
    folded = fold(network)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    for n in (1, 3):
        x = sized(network, size, n=n, planes=16)
        for a, b in zip(folded(x), network(x), strict=True):
            assert difference(a, b) <= 1e-5


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("changes", ABLATIONS, ids=str)
def test_constant_input(changes: dict[str, Any], value: float) -> None:
    network = small(**changes)
    randomise(network)
    x = torch.full((2, 8, 5, 9), value, requires_grad=True)
    out = network(x)
    sum(y.square().sum() for y in out).backward()
    assert all(y.isfinite().all() for y in out)
    for p in (x, *network.parameters()):
        assert p.grad is not None and p.grad.isfinite().all()


@pytest.mark.parametrize("attention", ["cascaded", "plain"])
def test_what_is_recorded(attention: str) -> None:
    network = randomise(small(attention=attention)).eval()
    layers = [m for m in network.modules() if is_attention(m)]
    x = sized(network, (5, 9), planes=8)
    network(x)
    assert not any(hasattr(layer, "recorded") for layer in layers)
    for layer in layers:
        layer.record = True
    network(x.requires_grad_())
    shapes = [tuple(layer.recorded.shape) for layer in layers]
    assert shapes == [(2, 2, 5, 9), (2, 3, 3, 5), (2, 3, 3, 5)]
    n_windows = [2 * 3, 1 * 2, 1 * 2]
    for layer, count in zip(layers, n_windows, strict=True):
        assert not layer.recorded.requires_grad
        total = layer.recorded.sum((2, 3))  # each window shares out 1
        torch.testing.assert_close(total, torch.full_like(total, count))


def test_drop_path() -> None:
    network = small(depths=(2, 2), drop_path=0.8)
    randomise(network)
    rates = [m.probability for m in network.modules() if type(m).__name__ == "DropPath"]
    assert rates == pytest.approx([0.2] * 5 + [0.4] * 5 + [0.4] * 4 + [0.6] * 5 + [0.8] * 5)
    drop = small(depths=(1, 1), drop_path=0.5).stages[1][-1].interaction.inner[1]
    out = drop(torch.ones(4000, 3, 1, 1))
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert abs(out.mean() - 1.0) < 0.1
    assert torch.equal(out[:, 0], out[:, 2])
    x = sized(network, (5, 9), planes=8)
    assert not torch.equal(network(x)[-1], network(x)[-1])
    network.eval()
    assert torch.equal(network(x)[-1], network(x)[-1])
    still = small(depths=(2, 2)).eval()
    still.load_state_dict(network.state_dict())
    assert torch.equal(network(x)[-1], still(x)[-1])


def test_bias_tables_do_not_decay() -> None:
    assert all(m.table.ndim == 1 for m in small().modules() if is_bias(m))


@pytest.mark.parametrize("attention", ["cascaded", "plain"])
def test_exports_and_compiles(attention: str) -> None:
    network = randomise(small(attention=attention, depths=(0, 1))).eval()
    x = sized(network, (5, 9), planes=8)
    expected = network(x)
    exported = torch.export.export(network, (x,)).module()
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    for form in (exported, compiled):
        for a, b in zip(form(x), expected, strict=True):
            torch.testing.assert_close(a, b)
