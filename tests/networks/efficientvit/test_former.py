"""EfficientFormerV2 is what a plain reading of its formulas gives, on any rectangle."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, Residual
from eegvit.networks.efficientvit.families.former import FormerBlock, FormerStages
from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)
from eegvit.networks.efficientvit.image.former import FormerImage
from eegvit.networks.fold import fold

State = dict[str, Tensor]

SMALL = {
    "widths": (6, 8, 10),
    "depths": (1, 2, 2),
    "expansions": (2, 2, (3, 2)),
    "attention": (0, 1, 1),
    "strides": (1, 2, 1),
    "dual_path": (False, True),
    "n_heads": 2,
    "key_dim": 4,
    "value_dim": 6,
    "reach": (3, 4),
}


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


@pytest.mark.parametrize("attends", [False, True])
def test_block_adds_what_its_branches_give(attends: bool) -> None:
    mixer = TalkingAttention(4, n_heads=2, key_dim=3, value_dim=5, reach=(3, 4), stride=2)
    network = randomise(FormerBlock(4, mixer if attends else None, expansion=3).double().eval())
    state = network.state_dict()
    inputs = torch.randn(2, 4, 3, 5, dtype=torch.float64, requires_grad=True)
    x = inputs
    if attends:
        x = x + mixer(x) * state["attend.inner.1.factor"].view(-1, 1, 1)
    y = gelu(conv_norm(state, "feed.inner.0.0", x))
    y = gelu(conv_norm(state, "feed.inner.0.2", y, groups=12))
    y = conv_norm(state, "feed.inner.0.4", y)
    plain = x + y * state["feed.inner.1.factor"].view(-1, 1, 1)
    ours = network(inputs)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9)
    for a, b in zip(gradient(ours, inputs), gradient(plain, inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def gradient(output: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(output.square().sum(), x, retain_graph=True)[0]


def test_stages_attend_where_they_are_told() -> None:
    network = randomise(FormerStages(**SMALL).double().eval())
    kinds = [
        [(type(layer), isinstance(getattr(layer, "attend", None), Residual)) for layer in stage]
        for stage in network.stages
    ]
    plain, attending = (FormerBlock, False), (FormerBlock, True)
    assert kinds == [
        [plain],
        [(ConvNorm, False), plain, attending],
        [(DualPathDownsampling, False), plain, attending],
    ]
    attentions = [m for m in network.modules() if isinstance(m, TalkingAttention)]
    assert [a.stride for a in attentions] == [2, 1]
    assert [a.bias.shape for a in attentions] == [(2, 3, 4)] * 2
    down = network.stages[2][0]
    assert down.bias.shape == (2, 6, 8) and down.key_dims == [2, 2]
    x = torch.randn(1, 6, 9, 13, dtype=torch.float64)
    for ours, stage in zip(network(x), network.stages, strict=True):
        x = stage(x)
        assert torch.equal(ours, x)


def small_image() -> nn.Module:
    return randomise(FormerImage(n_classes=5, **SMALL).eval())


def test_folded_is_unfolded() -> None:
    network, x = small_image(), torch.randn(2, 3, 37, 50)
    folded = fold(network)
    assert not any("norm" in name for name, _ in folded.named_modules())
    with torch.no_grad():
        plain = network(x)
        assert (folded(x) - plain).abs().max() < 1e-5 * plain.abs().max().clamp_min(1.0)


def test_state_dict_comes_back() -> None:
    network, x = small_image(), torch.randn(2, 3, 20, 33)
    other = FormerImage(n_classes=5, **SMALL).eval()
    assert not torch.allclose(other(x), network(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(x), network(x))
    assert torch.equal(copy.deepcopy(other)(x), network(x))


def test_exports_and_compiles() -> None:
    network, x = small_image(), torch.randn(2, 3, 37, 50)
    exported = torch.export.export(network, (x,)).module()
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(exported(x), network(x))
        torch.testing.assert_close(compiled(x), network(x))


def test_drop_path_grows_and_is_off_at_inference() -> None:
    network = FormerStages(**{**SMALL, "layer_scale": 1.0, "drop_path": 0.8})
    plain = FormerStages(**{**SMALL, "layer_scale": 1.0})
    plain.load_state_dict(network.state_dict())
    chances = [m.probability for m in network.modules() if hasattr(m, "probability")]
    assert chances == pytest.approx([0, 0.2, 0.4, 0.4, 0.6, 0.8, 0.8])
    x = torch.randn(64, 6, 3, 5)
    for ours, other in zip(network.eval()(x), plain.eval()(x), strict=True):
        assert torch.equal(ours, other)
    last = network.train().stages[2][2].feed
    x = torch.randn(400, 10, 2, 2)
    dropped = (last(x) == x).flatten(1).all(1).double().mean()
    assert 0.7 < dropped < 0.9


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="3 stages, one is never halved"):
        FormerStages(**{**SMALL, "dual_path": (True,) * 3})
    with pytest.raises(ValueError, match="3 expansions"):
        FormerStages(**{**SMALL, "expansions": (2, 2, (3, 2, 2))})


# name -> parameters, GMACs that are published for 224 x 224
PUBLISHED = {
    "s0": (3_600_256, 0.40),
    "s1": (6_185_560, 0.65),
    "s2": (12_710_112, 1.25),
    "l": (26_322_288, 2.56),
}
