"""One network for all shapes: which weights they share, and that nobody held out enters it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.compress.search.ground import Ground
from eegvit.compress.search.joint import trained_supernet
from eegvit.compress.search.shared import shared
from eegvit.compress.search.space import Shape, Space
from eegvit.compress.search.supernet import SandwichRun, Supernet, calibrated
from eegvit.train import Recipe
from eegvit.train.batches import Batches

X = torch.randn(3, 4, 250, generator=torch.Generator().manual_seed(1))
VARIANTS: list[dict[str, Any]] = [
    {"layout": "conv"},
    {"layout": "scalp"},
    {"layout": "grid"},
    {"layout": "scalp", "multi_scale": True},
    {"layout": "scalp", "hemispheres": "shared"},
    {"layout": "conv", "multi_scale": True},
    {"layout": "conv", "attention": "plain"},
    {"layout": "scalp", "cascade": False},
    {"layout": "conv", "sandwich": False},
    {"layout": "scalp", "interaction": False},
]


def alone_in(whole: nn.Module, part: nn.Module) -> nn.Module:
    """Put the weights of a part where it shares them in the whole, and zero everywhere else."""
    places = {f"1.{name}": at for name, at in shared(whole[1], part[1]).items()}
    own = part.state_dict()
    with torch.no_grad():
        for name, value in whole.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            value.fill_(1.0 if name.endswith("running_var") else 0.0)
            if name in own:  # statistics are where the gains of their norm are
                norm = name.replace("running_mean", "weight").replace("running_var", "weight")
                value[places.get(norm, ())] = own[name]
    return whole


def gradients(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the gradient of each parameter, zero where there is none."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in network.named_parameters()
    }


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_part_does_what_the_whole_does_where_all_else_is_zero(
    space: Space, make_build: Callable[..., Any], variant: dict[str, Any]
) -> None:
    build, rng = make_build(**variant), np.random.default_rng(0)
    shapes = [space.random(rng) for _ in range(2)] + [space.smallest]
    for shape in shapes:
        # scores are over the root of the keys' width, and blocks left out add nothing
        keys = tuple(
            stage[:depth] for stage, depth in zip(space.largest.keys, shape.depths, strict=True)
        )
        part = build(replace(shape, keys=keys)).eval()
        found = alone_in(build(space.largest).eval(), part)(X)
        torch.testing.assert_close(found, part(X), atol=1e-5, rtol=1e-4)


def test_narrower_keys_are_the_first_of_each_head(
    space: Space, make_build: Callable[..., Any]
) -> None:
    build = make_build(layout="conv")
    narrow = replace(space.largest, keys=((3, 4), (4, 2)))
    part = build(narrow).eval()
    whole = alone_in(build(space.largest).eval(), part)
    with torch.no_grad():  # over the root of more keys
        for stage, block, keys in ((0, 0, 3), (1, 1, 2)):
            attention = whole[1].stages.stages[stage][3 * (block + stage) + 1].inner[0]
            for query in attention.query:
                query.norm.weight *= (4 / keys) ** 0.5
                query.norm.bias *= (4 / keys) ** 0.5
    torch.testing.assert_close(whole(X), part(X), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", [{"layout": "conv"}, {"layout": "scalp"}], ids=str)
def test_gradients_are_those_of_the_shared_weights(
    space: Space, make_build: Callable[..., Any], variant: dict[str, Any]
) -> None:
    supernet = Supernet(space, make_build(**variant, multi_scale=True))
    shapes = [space.random(np.random.default_rng(seed)) for seed in (0, 1)]
    few = X[:, :, :200]  # so few that one form of each computation is taken unseen
    torch.manual_seed(0)
    sum(supernet.part(shape)(few).square().sum() for shape in shapes).backward()
    supernet.gather(shapes)
    found = gradients(supernet.whole)
    supernet.zero_grad()
    torch.manual_seed(0)
    total = torch.zeros(())
    for shape in shapes:
        network, places = supernet.known[shape]
        own = dict(supernet.whole.named_parameters())
        slices = {name: own[name][places.get(name, ())] for name, _ in network.named_parameters()}
        total = total + functional_call(network, slices, (few,)).square().sum()
    total.backward()
    for name, expected in gradients(supernet.whole).items():
        torch.testing.assert_close(found[name], expected, atol=1e-3, rtol=1e-3, msg=name)


def test_after_a_step_all_shapes_have_the_new_weights(
    space: Space, make_build: Callable[..., Any]
) -> None:
    supernet = Supernet(space, make_build(layout="scalp"))
    rng = np.random.default_rng(0)
    signals, y = rng.standard_normal((8, 4, 250)).astype(np.float32), np.arange(8) % 2
    recipe = Recipe(epochs=1, batch_size=8)
    run = SandwichRun(supernet, recipe, Batches(signals, y, recipe, "cpu"), np.arange(8), None, 0)
    before = supernet.part(space.smallest)[1].layout.place.detach().clone()
    run.begin_epoch()
    run.step(np.arange(8))
    assert run.shapes[:2] == (space.largest, space.smallest) and len(run.shapes) == 4
    assert set(run.shapes[2:]) - {space.largest, space.smallest}
    network = supernet.extracted(space.smallest, [torch.from_numpy(signals)])
    place = supernet.whole[1].layout.place
    expected = place[[0, 1, 8, 9]]  # the first planes of both heads
    assert torch.equal(network[1].layout.place, expected) and not torch.equal(before, expected)
    part = calibrated(supernet.part(space.smallest), [torch.from_numpy(signals)])
    torch.testing.assert_close(part(X), network(X), atol=1e-6, rtol=0)


def test_a_step_learns_from_every_shape(space: Space, make_build: Callable[..., Any]) -> None:
    supernet = Supernet(space, make_build(layout="scalp"))
    recipe, y = Recipe(epochs=1, batch_size=3), torch.tensor([0, 1, 0])
    batches = Batches(X.numpy(), y.numpy(), recipe, "cpu")
    run = SandwichRun(supernet, recipe, batches, np.arange(3), None, 0)
    loss = run.loss(X, y)
    loss.backward(retain_graph=True)  # without what smaller shapes have in networks of their own
    alone = gradients(supernet.whole)
    supernet.zero_grad()
    smaller = [supernet.known[shape][0] for shape in set(run.shapes) - {space.largest}]
    for network in smaller:
        network.zero_grad()
    run.backward(loss)
    together = gradients(supernet.whole)
    assert any(not torch.allclose(together[name], alone[name]) for name in alone)
    assert all(each.grad is None for network in smaller for each in network.parameters())


def test_norms_are_given_the_statistics_of_training_trials() -> None:
    batches = [torch.randn(6, 2, 4) for _ in range(3)]
    norm = calibrated(nn.Sequential(nn.BatchNorm1d(2, momentum=0.01)), batches)[0]
    means = torch.stack([batch.mean((0, 2)) for batch in batches]).mean(0)
    spread = torch.stack([batch.var((0, 2)) for batch in batches]).mean(0)
    torch.testing.assert_close(norm.running_mean, means)
    torch.testing.assert_close(norm.running_var, spread)
    assert norm.momentum == 0.01 and not norm.training


def ground_of(trials: Any, labels: Any, signals: Any = None) -> Ground:
    model = EfficientViTClassifier(
        layout="conv", family="cascaded", sfreq=128.0, epochs=1, batch_size=16, device="cpu"
    )
    given = trials.X if signals is None else signals
    return Ground.of(model, given, labels, trials.subject, share=0.3, seed=0)


def test_people_held_out_change_no_weight(people: Any) -> None:
    """Their labels exchanged and their signals ten times as large, every weight is the same."""
    labels = people.labels.copy()
    first = ground_of(people, labels)
    held = first.held_out
    assert set(people.subject[held]).isdisjoint(people.subject[first.rows])
    assert len(set(people.subject[held])) == 1 and len(held) + len(first.rows) == len(labels)
    classes = np.unique(labels)
    labels[held] = np.where(labels[held] == classes[0], classes[1], classes[0])
    signals = np.array(people.X)
    signals[held] *= 10
    second = ground_of(people, labels, signals)
    np.testing.assert_array_equal(second.held_out, held)
    weights = [
        trained_supernet(ground, 0, None, lambda what, share: None).state_dict()
        for ground in (first, second)
    ]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
    trained = second.rows  # the same attack on people who train is felt
    labels[trained] = labels[trained][::-1]
    other = trained_supernet(
        ground_of(people, labels, signals), 0, None, lambda what, share: None
    ).state_dict()
    assert any(not torch.equal(value, other[name]) for name, value in weights[0].items())


def test_a_shape_that_is_not_within_the_whole_is_refused(
    space: Space, make_build: Callable[..., Any]
) -> None:
    supernet = Supernet(space, make_build(layout="conv"))
    wider = Shape((16, 24), ((4,), (4,)), ((8,), (12,)), ((4.0,), (2.0,)))
    with pytest.raises((ValueError, IndexError), match=r"it is not known what|out of bounds"):
        supernet.part(wider)
