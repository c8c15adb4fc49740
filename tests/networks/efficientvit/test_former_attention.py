"""The attentions of EfficientFormerV2 are what a plain reading of their formulas gives.

The plain reading here takes one trial, one head, one query and one key at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor

from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias

State = dict[str, Tensor]

N_HEADS, KEY_DIM, VALUE_DIM, REACH = 2, 3, 5, (3, 4)
HEADS = {"n_heads": N_HEADS, "key_dim": KEY_DIM, "value_dim": VALUE_DIM, "reach": REACH}
SHAPES = [(1, 1), (1, 9), (6, 1), (4, 6), (5, 7), (3, 2)]


def conv_norm(state: State, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    weight, bias = state[f"{name}.conv.weight"], state[f"{name}.conv.bias"]
    x = F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, 1, groups)
    mean, variance = state[f"{name}.norm.running_mean"], state[f"{name}.norm.running_var"]
    x = (x - mean.view(-1, 1, 1)) / (variance.view(-1, 1, 1) + 1e-5).sqrt()
    return x * state[f"{name}.norm.weight"].view(-1, 1, 1) + state[f"{name}.norm.bias"].view(
        -1, 1, 1
    )


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def score(query: Tensor, key: Tensor, table: Tensor, n_rows: int, n_columns: int) -> Tensor:
    far_row, far_column = table.shape[0] - 1, table.shape[1] - 1
    bias = table[min(n_rows, far_row), min(n_columns, far_column)]
    return (query * key).sum() / math.sqrt(len(query)) + bias


def attend(
    state: State, trial: int, query: Tensor, key: Tensor, value: Tensor, stride: int, n_heads: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Scores of each head (queries, keys) and values of each head (keys, dim)."""
    rows, columns = key.shape[2:]
    places = [(r, c) for r in range(rows) for c in range(columns)]
    asking = [(r, c) for r in range(query.shape[2]) for c in range(query.shape[3])]
    scores, values = [], []
    for head in range(n_heads):
        q = query[trial].chunk(n_heads)[head]
        k = key[trial].chunk(n_heads)[head]
        v = value[trial].chunk(n_heads)[head]
        table = state["bias.table"].view(n_heads, *REACH)[head]
        lines = []
        for a, b in asking:
            line = [
                score(q[:, a, b], k[:, r, c], table, abs(stride * a - r), abs(stride * b - c))
                for r, c in places
            ]
            lines.append(torch.stack(line))
        scores.append(torch.stack(lines))
        values.append(torch.stack([v[:, r, c] for r, c in places]))
    return scores, values


def softmax(line: Tensor) -> Tensor:
    powers = [(score - line.max().detach()).exp() for score in line]
    return torch.stack(powers) / sum(powers)


def back_on_map(heads: list[Tensor], rows: int, columns: int) -> Tensor:
    """Put the tokens of each head (queries, dim) back where they were."""
    planes = [head[:, d].view(rows, columns) for head in heads for d in range(head.shape[1])]
    return torch.stack(planes)


def twice_as_fine(x: Tensor) -> Tensor:
    """Interpolate between the two nearest points in each direction, edges held."""
    for axis in (2, 3):
        n = x.shape[axis]
        points = []
        for i in range(2 * n):
            place = min(max((i + 0.5) / 2 - 0.5, 0), n - 1)
            below = int(place)
            above = min(below + 1, n - 1)
            low, high = x.select(axis, below), x.select(axis, above)
            points.append(low + (place - below) * (high - low))
        x = torch.stack(points, axis)
    return x


def plain_attention(state: State, x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Talking heads: the output, and the mean attention that each position receives."""
    rows, columns = x.shape[2:]
    if stride > 1:
        x = conv_norm(state, "reduce", x, stride, x.shape[1])
    query, key, value = (conv_norm(state, name, x) for name in ("query", "key", "value"))
    local = conv_norm(state, "local", value, groups=value.shape[1])
    n_heads = N_HEADS
    outputs, received = [], []
    for trial in range(len(x)):
        scores, values = attend(state, trial, query, key, value, 1, n_heads)
        weights = []
        for head in range(n_heads):
            talk = state["talk_before.weight"][head]
            mixed = sum(talk[i] * scores[i] for i in range(n_heads))
            mixed = mixed + state["talk_before.bias"][head]
            weights.append(torch.stack([softmax(line) for line in mixed]))
        heads = []
        for head in range(n_heads):
            talk = state["talk_after.weight"][head]
            mixed = sum(talk[i] * weights[i] for i in range(n_heads))
            mixed = mixed + state["talk_after.bias"][head]
            heads.append(torch.stack([sum(map(torch.mul, line, values[head])) for line in mixed]))
        outputs.append(back_on_map(heads, *x.shape[2:]))
        received.append(torch.stack([w.mean(0).view(x.shape[2:]) for w in weights]))
    y = torch.stack(outputs) + local
    if stride > 1:
        y = twice_as_fine(y)[:, :, :rows, :columns]
    return conv_norm(state, "project", gelu(y)), torch.stack(received)


def plain_downsampling(state: State, x: Tensor) -> tuple[Tensor, Tensor]:
    weight, bias = state["query_local.weight"], state["query_local.bias"]
    coarse = F.conv2d(x, weight, bias, 2, 1, 1, x.shape[1])
    picked = torch.stack([x[:, :, r] for r in range(0, x.shape[2], 2)], 2)
    picked = torch.stack([picked[..., c] for c in range(0, x.shape[3], 2)], 3)
    query = conv_norm(state, "query", coarse + picked)
    key, value = conv_norm(state, "key", x), conv_norm(state, "value", x)
    local = conv_norm(state, "local", value, 2, value.shape[1])
    n_heads = N_HEADS
    outputs, received = [], []
    for trial in range(len(x)):
        scores, values = attend(state, trial, query, key, value, 2, n_heads)
        weights = [torch.stack([softmax(line) for line in lines]) for lines in scores]
        heads = [
            torch.stack([sum(map(torch.mul, line, values[head])) for line in weights[head]])
            for head in range(n_heads)
        ]
        outputs.append(back_on_map(heads, *query.shape[2:]))
        received.append(torch.stack([w.mean(0).view(x.shape[2:]) for w in weights]))
    y = conv_norm(state, "project", gelu(torch.stack(outputs) + local))
    return conv_norm(state, "conv", x, 2) + y, torch.stack(received)


def compare(
    network: TalkingAttention | DualPathDownsampling,
    shape: tuple[int, int],
    plain: Callable[[State, Tensor], tuple[Tensor, Tensor]],
) -> None:
    """Hold outputs, recorded attention and all gradients against the plain reading."""
    randomise(network.double().eval())
    network.record = True
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 4, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
    wanted, received = plain({**network.state_dict(keep_vars=True)}, x)
    found = network(x)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(network.recorded, received.detach())
    torch.testing.assert_close(received.sum((2, 3)), torch.ones(2, N_HEADS).double())
    weights = torch.randn(found.shape, generator=generator, dtype=torch.float64)
    inputs = [x, *network.parameters()]
    pairs = zip(
        torch.autograd.grad((found * weights).sum(), inputs),
        torch.autograd.grad((wanted * weights).sum(), inputs),
        strict=True,
    )
    for gradient, plain_gradient in pairs:
        torch.testing.assert_close(gradient, plain_gradient, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_attention_is_the_plain_one(shape: tuple[int, int], stride: int) -> None:
    network = TalkingAttention(4, stride=stride, **HEADS)
    compare(network, shape, lambda state, x: plain_attention(state, x, stride))


@pytest.mark.parametrize("shape", SHAPES)
def test_dual_path_downsampling_is_the_plain_one(shape: tuple[int, int]) -> None:
    network = DualPathDownsampling(4, 6, **HEADS)
    compare(network, shape, plain_downsampling)


def test_far_offsets_share_the_last_bias() -> None:
    layer = OffsetBias(1, (2, 3))
    layer.table.data.copy_(torch.arange(6.0))
    bias = layer(rows=4, columns=5).view(4, 5, 4, 5)
    assert bias[0, 0, 0, 1] == 1 and bias[0, 1, 0, 0] == 1 and bias[1, 0, 0, 0] == 3
    assert bias[0, 0, 3, 4] == 5 and bias[3, 0, 0, 1] == 4
    assert torch.equal(bias, bias.permute(2, 3, 0, 1))
