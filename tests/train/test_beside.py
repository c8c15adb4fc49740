"""What is known of a trial beside its signals travels with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.train import Recipe, train
from eegvit.train.batches import Batches


def trials(n: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 2, 16)).astype(np.float32)
    return X, np.arange(n) % 2, rng.standard_normal((n, 2, 3)).astype(np.float32)


@pytest.mark.parametrize("names", [(), ("segment_recombine",), ("time_shift", "noise")], ids=str)
def test_it_stays_as_it_is_while_signals_are_augmented(names: tuple[str, ...]) -> None:
    X, y, beside = trials()
    rows = np.array([5, 0, 3, 8, 9, 2])
    plain = Batches(X, y, Recipe(augment=names), "cpu")
    both = Batches(X, y, Recipe(augment=names), "cpu", beside)
    expected, labels = plain.take(rows, np.random.default_rng(1))
    told, same = both.take(rows, np.random.default_rng(1))
    torch.testing.assert_close(told[..., :16], expected, atol=0, rtol=0)
    torch.testing.assert_close(told[..., 16:], torch.from_numpy(beside[rows]), atol=0, rtol=0)
    assert torch.equal(labels, same)
    if names:
        assert not torch.equal(expected, torch.from_numpy(X[rows]))


def test_it_is_mixed_with_its_trial() -> None:
    X, y, _ = trials()
    beside = X[:, :, :3] * 2  # so that mixing both must leave it twice the signal
    batches = Batches(X, y, Recipe(mixup=1.0), "cpu", beside)
    told, labels = batches.take(np.arange(12), np.random.default_rng(0))
    torch.testing.assert_close(told[..., 16:], 2 * told[..., :3])
    assert not torch.allclose(told[..., :16], torch.from_numpy(X)) and labels.ndim == 2


def test_a_part_takes_its_own() -> None:
    X, y, beside = trials()
    part = Batches(X, y, Recipe(), "cpu", beside).part(np.array([7, 4]))
    told, _ = part.take(np.array([1]))
    torch.testing.assert_close(told[0, :, 16:], torch.from_numpy(beside[4]), atol=0, rtol=0)


def test_training_sees_it() -> None:
    X, y, beside = trials(256)
    beside[:, 0, 0] = 2 * y - 1  # only this tells the class

    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(2 * 19, 2))

    recipe = Recipe(epochs=30, learning_rate=0.02, batch_size=16)
    network, _ = train(build, X, y, recipe=recipe, beside=beside)
    fresh = np.random.default_rng(9).standard_normal((256, 2, 16)).astype(np.float32)
    told = network(torch.from_numpy(np.concatenate([fresh, beside], 2))).argmax(1).numpy()
    assert (told == y).mean() > 0.8
