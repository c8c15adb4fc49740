"""Importance is what the loss says when a unit is turned down."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from small_networks import KINDS, SHAPE, network_of, trials
from torch import Tensor, nn

from eegvit.compress.importance import importance
from eegvit.networks.layers import Standardise
from eegvit.networks.units import Place, silenced, units_of

STEP = 1e-7  # of a unit's weights: few activations change sides on the way
MOST = 12  # units of a role that are looked at
ALONE = [kind for kind in KINDS if kind not in ("recurrent", "twin", "no cascade")]


class Tempered(nn.Module):
    """A network whose logits are of moderate size, so that no class is certain."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        with torch.no_grad():
            told = network(trials(20))
        self.network = network
        self.calm = Standardise(told.mean(0), told.std(0))

    def forward(self, x: Tensor) -> Tensor:
        return self.calm(self.network(x)[..., None])[..., 0]


def batches(n: int = 2) -> list[tuple[Tensor, Tensor]]:
    return [(trials(6, seed), torch.arange(6) % SHAPE[2]) for seed in range(n)]


@torch.no_grad()
def losses(network: nn.Module) -> np.ndarray:
    return np.array([float(F.cross_entropy(network(X), y)) for X, y in batches()])


def some_of_each_role(network: nn.Module) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield each role, and units of it, evenly drawn from all layers."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, units in units_of(copy.deepcopy(network)).items():
        if not name.endswith("neurons 0"):  # what they give passes spikes, which have no slope
            found.setdefault(units.role, []).extend((name, unit) for unit in range(len(units)))
    for role, units in found.items():
        yield role, units[:: -(-len(units) // MOST)]


def turned_down(network: nn.Module, places: list[Place]) -> float:
    """Return the squared change of the loss per share that a unit is turned down by."""
    before, held = losses(network), copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for place in places:
            if place.carries:
                at = torch.tensor(place.positions)
                less = place.tensor.index_select(place.dim, at) * (1 - STEP)
                place.tensor.index_copy_(place.dim, at, less)
    change = (losses(network) - before) / STEP
    network.load_state_dict(held)
    return float(np.mean(change**2))


@pytest.mark.parametrize("kind", ALONE)
def test_it_is_the_change_of_the_loss_where_a_unit_is_turned_down(kind: str) -> None:
    network = Tempered(network_of(kind))
    scores, found = importance(network, batches()), units_of(network)
    for role, units in some_of_each_role(network):
        told = [scores[name][unit] for name, unit in units]
        measured = [turned_down(network, found[name].places[unit]) for name, unit in units]
        np.testing.assert_allclose(told, measured, rtol=0.01, atol=1e-9, err_msg=role)
        assert len(told) < 5 or spearmanr(told, measured).statistic > 0.9, role


@pytest.mark.parametrize("kind", ["cascaded", "former", "eegnet", "shallow"])
def test_it_ranks_units_as_taking_them_out_does(kind: str) -> None:
    network = Tempered(network_of(kind))
    all_told, all_measured = [], []
    for role, units in some_of_each_role(network):
        if role == "heads":  # few, and each so much that the loss is far from linear in it
            continue
        gentle = copy.deepcopy(network)  # each unit does little, as most of a trained one do
        found = units_of(gentle)
        with torch.no_grad():
            for place in (p for n, u in units for p in found[n].places[u] if p.carries):
                at = torch.tensor(place.positions)
                less = place.tensor.index_select(place.dim, at) * 0.1
                place.tensor.index_copy_(place.dim, at, less)
        scores, before = importance(gentle, batches()), losses(gentle)
        measured = []
        for name, unit in units:
            kept = [other for other in range(len(scores[name])) if other != unit]
            measured.append(np.mean((losses(silenced(gentle, {name: kept})) - before) ** 2))
        told = [scores[name][unit] for name, unit in units]
        assert len(told) < 5 or spearmanr(told, measured).statistic > 0.7, role
        all_told, all_measured = [*all_told, *told], [*all_measured, *measured]
    assert spearmanr(all_told, all_measured).statistic > 0.9


def test_units_that_are_dead_have_none() -> None:
    network = Tempered(network_of("cascaded"))
    name = next(name for name in importance(network, batches(1)) if name.endswith("hidden"))
    alive = importance(network, batches(1))[name]
    scores = importance(silenced(network, {name: [0, 2]}), batches(1))[name]
    assert np.count_nonzero(alive) > 10
    assert not scores[[1, *range(3, len(scores))]].any() and scores.any()


def test_magnitudes_and_random_numbers_look_at_no_trial() -> None:
    network = network_of("eegnet")
    large = importance(network, [], "magnitude")
    with torch.no_grad():
        network.pointwise[3] *= 10  # type: ignore[operator]
    larger = importance(network, [], "magnitude")
    assert larger[":features"][3] > large[":features"][3]
    assert (larger[":filters"] >= large[":filters"]).all()
    one, same, other = (importance(network, [], "random", seed) for seed in (0, 0, 1))
    assert (one[":filters"] == same[":filters"]).all()
    assert (one[":filters"] != other[":filters"]).any()


def test_the_network_stays_as_it_is() -> None:
    network = network_of("linear").train()
    before = copy.deepcopy(network.state_dict())
    importance(network, batches(1))
    assert network.training and all(p.grad is None for p in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
