"""Attentions whose heads differ in width are those that cutting makes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
from random_weights import randomise
from torch import nn

from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)
from eegvit.networks.efficientvit.families.linear import LinearAttention
from eegvit.networks.efficientvit.families.multiscale import MultiscaleAttention
from eegvit.networks.units import cut, silenced, units_of

PLANES = 24
KINDS: dict[str, tuple[Callable[..., nn.Module], int]] = {  # how to build it, and its heads
    "cascaded": (partial(CascadedAttention, PLANES, 2, kernels=(3, 3), window=(3, 4)), 2),
    "plain": (partial(PlainAttention, PLANES, 2, window=(3, 4)), 2),
    "talking": (partial(TalkingAttention, PLANES, n_heads=2, reach=(3, 4)), 2),
    "dual path": (partial(DualPathDownsampling, PLANES, 16, n_heads=2, reach=(3, 4)), 2),
    "multiscale": (partial(MultiscaleAttention, PLANES, 1), 3),
}


def fewer(attention: nn.Module) -> dict[str, list[int]]:
    """Return the first units of each head, not equally many of each."""
    kept = {}
    for number, (name, units) in enumerate(units_of(copy.deepcopy(attention)).items()):
        if units.role != "heads":
            kept[name] = list(range(1 + number % 4))
    return kept


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_they_can_be_built_so(kind: str) -> None:
    build, n_heads = KINDS[kind]
    x = torch.randn(2, PLANES, 5, 9, dtype=torch.float64)
    whole = randomise(build(key_dim=8, value_dim=PLANES // n_heads)).double().eval()
    kept = fewer(whole)
    small = cut(whole, kept)
    keys = [len(left) for name, left in kept.items() if "keys" in name]
    values = [len(left) for name, left in kept.items() if "values" in name]
    built = build(key_dim=keys, value_dim=values).double().eval()
    built.load_state_dict(small.state_dict())
    torch.testing.assert_close(built(x), small(x), rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="one number, or one for each head"):
        build(key_dim=[4] * (n_heads + 1), value_dim=values)


@torch.no_grad()
def test_so_can_linear_attention() -> None:
    x = torch.randn(2, PLANES, 5, 9, dtype=torch.float64)
    whole = randomise(LinearAttention(PLANES, dim=12, kernel=3)).double().eval()
    kept = fewer(whole)
    small = cut(whole, kept)
    dims = [(len(kept[f":keys {head}"]), len(kept[f":values {head}"])) for head in range(4)]
    built = LinearAttention(PLANES, dim=12, kernel=3, dims=dims).double().eval()
    built.load_state_dict(small.state_dict())
    torch.testing.assert_close(built(x), small(x), rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="there are 2 heads at each of two scales"):
        LinearAttention(PLANES, dim=12, dims=dims[:3])


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_uneven_heads_look_where_they_looked_with_silent_units(kind: str) -> None:
    build, n_heads = KINDS[kind]
    x = torch.randn(2, PLANES, 5, 9, dtype=torch.float64)
    whole = randomise(build(key_dim=8, value_dim=PLANES // n_heads)).double().eval()
    kept, seen = fewer(whole), []
    for network in (cut(whole, kept), silenced(whole, kept)):
        recording = [module for module in network.modules() if hasattr(module, "record")]
        for module in recording:
            module.record = True
        network(x)
        seen.append([module.recorded for module in recording])
    for one, other in zip(*seen, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)
