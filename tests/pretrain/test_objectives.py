"""Objectives equal plain loops, in value and gradient."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.pretrain.learner import Drawn, Learner
from eegvit.pretrain.objectives import contrast, reconstruction, spread_of_people
from eegvit.pretrain.processes import Processes
from eegvit.pretrain.settings import Objective

N, D = 6, 5
# trial, person, recording, position, label; trials 0-2 and 3-5 are of two recordings of a person
FACTS = torch.tensor(
    [[0, 0, 0, 0, 1], [1, 0, 0, 1, -1], [2, 0, 0, 5, 0], [3, 1, 1, 0, 1], [4, 1, 1, 9, 0]]
    + [[5, 1, 1, 3, -1]]
)


def learner(objective: Objective) -> Learner:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Identity(), nn.Sequential(nn.Flatten(), nn.Linear(8, D)))
    network[1].append(nn.Linear(D, 2))
    return Learner(network, objective, None, torch.zeros(2, 2, 4)).double()


def drawn() -> Drawn:
    rng = torch.Generator().manual_seed(1)
    views = torch.randn(2, N, 2, 4, generator=rng, dtype=torch.float64)
    masked = torch.zeros(N, 2, 1, dtype=torch.bool)
    return Drawn(views[0], views[0], views[1], FACTS[:, None].repeat(1, 2, 1), masked)


# of earlier batches: trial 2 itself, one of its recording, one of label 1, one of nobody here
QUEUED = torch.tensor([[2, 0, 0, 5, 0], [7, 0, 0, 8, -1], [8, 2, 2, 0, 1], [9, 2, 2, 9, -1]])


def by_loop(z: Tensor, others: Tensor, objective: Objective, queue: Tensor) -> Tensor:
    """NT-Xent and its variants, written down anchor by anchor."""
    facts = torch.cat([FACTS, FACTS]).tolist()
    total = z.new_zeros(())

    def is_positive(one: list[int], other: list[int]) -> bool:
        near = one[2] == other[2] and abs(one[3] - other[3]) <= objective.near
        return (
            one[0] == other[0]
            or (objective.positives == "neighbour" and near)
            or (objective.positives == "label" and one[4] >= 0 and one[4] == other[4])
        )

    def weighed(one: list[int], other: list[int], s: Tensor) -> Tensor:
        return (objective.same_recording if one[2] == other[2] else 1.0) * torch.exp(s)

    for i in range(2 * N):
        terms, positives = [], []
        for j in range(2 * N):
            if i == j:
                continue
            s = torch.dot(z[i], others[j]) / objective.temperature
            if is_positive(facts[i], facts[j]):
                positives.append(s)
                terms.append(torch.exp(s))
            else:
                terms.append(weighed(facts[i], facts[j], s))
        for q, known in zip(queue, QUEUED.tolist(), strict=False):
            if not is_positive(facts[i], known):
                terms.append(weighed(facts[i], known, torch.dot(z[i], q) / objective.temperature))
        among = torch.log(sum(terms))
        total = total + sum(among - s for s in positives) / len(positives)
    return total / (2 * N)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"temperature": 0.05},
        {"queue": 4},
        {"positives": "neighbour", "near": 1},
        {"positives": "neighbour", "near": 3, "queue": 4},
        {"positives": "label"},
        {"same_recording": 0.0},
        {"same_recording": 0.3},
        {"same_recording": 2.5, "positives": "label", "queue": 3},
        {"same_recording": 0.0, "queue": 4},
        {"momentum": 0.9, "queue": 4},
    ],
    ids=str,
)
def test_contrast_equals_a_loop(settings: dict) -> None:
    objective = Objective(**settings)
    model, batch = learner(objective), drawn()
    if objective.queue:
        kept = F.normalize(torch.randn(objective.queue, objective.projection).double(), dim=1)
        model.remember(kept, QUEUED[: objective.queue])
    if objective.momentum:
        for parameter in model.slow.parameters():
            parameter.data.add_(0.1)
    queue = model.queue[: int(model.n_queued)].clone()
    views = torch.cat([batch.first, batch.second])

    def gradient(loss: Tensor) -> list[Tensor]:
        return list(torch.autograd.grad(loss, learned))

    learned = [*model.projector.parameters(), *model.encoder.network[1][1].parameters()]
    model.eval()
    fast = model.loss(batch, Processes())
    z = model.embed(views)
    others = z if not objective.momentum else model.slow_embed(views)
    slow = by_loop(z, others, objective, queue)
    torch.testing.assert_close(fast, slow)
    for a, b in zip(gradient(fast), gradient(slow), strict=True):
        torch.testing.assert_close(a, b)
        assert b.abs().max() > 1e-6


def test_far_from_the_usual_range_nothing_overflows() -> None:
    z = F.normalize(torch.randn(4, 3), dim=1).requires_grad_()
    others = 1 - torch.eye(4)
    positive = torch.eye(4).roll(2, 0).bool()
    loss = contrast(z, z, positive, others, temperature=1e-3).sum()
    loss.backward()
    assert math.isfinite(loss.item()) and z.grad.isfinite().all()


def test_an_anchor_without_positives_counts_nothing() -> None:
    z = F.normalize(torch.randn(3, 3), dim=1)
    positive = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]]).bool()
    losses = contrast(z, z, positive, 1 - torch.eye(3), temperature=0.5)
    assert losses[2] == 0 and (losses[:2] > 0).all()


def test_spread_of_people_equals_a_loop() -> None:
    people = torch.tensor([0, 1, 0, 2, 1, 0, 3])
    z = torch.randn(7, 4, dtype=torch.float64, requires_grad=True)
    means, covariances = [], []
    for person in (0, 1):  # 2 and 3 have one trial
        own = z[people == person]
        means.append(own.mean(0))
        centred = own - own.mean(0)
        covariances.append(centred.T @ centred / len(own))
    mean, covariance = sum(means) / 2, sum(covariances) / 2
    expected = (
        sum(
            (m - mean).square().sum() + (c - covariance).square().sum()
            for m, c in zip(means, covariances, strict=True)
        )
        / 2
    )
    found = spread_of_people(z, people)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, z)[0], torch.autograd.grad(expected, z)[0]
    )
    assert spread_of_people(z, torch.zeros(7, dtype=torch.int64)) == 0


def test_alignment_of_people_is_added() -> None:
    batch = drawn()
    plain, aligned = (learner(Objective(align_people=weight)).eval() for weight in (0.0, 3.0))
    z = aligned.embed(torch.cat([batch.first, batch.second]))
    apart = spread_of_people(z, FACTS[:, 1].repeat(2))
    difference = aligned.loss(batch, Processes()) - plain.loss(batch, Processes())
    torch.testing.assert_close(difference, 3 * apart)
    assert apart > 1e-4


def test_reconstruction_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    told = torch.tensor(rng.standard_normal((3, 2, 4, 5)), requires_grad=True)
    truth = torch.tensor(rng.standard_normal((3, 2, 4, 5)))
    masked = torch.tensor(rng.random((3, 2, 4)) < 0.5)

    def loop() -> list[Tensor]:
        losses = []
        for i in range(3):
            errors = [
                (told[i, c, p, v] - truth[i, c, p, v]) ** 2
                for c in range(2)
                for p in range(4)
                for v in range(5)
                if masked[i, c, p]
            ]
            losses.append(sum(errors) / len(errors))
        return losses

    fast, slow = reconstruction(told, truth, masked), torch.stack(loop())
    torch.testing.assert_close(fast, slow)
    gradients = [torch.autograd.grad(loss.sum(), told)[0] for loss in (fast, slow)]
    torch.testing.assert_close(*gradients)
    assert (gradients[0].abs().sum(3) > 0).eq(masked).all()


def test_the_slow_copy_follows() -> None:
    model = learner(Objective(momentum=0.75))
    kept = [p.clone() for p in model.slow.parameters()]
    quick = [*model.encoder.parameters(), *model.projector.parameters()]
    for parameter in quick:
        parameter.data.add_(1.0)
    model.follow()
    for before, after, new in zip(kept, model.slow.parameters(), quick, strict=True):
        torch.testing.assert_close(after, 0.75 * before + 0.25 * new)
    assert not any(p.requires_grad for p in model.slow.parameters())


def test_the_queue_forgets_the_oldest() -> None:
    model = learner(Objective(queue=5, projection=2))
    first, second = torch.ones(3, 2).double(), 2 * torch.ones(3, 2).double()
    facts = torch.arange(15).view(3, 5)
    model.remember(first, facts)
    assert int(model.n_queued) == 3
    model.remember(second, -facts)
    assert int(model.n_queued) == 5
    torch.testing.assert_close(model.queue, torch.cat([second, first])[:5])
    assert torch.equal(model.queued_facts, torch.cat([-facts, facts])[:5])


def test_settings_are_checked() -> None:
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: Objective(contrast=0.0), "contrast or reconstruct"),
        (lambda: Objective(temperature=0.0), "temperature"),
        (lambda: Objective(mask=1.0), "mask"),
        (lambda: Objective(positives="twin"), "positives"),  # type: ignore[arg-type]
        (lambda: Objective(queue=-1), "queue"),
        (lambda: Objective(patches=0), "patches"),
        (lambda: Objective(temperature="hot"), "temperature='hot': it must be a number"),  # type: ignore[arg-type]
        (lambda: Objective(mask=math.nan), "mask=nan: it must be a number"),
        (lambda: Objective(queue=1.5), "queue=1.5: it must be a whole number"),  # type: ignore[arg-type]
        (lambda: Objective(bands=True), "bands=True: it must be a whole number"),
    ]
    for make, what in wrong:
        with pytest.raises(ValueError, match=what):
            make()
