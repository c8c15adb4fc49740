"""A network without some units is the network in which they are silent, and smaller."""

from __future__ import annotations

import copy

import pytest
import torch
from small_networks import KINDS, SHAPE, network_of, trials
from torch import Tensor, nn

from eegvit.networks.fold import fold
from eegvit.networks.macs import count
from eegvit.networks.units import ROLES, cut, silenced, units_of
from eegvit.train.loss import cross_entropy


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest) -> nn.Module:
    return network_of(request.param)


def some(network: nn.Module, seed: int = 0, *roles: str) -> dict[str, list[int]]:
    """Return a random half of all units, at least one of each layer."""
    generator = torch.Generator().manual_seed(seed)
    kept = {}
    for name, units in units_of(copy.deepcopy(network)).items():
        if units.role in (roles or ROLES):
            order = torch.randperm(len(units), generator=generator).tolist()
            kept[name] = sorted(order[: max(1, len(units) // 2)])
    return kept


@torch.no_grad()
def given(network: nn.Module, x: Tensor | None = None) -> Tensor:
    return network(trials() if x is None else x)


def size(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_keeping_all_units_changes_nothing(network: nn.Module) -> None:
    everything = {n: list(range(len(u))) for n, u in units_of(copy.deepcopy(network)).items()}
    assert torch.equal(given(cut(network, {})), given(network))
    torch.testing.assert_close(given(cut(network, everything)), given(network), rtol=0, atol=1e-12)
    assert size(cut(network, everything)) == size(network)


def test_each_role_is_cut_as_it_is_silenced(network: nn.Module) -> None:
    roles = {units.role for units in units_of(copy.deepcopy(network)).values()}
    assert roles
    for role in sorted(roles):
        kept = some(network, 0, role)
        small, silent = cut(network, kept), silenced(network, kept)
        assert type(small) is type(network) and size(small) < size(network), role
        torch.testing.assert_close(given(small), given(silent), rtol=0, atol=1e-6)
        assert not torch.allclose(given(small), given(network), rtol=0, atol=1e-6), role


def test_all_roles_are_cut_at_once_and_again(network: nn.Module) -> None:
    kept = some(network, 1)
    small = cut(network, kept)
    torch.testing.assert_close(given(small), given(silenced(network, kept)), rtol=0, atol=1e-6)
    again = some(small, 2)
    smaller = cut(small, again)
    torch.testing.assert_close(given(smaller), given(silenced(small, again)), rtol=0, atol=1e-6)
    x = trials(1)
    assert size(smaller) < size(small) < size(network)
    assert count(smaller, x) < count(small, x) < count(network, x)


def test_units_that_are_dead_are_cut_without_a_trace(network: nn.Module) -> None:
    kept = some(network, 3)
    dead = silenced(network, kept)
    assert torch.equal(given(cut(dead, kept)).float(), given(dead).float())


def test_what_is_left_trains_folds_and_loads(network: nn.Module) -> None:
    kept = some(network, 4)
    small = cut(network, kept)
    before = {name: value.clone() for name, value in small.state_dict().items()}
    torch.testing.assert_close(given(fold(small)), given(small), rtol=0, atol=1e-6)
    optimiser = torch.optim.AdamW(small.parameters(), lr=0.01)
    loss = cross_entropy(small.train()(trials(8)), torch.arange(8) % SHAPE[2])
    loss.backward()
    optimiser.step()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in small.parameters())
    loaded = cut(network, kept)
    loaded.load_state_dict(small.state_dict())
    assert torch.equal(given(loaded), given(small.eval()))
    assert any(not torch.equal(value, before[name]) for name, value in small.state_dict().items())


def test_the_network_itself_stays_as_it_is(network: nn.Module) -> None:
    before, names = given(network), list(network.state_dict())
    cut(network, some(network))
    silenced(network, some(network))
    assert torch.equal(given(network), before) and list(network.state_dict()) == names


def test_units_that_are_not_there_are_refused() -> None:
    network = network_of("eegnet")
    with pytest.raises(ValueError, match="no units ':heads'; it has :filters, :features"):
        cut(network, {":heads": [0]})
    for left in ([], [0, 8]):
        with pytest.raises(ValueError, match="of 8 units ':filters' one or more are left"):
            cut(network, {":filters": left})
