"""What a representation is found to hold, and what pretraining makes it hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.networks.layers import Standardise
from eegvit.pretrain.probes import (
    alignment,
    embed,
    linear_probe,
    map_2d,
    neighbours,
    subject_probe,
    uniformity,
)
from eegvit.pretrain.run import pretrain
from eegvit.pretrain.samples import samples
from eegvit.pretrain.settings import Objective, PretrainRecipe

N = 240


def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows with two factors of equal strength: one lasts, one is new in each window."""
    rng = np.random.default_rng(0)
    lasting = np.repeat(rng.integers(0, 2, N // 6), 6)
    fleeting = rng.integers(0, 2, N)
    patterns = np.linalg.qr(rng.standard_normal((60, 2)))[0].T.reshape(2, 3, 20)
    X = 0.1 * rng.standard_normal((N, 3, 20))
    for factor, pattern in zip((lasting, fleeting), patterns, strict=True):
        X += (2 * factor - 1)[:, None, None] * pattern
    return X.astype(np.float32), lasting, fleeting


def build() -> nn.Module:
    narrow = nn.Sequential(nn.Flatten(), nn.Linear(60, 1), nn.Linear(1, 2))
    return nn.Sequential(Standardise(torch.zeros(3), torch.ones(3)), narrow)


def test_the_shared_factor_is_kept_and_the_other_is_not() -> None:
    X, lasting, fleeting = planted()
    found = []
    for positives in ("neighbour", "view"):
        objective = Objective(positives=positives, near=1, projection=4)  # type: ignore[arg-type]
        recipe = PretrainRecipe(
            epochs=25,
            batch_size=60,
            learning_rate=0.02,
            objective=objective,
            views=(("noise", 0.1),),
        )
        network, _ = pretrain(build, samples(X), recipe=recipe, seed=1)
        Z = embed(network, X)
        found.append((linear_probe(Z, lasting), linear_probe(Z, fleeting)))
    (kept, lost), (_, other) = found
    assert kept > 0.95 and lost < 0.65
    assert other > 0.7, "with views of the window itself the fleeting factor is of use as well"


def test_probes_do_not_see_the_test_trials() -> None:
    rng = np.random.default_rng(0)
    Z, y = rng.standard_normal((60, 40)), np.arange(60) % 2
    assert abs(linear_probe(Z, y) - 0.5) < 0.2 and abs(neighbours(Z, y) - 0.5) < 0.2
    people = np.repeat(np.arange(3), 20)
    own = np.eye(3)[people] * 5 * (2 * y - 1)[:, None]  # what tells the class is each person's own
    own[people == 2] *= -1
    assert linear_probe(own, y) == 1.0
    assert linear_probe(own, y, groups=people) < 0.6


def test_few_trials_are_measured_as_far_as_they_go() -> None:
    Z, y = np.eye(2)[np.arange(6) % 2], np.arange(6) % 2
    assert linear_probe(Z, y) == 1.0
    assert neighbours(Z, y, n_neighbours=3) == 1.0
    assert neighbours(Z[:5], y[:5]) < 1, "all that are known are asked, most of them of one class"
    assert np.isnan(linear_probe(Z[:3], y[:3]))


def test_the_share_of_the_person() -> None:
    rng = np.random.default_rng(0)
    people, Z = np.repeat(["a", "b", "c"], 200), rng.standard_normal((600, 6))
    found = subject_probe(Z, people)
    assert found["share"] < 0.02 and abs(found["accuracy"] - 1 / 3) < 0.1
    Z[:, 0] += 2 * np.repeat([-1, 0, 1], 200) * np.sqrt(1.5)  # between: variance 4 beside 6
    assert subject_probe(Z, people)["share"] == pytest.approx(0.4, abs=0.03)
    assert subject_probe(Z, people)["chance"] == pytest.approx(1 / 3)
    assert subject_probe(np.ones((10, 2)), list("aaaaabbbbb"))["share"] == 0


def test_alignment_and_uniformity_of_known_points() -> None:
    angle = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    assert alignment(circle, 3 * circle) == pytest.approx(0, abs=1e-12)
    assert alignment(circle, -circle) == pytest.approx(4)
    pairs = [
        np.exp(-2 * np.square(circle[i] - circle[j]).sum()) for i in range(50) for j in range(i)
    ]
    assert uniformity(7 * circle) == pytest.approx(np.log(np.mean(pairs)))
    assert uniformity(circle) < uniformity(circle[:10])


def test_the_map_shows_the_main_axes() -> None:
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((300, 5)) * [1, 9, 1, 4, 1]
    places, share = map_2d(Z)
    assert abs(np.corrcoef(places[:, 0], Z[:, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(places[:, 1], Z[:, 3])[0, 1]) > 0.95
    assert share[0] == pytest.approx(81 / 100, abs=0.05)
