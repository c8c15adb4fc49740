"""Linear attention is what loops over its definition give, and b0 to b3 are the published ones."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.families.linear import LinearAttention, LinearStages
from eegvit.networks.efficientvit.image.linear import LinearImage

# name -> parameters in millions as published, MACs in billions as published
PUBLISHED = {"b0": (3.41, 0.10), "b1": (9.10, 0.52), "b2": (24.33, 1.6), "b3": (48.65, 4.0)}
EXACT = {"b0": 3_410_008, "b1": 9_102_024, "b2": 24_330_712, "b3": 48_646_056}
MAPS = [(11, 32), (1, 125), (3, 63), (22, 63)]
SMALL = {"widths": (8, 16, 16), "depths": (1, 2, 2), "n_local": 2, "dim": 8, "kernel": (3, 5)}


def normed(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    planes = []
    for i in range(x.shape[1]):
        z = (x[:, i] - norm.running_mean[i]) / (norm.running_var[i] + norm.eps) ** 0.5
        planes.append(z * norm.weight[i] + norm.bias[i])
    return torch.stack(planes, 1)


def plain_attention(attention: LinearAttention, x: Tensor) -> tuple[Tensor, Tensor]:
    """What attention gives and what it records, position by position."""
    n, planes, rows, columns = x.shape
    dim, n_heads = attention.key_dims[0], planes // attention.key_dims[0]
    positions = list(itertools.product(range(rows), range(columns)))
    to_qkv = attention.qkv.weight[:, :, 0, 0]
    near, mix = (layer.weight for layer in attention.aggregate)
    up, left = near.shape[2] // 2, near.shape[3] // 2
    outputs, records = [], []
    for image in x:
        one = {(r, c): to_qkv @ image[:, r, c] for r, c in positions}
        many = {}
        for r, c in positions:
            total = torch.zeros(3 * planes, dtype=x.dtype)
            for i, j in itertools.product(range(near.shape[2]), range(near.shape[3])):
                if (r + i - up, c + j - left) in one:
                    total = total + near[:, 0, i, j] * one[r + i - up, c + j - left]
            parts = total.split(dim)
            mixes = mix[:, :, 0, 0].split(dim)
            many[r, c] = torch.cat([m @ part for m, part in zip(mixes, parts, strict=True)])
        heads = {p: [] for p in positions}
        record = torch.zeros(2 * n_heads, rows, columns, dtype=x.dtype)
        for scale, qkv in enumerate((one, many)):
            for head in range(n_heads):
                begin = 3 * dim * head
                q = {p: qkv[p][begin : begin + dim].clamp(min=0) for p in positions}
                k = {p: qkv[p][begin + dim : begin + 2 * dim].clamp(min=0) for p in positions}
                v = {p: qkv[p][begin + 2 * dim : begin + 3 * dim] for p in positions}
                for p in positions:
                    weights = {o: q[p] @ k[o] for o in positions}
                    total = sum(weights.values()) + 1e-5
                    heads[p].append(sum(weights[o] * v[o] for o in positions) / total)
                    for o in positions:
                        share = (weights[o] / total / len(positions)).detach()
                        record[scale * n_heads + head, o[0], o[1]] += share
        joined = torch.stack([torch.cat(heads[p]) for p in positions], 1)
        out = attention.project.conv.weight[:, :, 0, 0] @ joined
        outputs.append(out.reshape(-1, rows, columns))
        records.append(record)
    return normed(torch.stack(outputs), attention.project.norm), torch.stack(records)


@pytest.mark.parametrize(
    ("shape", "kernel"), [((4, 5), 5), ((1, 9), (3, 5)), ((6, 2), 3), ((7, 1), (3, 7)), ((1, 1), 5)]
)
def test_attention_is_its_definition(shape: tuple[int, int], kernel: int | tuple[int, int]) -> None:
    attention = LinearAttention(8, dim=4, kernel=kernel).double()
    randomise(attention).eval()
    attention.record = True
    x = torch.randn(2, 8, *shape, dtype=torch.float64).requires_grad_()
    parameters = [x, *attention.parameters()]
    out = attention(x)
    expected, recorded = plain_attention(attention, x)
    assert expected.std() > 0.1
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(attention.recorded, recorded, rtol=0, atol=1e-9)
    towards = torch.randn_like(out)
    gradients = torch.autograd.grad((out * towards).sum(), parameters)
    expected_gradients = torch.autograd.grad((expected * towards).sum(), parameters)
    for gradient, wanted in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-7, atol=1e-7)
    single = attention.float()(x.detach().float())
    torch.testing.assert_close(single, expected.float(), rtol=0, atol=1e-4)


def plain_conv(x: Tensor, conv: nn.Conv2d, stride: int = 1, groups: int = 1) -> Tensor:
    up, left = (k // 2 for k in conv.weight.shape[2:])
    return F.conv2d(x, conv.weight, conv.bias, stride, (up, left), groups=groups)


def plain_swish(x: Tensor) -> Tensor:
    return x * (x + 3).clamp(0, 6) / 6


def plain_inverted(layers: nn.Sequential, x: Tensor, stride: int, norms: bool) -> Tensor:
    first, _, middle, _, last = layers
    for layer, s in ((first, 1), (middle, stride)):
        conv = layer.conv if norms else layer
        groups = x.shape[1] if layer is middle else 1
        x = plain_conv(x, conv, s, groups)
        x = plain_swish(normed(x, layer.norm) if norms else x)
    return normed(plain_conv(x, last.conv), last.norm)


@pytest.mark.parametrize("shape", [(5, 9), (1, 12), (7, 1)])
def test_stages_are_their_definition(shape: tuple[int, int]) -> None:
    stages = LinearStages(**SMALL).double()
    randomise(stages).eval()
    x = torch.randn(2, 8, *shape, dtype=torch.float64)
    maps = stages(x)
    first, second, third = stages.stages
    depthwise, _, pointwise = first[0].inner[0]
    y = plain_swish(normed(plain_conv(x, depthwise.conv, groups=8), depthwise.norm))
    x = x + normed(plain_conv(y, pointwise.conv), pointwise.norm)
    torch.testing.assert_close(maps[0], x)
    x = plain_inverted(second[0], x, 2, True)
    x = x + plain_inverted(second[1].inner[0], x, 1, True)
    torch.testing.assert_close(maps[1], x)
    x = plain_inverted(third[0], x, 2, False)
    for block in (1, 3):
        x = x + plain_attention(third[block].inner[0], x)[0]
        x = x + plain_inverted(third[block + 1].inner[0], x, 1, False)
    torch.testing.assert_close(maps[2], x)
    assert len(third) == 5 and len(second) == 2 and len(first) == 1


def test_image_network_is_its_definition() -> None:
    network = LinearImage(head=(12, 10), n_classes=5, **SMALL).double()
    randomise(network).eval()
    x = torch.randn(2, 3, 9, 14, dtype=torch.float64)
    stem, widen, classify = network.stem[0], network.head.widen[0], network.head.classify
    y = plain_swish(normed(plain_conv(x, stem.conv, 2), stem.norm))
    y = network.stages(y)[-1]
    y = plain_swish(normed(plain_conv(y, widen.conv), widen.norm)).mean((2, 3))
    y = y @ classify[0].weight.T
    y = (y - y.mean(1, keepdim=True)) / (y.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    y = plain_swish(y * classify[1].weight + classify[1].bias)
    torch.testing.assert_close(network(x), y @ classify[3].weight.T + classify[3].bias)


def test_attention_without_weights() -> None:
    attention = LinearAttention(8, dim=4).eval()
    out = attention(torch.zeros(1, 8, 3, 3, requires_grad=True))
    out.sum().backward()
    assert out.abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_are_in_full_precision(dtype: torch.dtype) -> None:
    attention = LinearAttention(8, dim=4)
    half = [(300 * torch.randn(1, 24, 22, 63)).to(dtype) for _ in range(2)]
    given: list[Tensor] = []
    attention.qkv.forward = lambda _: half[0]
    attention.aggregate.forward = lambda _: half[1]
    attention.project.forward = lambda out: given.append(out.float()) or out
    attention(torch.zeros(1, 8, 22, 63, dtype=dtype))
    with torch.autocast("cpu", dtype=dtype):
        attention(torch.zeros(1, 8, 22, 63))
    qkv = torch.cat(half, 1).double().reshape(4, 3, 4, -1)
    q, k, v = qkv[:, 0].relu(), qkv[:, 1].relu(), qkv[:, 2]
    weights = q.mT @ k
    expected = (v @ (weights / (weights.sum(-1, keepdim=True) + 1e-5)).mT).reshape(1, 16, 22, 63)
    for out, tolerance in zip(given, (10 * torch.finfo(dtype).eps, 1e-5), strict=True):
        assert (out - expected).abs().max() < tolerance * expected.abs().max()


def test_drop_path() -> None:
    stages = LinearStages(**SMALL, drop_path=0.5)
    rates = [m.probability for m in stages.modules() if hasattr(m, "probability")]
    assert rates == pytest.approx([0.0, 0.25, 0.375, 0.375, 0.5, 0.5])
    randomise(stages).eval()
    x = torch.randn(2, 8, 5, 9)
    quiet = randomise(LinearStages(**SMALL)).eval()
    torch.testing.assert_close(stages(x), quiet(x))


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="multiple"):
        LinearAttention(10, dim=4)
    with pytest.raises(ValueError, match="depths"):
        LinearStages(widths=(8, 16), depths=(1,))
