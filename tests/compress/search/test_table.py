"""The table of latencies: its parts are the network, and none is slower for being smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from eegvit.compress.budget import cost
from eegvit.compress.search.space import Space
from eegvit.compress.search.table import Table, keys_of, macs, parts_of

X = torch.randn(1, 4, 250, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("variant", [{"layout": "conv"}, {"layout": "scalp", "multi_scale": True}])
def test_the_parts_one_after_the_other_are_the_network(
    space: Space, make_build: Callable[..., Any], variant: dict[str, Any]
) -> None:
    for shape in (space.largest, space.smallest):
        network = make_build(**variant)(shape).eval()
        with torch.no_grad():
            *parts, (head, last, maps) = parts_of(network, shape, X)
            x: Any = X
            for _, part, given in parts:
                assert torch.equal(given, x)
                x = part(x)
            assert torch.equal(maps[-1], x) and torch.equal(last(maps), network(X))
        assert [key for key, _, _ in parts] + [head] == keys_of(shape)
        layers = [module for _, part, _ in parts[1:] for module in part]
        assert layers == [layer for stage in network[1].stages.stages for layer in stage]


def test_a_part_is_measured_once_and_looked_up_then(
    space: Space, make_build: Callable[..., Any]
) -> None:
    measured: list[nn.Module] = []

    def measure(part: nn.Module, given: Any) -> float:
        measured.append(part)
        return float(len(measured))

    latencies = Table(make_build(layout="conv"), X, measure)
    alike = replace(space.largest, keys=((4, 4), (3, 4)))
    assert latencies(space.largest) == sum(latencies.known(key) for key in keys_of(space.largest))
    distinct = len(set(keys_of(space.largest)))
    assert len(measured) == distinct < len(keys_of(space.largest))
    latencies(alike)
    assert len(measured) == distinct + 1  # one block is new
    latencies(alike), latencies(space.largest)
    assert len(measured) == distinct + 1


def test_what_is_smaller_is_not_slower(space: Space, make_build: Callable[..., Any]) -> None:
    """Noise that says otherwise, as here where each measurement is longer, changes nothing."""
    seconds = iter(range(1, 10_000))
    latencies = Table(make_build(layout="conv"), X, lambda part, given: next(seconds))
    now = latencies(space.largest)
    for shape in space.steps(space.largest).values():
        assert latencies(shape) <= now
    assert latencies(space.smallest) <= now


def test_the_sum_is_what_the_whole_takes(space: Space, make_build: Callable[..., Any]) -> None:
    """Time is counted in modules run, so that the machine has no say."""

    def modules(part: nn.Module, given: Any) -> float:
        ran: list[nn.Module] = []
        hooks = [
            module.register_forward_hook(lambda own, *_: ran.append(own))
            for module in part.modules()
            if not list(module.children())
        ]
        part(given)
        for hook in hooks:
            hook.remove()
        return float(len(ran))

    build = make_build(layout="scalp")
    with torch.no_grad():
        for shape in (space.largest, space.smallest):
            network = build(shape).eval()
            assert Table(build, X, modules)(shape) == modules(network, X)
            assert Table(build, X, macs)(shape) == cost(network, X, "macs")
