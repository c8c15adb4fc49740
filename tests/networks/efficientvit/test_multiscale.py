"""Each of the three groups of heads is what loops over its definition give."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.families.multiscale import (
    CellHeads,
    MultiscaleAttention,
    MultiscaleStages,
    WindowHeads,
)

SHAPES = [(3, 9), (8, 5), (1, 13), (15, 1), (1, 1)]
MAPS = [(11, 32), (1, 125), (3, 63), (22, 63)]
SMALL = {"widths": (6, 12), "depths": (1, 2), "heads": (1, 2), "cell": (2, 3)}
Position = tuple[int, int]


def plain_windows(heads: WindowHeads, qkv: Tensor) -> tuple[Tensor, Tensor]:
    """What heads in windows give and record, query by query."""
    n, planes, rows, columns = qkv.shape
    side = [
        math.ceil(size / math.ceil(size / most))
        for size, most in zip((rows, columns), heads.window, strict=True)
    ]
    positions = list(itertools.product(range(rows), range(columns)))
    windows: dict[Position, list[Position]] = {}
    for r, c in positions:
        windows.setdefault((r // side[0], c // side[1]), []).append((r, c))
    table = heads.bias.table.reshape(heads.n_heads, *heads.window)

    def look(image: Tensor, head: int, query: Position) -> tuple[dict[Position, Tensor], float]:
        keys = windows[query[0] // side[0], query[1] // side[1]]
        bias = {p: table[head, abs(p[0] - query[0]), abs(p[1] - query[1])] for p in keys}
        return bias, 1 / len(keys)

    return plain_heads(qkv, qkv, heads.n_heads, look)


def plain_cells(heads: CellHeads, qkv: Tensor) -> tuple[Tensor, Tensor]:
    """What heads over cells give and record, query by query."""
    n, planes, rows, columns = qkv.shape
    cells: dict[Position, list[Position]] = {}
    for r, c in itertools.product(range(rows), range(columns)):
        cells.setdefault((r // heads.cell[0], c // heads.cell[1]), []).append((r, c))
    pooled = torch.zeros(
        n, planes, *(1 + max(p[i] for p in cells) for i in (0, 1)), dtype=qkv.dtype
    )
    for (i, j), members in cells.items():
        pooled[:, :, i, j] = sum(qkv[:, :, r, c] for r, c in members) / len(members)

    def look(image: Tensor, head: int, query: Position) -> tuple[dict[Position, float], float]:
        return dict.fromkeys(cells, 0.0), 1 / (rows * columns)

    out, received = plain_heads(qkv, pooled, heads.n_heads, look)
    spread = torch.zeros(n, heads.n_heads, rows, columns, dtype=qkv.dtype)
    for (i, j), members in cells.items():
        for r, c in members:
            spread[:, :, r, c] = received[:, :, i, j] / len(members)
    return out, spread


def plain_heads(
    asking: Tensor, asked: Tensor, n_heads: int, look: Callable
) -> tuple[Tensor, Tensor]:
    n, planes, rows, columns = asking.shape
    third = planes // 3
    dim = third // n_heads
    outputs = []
    received = torch.zeros(n, n_heads, *asked.shape[2:], dtype=asking.dtype)
    for sample, (image, other) in enumerate(zip(asking, asked, strict=True)):
        out = {}
        for head, r, c in itertools.product(range(n_heads), range(rows), range(columns)):
            begin = head * dim
            bias, share = look(image, head, (r, c))
            scores = {
                p: image[begin : begin + dim, r, c]
                @ other[third + begin : third + begin + dim, p[0], p[1]]
                / math.sqrt(dim)
                + bias[p]
                for p in bias
            }
            exponentials = {p: score.exp() for p, score in scores.items()}
            total = sum(exponentials.values())
            out[head, r, c] = 0.0
            for p, exponential in exponentials.items():
                value = other[2 * third + begin : 2 * third + begin + dim, p[0], p[1]]
                out[head, r, c] = out[head, r, c] + exponential / total * value
                received[sample, head, p[0], p[1]] += (exponential / total * share).detach()
        stacked = [
            torch.cat([out[head, r, c] for head in range(n_heads)])
            for r, c in itertools.product(range(rows), range(columns))
        ]
        outputs.append(torch.stack(stacked, 1).reshape(third, rows, columns))
    return torch.stack(outputs), received


def normed(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    planes = []
    for i in range(x.shape[1]):
        z = (x[:, i] - norm.running_mean[i]) / (norm.running_var[i] + norm.eps) ** 0.5
        planes.append(z * norm.weight[i] + norm.bias[i])
    return torch.stack(planes, 1)


def plain_attention(attention: MultiscaleAttention, x: Tensor) -> Tensor:
    qkv = torch.einsum("oi,nirc->norc", attention.qkv.conv.weight[:, :, 0, 0], x)
    qkv = normed(qkv, attention.qkv.norm)
    third = x.shape[1]
    small, medium, cells = attention.groups
    out = [
        plain_windows(small, qkv[:, :third])[0],
        plain_windows(medium, qkv[:, third : 2 * third])[0],
        plain_cells(cells, qkv[:, 2 * third :])[0],
    ]
    out = torch.einsum(
        "oi,nirc->norc", attention.project.conv.weight[:, :, 0, 0], torch.cat(out, 1)
    )
    return normed(out, attention.project.norm)


def close_with_gradients(out: Tensor, expected: Tensor, parameters: list[Tensor]) -> None:
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-10)
    towards = torch.randn_like(out)
    gradients = torch.autograd.grad((out * towards).sum(), parameters)
    wanted = torch.autograd.grad((expected * towards).sum(), parameters)
    for gradient, plain in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(gradient, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window", [(3, 3), (7, 7), (2, 5)])
def test_window_heads(shape: Position, window: Position) -> None:
    heads = WindowHeads(2, window).double()
    randomise(heads).eval()
    heads.record = True
    x = torch.randn(2, 12, *shape, dtype=torch.float64).requires_grad_()
    expected, received = plain_windows(heads, x)
    close_with_gradients(heads(x), expected, [x, heads.bias.table])
    torch.testing.assert_close(heads.recorded, received)
    assert not heads.recorded.requires_grad


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", [(2, 4), (3, 2)])
def test_cell_heads(shape: Position, cell: Position) -> None:
    heads = CellHeads(2, cell).double()
    heads.record = True
    x = torch.randn(2, 12, *shape, dtype=torch.float64).requires_grad_()
    expected, received = plain_cells(heads, x)
    close_with_gradients(heads(x), expected, [x])
    torch.testing.assert_close(heads.recorded, received)
    torch.testing.assert_close(heads.recorded.sum((2, 3)), torch.ones(2, 2, dtype=torch.float64))
    assert not heads.recorded.requires_grad


@pytest.mark.parametrize("shape", [(4, 9), (1, 13)])
def test_attention(shape: Position) -> None:
    attention = MultiscaleAttention(12, 2, cell=(2, 3)).double()
    randomise(attention).eval()
    x = torch.randn(2, 12, *shape, dtype=torch.float64).requires_grad_()
    expected = plain_attention(attention, x)
    close_with_gradients(attention(x), expected, [x, *attention.parameters()])
    single = attention.float()(x.detach().float())
    torch.testing.assert_close(single, expected.float(), rtol=0, atol=1e-5)


def plain_inverted(layers: nn.Sequential, x: Tensor, stride: int) -> Tensor:
    for i, layer in enumerate((layers[0], layers[2], layers[4])):
        groups, s, pad = (x.shape[1], stride, 1) if i == 1 else (1, 1, 0)
        x = normed(F.conv2d(x, layer.conv.weight, None, s, pad, groups=groups), layer.norm)
        x = x * (x + 3).clamp(0, 6) / 6 if i < 2 else x
    return x


@pytest.mark.parametrize("shape", [(5, 8), (1, 12)])
def test_stages_are_their_definition(shape: Position) -> None:
    stages = MultiscaleStages(**SMALL).double()
    randomise(stages).eval()
    x = torch.randn(2, 6, *shape, dtype=torch.float64)
    maps = stages(x)
    for stage, layers in enumerate(stages.stages):
        blocks = list(layers)
        if stage:
            x = plain_inverted(blocks.pop(0), x, 2)
        assert len(blocks) == 2 * SMALL["depths"][stage]
        for attend, feed in zip(blocks[::2], blocks[1::2], strict=True):
            x = x + plain_attention(attend.inner[0], x)
            assert feed.inner[0][0].conv.out_channels == 2 * x.shape[1]
            x = x + plain_inverted(feed.inner[0], x, 1)
        torch.testing.assert_close(maps[stage], x)


def test_drop_path() -> None:
    stages = MultiscaleStages(**SMALL, drop_path=0.5)
    rates = [m.probability for m in stages.modules() if hasattr(m, "probability")]
    assert rates == pytest.approx([0.0, 0.0, 0.25, 0.25, 0.5, 0.5])


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="shared evenly"):
        MultiscaleAttention(10, 1)
    for name in ("depths", "heads"):
        with pytest.raises(ValueError, match=name):
            MultiscaleStages(**{**SMALL, name: (1,)})
