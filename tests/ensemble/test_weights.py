"""Weights on the simplex against scipy's, and where the problem degenerates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from eegvit.ensemble.probabilities import balanced_accuracy, correct, log_loss
from eegvit.ensemble.weights import accuracy_weights, log_loss_weights


def by_scipy(P: np.ndarray, y: np.ndarray) -> np.ndarray:
    n = len(P)
    found = minimize(
        lambda w: log_loss(np.einsum("m,mnc->nc", w, P), y),
        np.full(n, 1 / n),
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    return found.x / found.x.sum()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("n_classes", "skill", "sharpness"),
    [
        (2, (1.0, 1.1), (1.0, 1.0)),
        (2, (0.8, 1.0, 1.2), (3.0, 3.0, 3.0)),
        (4, (0.3, 1.0, 1.0, 1.2, 0.0), (2.0, 4.0, 1.0, 8.0, 1.0)),
        (4, (1.0,) * 8, (0.5, 1.0, 2.0, 4.0) * 2),
    ],
)
def test_log_loss_weights_are_those_of_scipy(members, n_classes, skill, sharpness, seed) -> None:
    P, y = members(300, n_classes, skill, sharpness, seed=seed)
    ours, theirs = log_loss_weights(P, y), by_scipy(P, y)
    assert (ours >= 0).all() and ours.sum() == pytest.approx(1, abs=1e-12)
    loss = [log_loss(np.einsum("m,mnc->nc", w, P), y) for w in (ours, theirs)]
    assert loss[0] <= loss[1] + 1e-6
    np.testing.assert_allclose(ours, theirs, atol=0.02)
    assert loss[0] < log_loss(P.mean(axis=0), y) - 1e-5, "equal weights would have done"


def test_no_other_weights_are_better(members) -> None:
    P, y = members(200, 3, (0.5, 1.0, 1.0), (3.0, 1.0, 5.0))
    best = log_loss(np.einsum("m,mnc->nc", log_loss_weights(P, y), P), y)
    for w in np.random.default_rng(0).dirichlet(np.ones(3), 500):
        assert best <= log_loss(np.einsum("m,mnc->nc", w, P), y) + 1e-6


@pytest.mark.parametrize("learn", [accuracy_weights, log_loss_weights])
def test_one_member_has_all_the_weight(members, learn) -> None:
    P, y = members(50, skill=(1.0,))
    np.testing.assert_array_equal(learn(P, y), [1.0])


@pytest.mark.parametrize("learn", [accuracy_weights, log_loss_weights])
def test_identical_members_share_their_weight(members, learn) -> None:
    P, y = members(100, skill=(1.0, 0.6))
    alone, twice = learn(P, y), learn(P[[0, 0, 1]], y)
    assert twice[0] == pytest.approx(twice[1], abs=1e-12)
    if learn is log_loss_weights:
        np.testing.assert_allclose([twice[:2].sum(), twice[2]], alone, atol=0.01)
    else:
        np.testing.assert_allclose(twice[1] / twice[2], alone[0] / alone[1], atol=1e-12)


def test_certainty_and_certain_mistakes_stay_finite() -> None:
    y = np.array([0, 1, 0, 1])
    right, wrong = np.eye(2)[y], np.eye(2)[1 - y]
    mostly = np.eye(2)[[0, 1, 0, 0]]
    np.testing.assert_allclose(log_loss_weights(np.array([right, wrong]), y), [1, 0], atol=1e-5)
    for P in ([wrong, wrong], [mostly, wrong], [mostly, mostly, right]):
        w = log_loss_weights(np.array(P), y)
        assert np.isfinite(w).all() and w.sum() == pytest.approx(1)
    np.testing.assert_array_equal(log_loss_weights(np.array([wrong, wrong]), y), [0.5, 0.5])


def test_accuracy_weights_are_accuracy_above_chance() -> None:
    y = np.arange(40) % 2
    right = np.eye(2)[y]
    P = np.array([right, right, right])
    P[1, :10] = right[:10, ::-1]  # wrong in 10 of 40, 0.25 above chance
    P[2, :24] = right[:24, ::-1]  # worse than chance
    np.testing.assert_allclose(accuracy_weights(P, y), [2 / 3, 1 / 3, 0], atol=1e-12)
    np.testing.assert_array_equal(accuracy_weights(P[[2, 2]], y), [0.5, 0.5])


def test_always_the_frequent_class_earns_no_weight() -> None:
    y = np.repeat([0, 1], [90, 10])
    frequent = np.tile([0.9, 0.1], (100, 1))
    better = np.where(np.eye(2)[y] == 1, 0.6, 0.4)
    better[:30] = better[:30, ::-1]
    np.testing.assert_array_equal(accuracy_weights(np.array([frequent, better]), y), [0, 1])


def test_a_tie_is_half_right() -> None:
    tied, y = np.full((4, 2), 0.5), np.array([0, 1, 1, 1])
    np.testing.assert_array_equal(correct(tied, y), [0.5] * 4)
    assert balanced_accuracy(tied, y) == 0.5
