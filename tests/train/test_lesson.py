"""What a teacher says: the loss by hand, and how it travels with trials that are changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.networks.auxiliary import Judged
from eegvit.preprocess.reflection import Reflection
from eegvit.train import Lesson, Recipe, train
from eegvit.train.batches import Batches
from eegvit.train.checkpoint import fingerprint
from eegvit.train.lesson import Taught
from eegvit.train.loss import cross_entropy, taught_loss
from eegvit.train.run import Run

RNG = np.random.default_rng(0)
TOLD = RNG.dirichlet(np.ones(3), 12)


def trials() -> tuple[np.ndarray, np.ndarray]:
    return RNG.standard_normal((12, 2, 16)).astype(np.float32), np.arange(12) % 3


def build() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(32, 3))


def softmax(z: np.ndarray) -> np.ndarray:
    raised = np.exp(z - z.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_loss_is_that_of_the_formula(weight: float, temperature: float) -> None:
    logits, y = 3 * RNG.standard_normal((12, 3)), np.arange(12) % 3
    p, q = softmax(logits / temperature), softmax(np.log(TOLD) / temperature)
    divergence = (q * (np.log(q) - np.log(p))).sum(1).mean()
    hard = -np.log(softmax(logits)[np.arange(12), y]).mean()
    softened = torch.from_numpy(Lesson(TOLD, weight, temperature).softened)
    taught = Taught(torch.from_numpy(y), softened, weight, temperature)
    found = taught_loss(torch.from_numpy(logits), taught).item()
    expected = (1 - weight) * hard + weight * temperature**2 * divergence
    assert found == pytest.approx(expected, rel=1e-5)


def test_at_high_temperature_it_compares_logits() -> None:
    """Hinton et al.: the gradient becomes the difference of centred logits over the classes."""
    logits = torch.randn(4, 3, requires_grad=True)
    teacher = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    told = torch.softmax(teacher, 1).double().numpy()
    lesson = Lesson(told, 1.0, 1000.0)
    y = Taught(torch.zeros(4, dtype=torch.int64), torch.from_numpy(lesson.softened), 1.0, 1000.0)
    taught_loss(logits, y).backward()
    centred = [z - z.mean(1, keepdim=True) for z in (logits.detach(), teacher)]
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, (centred[0] - centred[1]) / 3 / 4, atol=2e-3, rtol=0)


def test_parts_of_a_network_are_taught_too() -> None:
    logits, other = torch.randn(12, 3), torch.randn(12, 3)
    y = Taught(torch.arange(12) % 3, torch.from_numpy(Lesson(TOLD, 0.4, 2.0).softened), 0.4, 2.0)
    both = taught_loss(Judged(logits, (other,), weight=0.5), y)
    torch.testing.assert_close(both, taught_loss(logits, y) + 0.5 * taught_loss(other, y))


def test_it_belongs_to_training_alone() -> None:
    X, y = trials()
    batches = Batches(X, y, Recipe(), "cpu", lesson=Lesson(TOLD, 0.5, 2.0))
    rows = np.array([5, 0, 3])
    taught = batches.take(rows, np.random.default_rng(0))[1]
    assert isinstance(taught, Taught) and taught.labels.tolist() == [2, 0, 0]
    np.testing.assert_array_equal(taught.softened, batches.lesson.softened[rows])
    told = batches.take(rows)[1]
    assert isinstance(told, torch.Tensor) and told.tolist() == [2, 0, 0]
    part = batches.part(np.array([7, 4])).take(np.array([1]), np.random.default_rng(0))[1]
    np.testing.assert_array_equal(part.softened[0], batches.lesson.softened[4])


def test_where_trials_are_recombined_so_is_what_was_said_of_them() -> None:
    """Each trial is constant and says which it is: its samples then name its sources."""
    y = np.arange(12) % 3
    X = np.repeat(np.arange(12.0, dtype=np.float32)[:, None, None], 16, axis=2)
    lesson = Lesson(TOLD, 0.5, 1.0)
    batches = Batches(X, y, Recipe(augment=("segment_recombine",)), "cpu", lesson=lesson)
    signals, taught = batches.take(np.arange(12), np.random.default_rng(3))
    assert isinstance(taught, Taught)
    sources = signals[:, 0].numpy().astype(int)
    assert max(len(set(row)) for row in sources.tolist()) > 2
    expected = lesson.softened[sources].mean(axis=1)
    np.testing.assert_allclose(taught.softened, expected, atol=1e-6)
    assert (sources % 3 == taught.labels.numpy()[:, None]).all()


def test_where_trials_are_mirrored_classes_are_exchanged_in_what_was_said() -> None:
    X, y = trials()
    recipe = Recipe(augment=(Reflection(order=(1, 0), exchange=(1, 0, 2)),))
    lesson = Lesson(TOLD, 0.5, 1.0)
    batches = Batches(X, y, recipe, "cpu", lesson=lesson)
    signals, taught = batches.take(np.arange(12), np.random.default_rng(1))
    assert isinstance(taught, Taught)
    turned = np.array(
        [bool((own[0] == x[1]).all()) for own, x in zip(signals.numpy(), X, strict=True)]
    )
    assert 0 < turned.sum() < 12
    expected = np.where(turned[:, None], lesson.softened[:, [1, 0, 2]], lesson.softened)
    np.testing.assert_array_equal(taught.softened, expected)
    np.testing.assert_array_equal(taught.labels, np.where(turned, np.array([1, 0, 2])[y], y))


@pytest.mark.parametrize("augment", [(), ("segment_recombine", "noise")], ids=str)
def test_where_trials_are_mixed_so_is_what_was_said_of_them(augment: tuple[str, ...]) -> None:
    X, y = trials()
    recipe = Recipe(mixup=0.7, augment=augment)
    same = Lesson(np.eye(3)[y], 0.5, 1.0)  # what it says are the labels: mixed alike
    _, taught = Batches(X, y, recipe, "cpu", lesson=same).take(
        np.arange(12), np.random.default_rng(1)
    )
    assert isinstance(taught, Taught) and taught.labels.shape == (12, 3)
    assert 0.05 < taught.labels.max(1).values.min() < 0.95
    torch.testing.assert_close(taught.softened, taught.labels, atol=1e-6, rtol=0)


@pytest.mark.parametrize("recipe", [
    Recipe(epochs=3, batch_size=4, augment=("segment_recombine", "time_shift")),
    Recipe(epochs=3, batch_size=4, mixup=0.5, class_weight="balanced", label_smoothing=0.1),
], ids=["augmented", "mixed"])  # fmt: skip
def test_a_teacher_that_counts_for_nothing_changes_only_rounding(recipe: Recipe) -> None:
    """The draws of augmentation and mixing are the same with and without a teacher."""
    X, y = trials()
    plain, _ = train(build, X, y, recipe=recipe)
    ignored, _ = train(build, X, y, recipe=recipe, lesson=Lesson(TOLD, 0.0, 2.0))
    for one, other in zip(plain.parameters(), ignored.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_early_stopping_goes_by_labels() -> None:
    X, y = trials()
    recipe = Recipe(epochs=4, batch_size=4, patience=2)
    rows, held_out = np.arange(8), np.arange(8, 12)
    wrong = Lesson(np.eye(3)[(y + 1) % 3], 1.0, 1.0)
    network, history = train(build, X, y, recipe=recipe, rows=rows, held_out=held_out, lesson=wrong)
    best = min(record["valid_loss"] for record in history)
    logits = network(torch.from_numpy(X[held_out]))
    assert cross_entropy(logits, torch.from_numpy(y[held_out])).item() == pytest.approx(best)


def test_a_checkpoint_knows_its_teacher(tmp_path: Path) -> None:
    X, y = trials()
    network, recipe = build(), Recipe(epochs=2)

    def known(lesson: Lesson | None) -> str:
        batches = Batches(X, y, recipe, "cpu", lesson=lesson)
        return fingerprint(Run(network, recipe, batches, np.arange(12), None, 0))

    lessons: list[Any] = [None, (TOLD, 0.5, 2.0), (TOLD, 0.4, 2.0), (TOLD, 0.5, 1.0)]
    lessons.append((TOLD[::-1], 0.5, 2.0))
    made = [None if one is None else Lesson(*one) for one in lessons]
    assert len({known(one) for one in made}) == 5
    assert known(Lesson(TOLD, 0.5, 2.0)) == known(made[1])
