"""A network with copies of units gives what it gave, and learns what the copies can be used for."""

from __future__ import annotations

import copy

import pytest
import torch
from small_networks import KINDS, SHAPE, network_of, trials
from torch import Tensor, nn

from eegvit.networks.units import Place, cut, units_of, widened
from eegvit.train.loss import cross_entropy

CLOSE = 1e-6


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest) -> nn.Module:
    return network_of(request.param)


def more(network: nn.Module) -> dict[str, list[int]]:
    """Return all units of each layer that can grow, the last once and the first twice more."""
    found = units_of(copy.deepcopy(network))
    return {
        name: sorted([*range(len(units)), 0, 0, len(units) - 1])
        for name, units in found.items()
        if units.widens
    }


@torch.no_grad()
def given(network: nn.Module, x: Tensor | None = None) -> Tensor:
    return network(trials() if x is None else x)


def size(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_each_layer_grows_and_nothing_changes(network: nn.Module) -> None:
    wanted = more(network)
    assert wanted
    for name, numbers in wanted.items():
        wide = widened(network, {name: numbers}, seed=3)
        assert type(wide) is type(network) and size(wide) > size(network), name
        assert len(units_of(copy.deepcopy(wide))[name]) == len(numbers)
        torch.testing.assert_close(given(wide), given(network), rtol=0, atol=CLOSE)


def test_all_layers_grow_at_once_and_again(network: nn.Module) -> None:
    wide = widened(network, more(network))
    torch.testing.assert_close(given(wide), given(network), rtol=0, atol=CLOSE)
    wider = widened(wide, more(wide))
    torch.testing.assert_close(given(wider), given(network), rtol=1e-5, atol=CLOSE)
    single, x = copy.deepcopy(network).float(), trials().float()
    rounding = {"rtol": 0, "atol": 1e-5 * given(single, x).abs().max().item()}
    torch.testing.assert_close(
        given(widened(single, more(network)), x), given(single, x), **rounding
    )


def test_without_its_copies_it_is_what_it_was(network: nn.Module) -> None:
    wanted = more(network)
    originals = {
        name: [place for place, number in enumerate(own) if number not in own[:place]]
        for name, own in wanted.items()
    }
    again = cut(widened(network, wanted), originals)
    torch.testing.assert_close(given(again), given(network), rtol=0, atol=1e-9)
    assert size(again) == size(network)


def test_copies_can_be_trained_to_something_else(network: nn.Module) -> None:
    """The loss depends on what is faint, and what a copy sees is not what the unit sees."""
    wanted = more(network)
    wide = widened(network, wanted)
    found = units_of(wide)
    cross_entropy(wide.train()(trials(8)), torch.arange(8) % SHAPE[2]).backward()
    for name, numbers in wanted.items():
        gradient = 0.0  # of any copy: one of a unit that gives nothing gives nothing either
        for own, number in enumerate(numbers):
            if number not in numbers[:own]:
                continue
            stirred = False
            for place, first in zip(
                found[name].places[own], found[name].places[numbers.index(number)], strict=True
            ):
                if not isinstance(place.tensor, nn.Parameter):
                    continue
                if place.carries:
                    at = torch.tensor(place.positions)
                    gradient += place.tensor.grad.index_select(place.dim, at).abs().sum().item()
                else:
                    stirred |= not torch.equal(part(place), part(first))
            assert stirred, name
        spikes = found[name].role == "neurons"  # a copy that does not spike has to wait
        assert gradient > 0 or spikes, name


def part(place: Place) -> Tensor:
    return place.tensor.detach().index_select(place.dim, torch.tensor(place.positions))


def test_it_is_built_again_from_what_was_kept(network: nn.Module) -> None:
    wanted = more(network)
    wide = widened(network, wanted, seed=1)
    built = cut(network, wanted)
    built.load_state_dict(wide.state_dict())
    assert torch.equal(given(built), given(wide))
    assert not torch.equal(given(widened(network, wanted, seed=2)), given(wide))
    same = widened(network, wanted, seed=1).state_dict().items()
    assert all(torch.equal(value, wide.state_dict()[name]) for name, value in same)


def test_what_cannot_grow_is_refused() -> None:
    for kind in ("cascaded", "linear", "former", "multiscale"):
        network = network_of(kind)
        for name, units in units_of(copy.deepcopy(network)).items():
            if units.role == "heads":
                with pytest.raises(ValueError, match="cannot be copied"):
                    cut(network, {name: [0, 0]})
