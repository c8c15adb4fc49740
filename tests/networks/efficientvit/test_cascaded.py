"""Cascaded group attention is what a plain loop over its definition gives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, SqueezeExcite
from eegvit.networks.efficientvit.families.cascaded import CascadedStages
from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.efficientvit.families.windows import Windows

State = dict[str, Tensor]
Size = tuple[int, int]

SIZES = [(1, 1), (1, 9), (8, 1), (4, 4), (5, 7), (9, 4)]
KERNELS = (5, (1, 3), 3)

SMALL: dict[str, Any] = {
    "widths": (8, 12),
    "depths": (1, 2),
    "heads": (2, 3),
    "kernels": KERNELS,
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


def plain_norm(state: State, name: str, vector: Tensor) -> Tensor:
    scale = state[f"{name}.norm.weight"] / (state[f"{name}.norm.running_var"] + 1e-5).sqrt()
    return (vector - state[f"{name}.norm.running_mean"]) * scale + state[f"{name}.norm.bias"]


def plain_pointwise(state: State, name: str, x: Tensor) -> Tensor:
    """A 1 x 1 convolution and batch norm, for one trial (planes, rows, columns)."""
    out = torch.zeros(len(state[f"{name}.norm.bias"]), *x.shape[1:], dtype=x.dtype)
    for r, c in itertools.product(*map(range, x.shape[1:])):
        weight = state[f"{name}.conv.weight"][:, :, 0, 0]
        out[:, r, c] = plain_norm(state, name, (weight * x[:, r, c]).sum(1))
    return out


def plain_windows(size: Size, largest: Size) -> Iterator[list[Size]]:
    """The positions of each window."""
    axes = []
    for length, most in zip(size, largest, strict=True):
        n_windows = math.ceil(length / most)
        step = math.ceil(length / n_windows)
        axes.append([range(i, min(i + step, length)) for i in range(0, length, step)])
    for rows, columns in itertools.product(*axes):
        yield list(itertools.product(rows, columns))


def plain_query(state: State, name: str, q: Tensor, at: Size, window: list[Size]) -> Tensor:
    """A depthwise convolution that sees nothing outside its window, and batch norm."""
    weight = state[f"{name}.conv.weight"]  # (dim, 1, rows, columns)
    total = torch.zeros(len(q), dtype=q.dtype)
    for r, c in itertools.product(range(weight.shape[2]), range(weight.shape[3])):
        there = at[0] + r - weight.shape[2] // 2, at[1] + c - weight.shape[3] // 2
        if there in window:
            total = total + weight[:, 0, r, c] * q[:, *there]
    return plain_norm(state, name, total)


def plain_attend(
    q: dict[Size, Tensor], k: Tensor, v: Tensor, table: Tensor, window: list[Size]
) -> Iterator[tuple[Size, Tensor, Tensor]]:
    """Yield position, what it gets, and the weights of the positions of its window."""
    for here in window:
        scores = torch.stack(
            [
                (q[here] * k[:, *there]).sum() / math.sqrt(len(k))
                + table[abs(here[0] - there[0]), abs(here[1] - there[1])]
                for there in window
            ]
        )
        weights = scores.exp() / scores.exp().sum()
        values = [weight * v[:, *there] for weight, there in zip(weights, window, strict=True)]
        yield here, torch.stack(values).sum(0), weights


def plain_cascade(network: CascadedAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """Cascaded group attention in evaluation mode, and the attention received."""
    state = dict(network.named_parameters()) | dict(network.named_buffers())
    n_heads, dim = len(network.qkv), network.key_dims[0]
    tables = state["bias.table"].view(n_heads, *network.window)
    outputs, received = [], torch.zeros(len(x), n_heads, *x.shape[2:], dtype=x.dtype)
    for b, trial in enumerate(x):
        given: list[Tensor] = []
        for h, group in enumerate(trial.split(x.shape[1] // n_heads)):
            if h > 0 and network.cascade:
                group = group + given[-1]
            qkv = plain_pointwise(state, f"qkv.{h}", group)
            q, k, v = qkv[:dim], qkv[dim : 2 * dim], qkv[2 * dim :]
            y = torch.zeros_like(group)
            for window in plain_windows((x.shape[2], x.shape[3]), network.window):
                queries = {at: plain_query(state, f"query.{h}", q, at, window) for at in window}
                for here, out, weights in plain_attend(queries, k, v, tables[h], window):
                    y[:, *here] = out
                    for there, weight in zip(window, weights, strict=True):
                        received[b, h, *there] += weight.detach() / len(window)
            given.append(y)
        outputs.append(plain_pointwise(state, "project.1", torch.cat(given).clamp(min=0)))
    return torch.stack(outputs), received


def plain_heads(network: PlainAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """Multi-head attention in evaluation mode, and the attention received."""
    state = dict(network.named_parameters()) | dict(network.named_buffers())
    n_heads, dim = len(network.key_dims), network.key_dims[0]
    tables = state["bias.table"].view(n_heads, *network.window)
    outputs, received = [], torch.zeros(len(x), n_heads, *x.shape[2:], dtype=x.dtype)
    for b, trial in enumerate(x):
        given = []
        for h, qkv in enumerate(plain_pointwise(state, "qkv", trial).chunk(n_heads)):
            q, k, v = qkv[:dim], qkv[dim : 2 * dim], qkv[2 * dim :]
            y = torch.zeros_like(v)
            for window in plain_windows((x.shape[2], x.shape[3]), network.window):
                queries = {at: q[:, *at] for at in window}
                for here, out, weights in plain_attend(queries, k, v, tables[h], window):
                    y[:, *here] = out
                    for there, weight in zip(window, weights, strict=True):
                        received[b, h, *there] += weight.detach() / len(window)
            given.append(y)
        outputs.append(plain_pointwise(state, "project", torch.cat(given)))
    return torch.stack(outputs), received


def difference(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return float(((a - b).abs().max() / b.abs().max().clamp(min=1.0)).detach())


def compare(network: nn.Module, x: Tensor, expected: Tensor, out: Tensor) -> None:
    """Outputs, and gradients of everything."""
    assert difference(out, expected) < 1e-8
    weight = torch.randn_like(expected)
    leaves = [x, *network.parameters()]
    gradients, expected_gradients = (
        torch.autograd.grad((y * weight).sum(), leaves) for y in (out, expected)
    )
    for a, b in zip(gradients, expected_gradients, strict=True):
        assert difference(a, b) < 1e-6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("cascade", "key_dim", "window"), [(True, 3, (3, 4)), (True, None, (7, 7)), (False, 5, (4, 2))]
)
def test_cascaded_attention(size: Size, cascade: bool, key_dim: int | None, window: Size) -> None:
    network = CascadedAttention(
        12, 3, kernels=KERNELS, key_dim=key_dim, window=window, cascade=cascade
    )
    randomise(network.double()).eval()
    network.record = True
    x = sized(network, size).requires_grad_()
    expected, received = plain_cascade(network, x)
    compare(network, x, expected, network(x))
    torch.testing.assert_close(network.recorded, received)


@pytest.mark.parametrize("size", [(1, 9), (4, 4), (5, 7)])
@pytest.mark.parametrize(("key_dim", "window"), [(3, (3, 4)), (None, (7, 7))])
def test_plain_attention(size: Size, key_dim: int | None, window: Size) -> None:
    network = PlainAttention(12, 3, key_dim=key_dim, window=window)
    randomise(network.double()).eval()
    network.record = True
    x = sized(network, size).requires_grad_()
    expected, received = plain_heads(network, x)
    compare(network, x, expected, network(x))
    torch.testing.assert_close(network.recorded, received)


@pytest.mark.parametrize("size", [(14, 9), (4, 9), (1, 6)])
def test_cutting_the_map_before_the_heads_or_in_each(size: Size) -> None:
    network = randomise(CascadedAttention(12, 3, kernels=KERNELS, window=(7, 3)).double())
    x = sized(network, size, n=4)
    windows = Windows.cut(size, (7, 3))
    assert not windows.padded
    before = network(x)
    torch.testing.assert_close(network.project(network.heads(x, windows)[0]), before)


def test_window_of_what_is_left() -> None:
    assert Windows.cut((3, 8), (7, 7)) == Windows(3, 8, 1, 2, 3, 4)
    assert Windows.cut((14, 14), (7, 7)) == Windows(14, 14, 2, 2, 7, 7)
    for size in itertools.product(range(1, 20), range(1, 20)):
        for largest in [(7, 7), (1, 4), (3, 5)]:
            windows = Windows.cut(size, largest)
            assert windows.rows <= largest[0] and windows.columns <= largest[1]
            assert windows.inside(torch.device("cpu")).any(1).all()  # no window of padding alone


def test_bias_by_offset() -> None:
    bias = OffsetBias(3, (4, 5))
    nn.init.normal_(bias.table)
    table = bias.table.view(3, 4, 5)
    out = bias(3, 4)
    for i, j in itertools.product(range(12), range(12)):
        offset = abs(i // 4 - j // 4), abs(i % 4 - j % 4)
        assert torch.equal(out[:, i, j], table[:, *offset])


# --- stages ---------------------------------------------------------------------------------


def plain_stages(network: CascadedStages, x: Tensor, changes: dict[str, Any]) -> list[Tensor]:
    """The stages in evaluation mode; their attention is tested above."""
    inside = {m for a in network.modules() if is_attention(a) for m in list(a.modules())[1:]}
    layers = iter(
        m
        for m in network.modules()
        if (is_attention(m) or isinstance(m, (ConvNorm, SqueezeExcite))) and m not in inside
    )

    def convolve(x: Tensor, stride: int = 1) -> Tensor:
        layer = next(layers)
        conv, norm = layer.conv, layer.norm
        padding = conv.kernel_size[0] // 2
        x = F.conv2d(x, conv.weight, None, stride, padding, groups=conv.groups)
        x = (x - norm.running_mean[:, None, None]) / (norm.running_var + 1e-5).sqrt()[:, None, None]
        return x * norm.weight[:, None, None] + norm.bias[:, None, None]

    def interact(x: Tensor) -> Tensor:
        return x + convolve(x) if changes.get("interaction", True) else x

    def feed(x: Tensor) -> Tensor:
        return x + convolve(convolve(x).clamp(min=0))

    def merge(x: Tensor) -> Tensor:
        x = convolve(convolve(x).clamp(min=0), stride=2).clamp(min=0)
        excite = next(layers)
        gate = x.mean((2, 3))
        gate = (gate @ excite.squeeze.weight[:, :, 0, 0].T + excite.squeeze.bias).clamp(min=0)
        gate = gate @ excite.excite.weight[:, :, 0, 0].T + excite.excite.bias
        return convolve(x / (1 + (-gate).exp())[:, :, None, None])

    maps = []
    for stage, depth in enumerate(SMALL["depths"]):
        if stage > 0:
            x = feed(interact(merge(feed(interact(x)))))
        for _ in range(depth):
            x = interact(x)
            if changes.get("sandwich", True):
                x = feed(x)
            x = x + next(layers)(x)
            if changes.get("sandwich", True):
                x = interact(x)
            x = feed(x)
        maps.append(x)
    assert next(layers, None) is None
    return maps


def is_attention(module: nn.Module) -> bool:
    return isinstance(module, (CascadedAttention, PlainAttention))


@pytest.mark.parametrize("size", [(5, 9), (1, 12)])
@pytest.mark.parametrize("changes", ABLATIONS, ids=str)
def test_stages(changes: dict[str, Any], size: Size) -> None:
    network = small(**changes).double().eval()
    randomise(network)
    x = sized(network, size, planes=8).requires_grad_()
    out, expected = network(x), plain_stages(network, x, changes)
    assert [y.shape[1] for y in out] == list(network.widths) == [8, 12]
    assert [y.shape for y in out] == [y.shape for y in expected]
    compare(network, x, *(torch.cat([y.flatten() for y in maps]) for maps in (expected, out)))
