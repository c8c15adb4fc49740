"""Recentring finds the class weights of a recording, and no label moves it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit, softmax

from eegvit.ensemble.recentring import PRIOR, by_recording, recentred, recentred_so_far


def test_two_classes_move_by_one_threshold() -> None:
    p = np.random.default_rng(0).beta(2, 5, 200)
    new = recentred(np.column_stack([1 - p, p]), np.array([0.7, 0.3]))
    shift = brentq(lambda b: expit(logit(p) + b).mean() - 0.3, -20, 20)
    np.testing.assert_allclose(new[:, 1], expit(logit(p) + shift), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_a_bias_of_the_recording_is_undone(n_classes: int) -> None:
    rng = np.random.default_rng(1)
    y = rng.permutation(np.arange(100 * n_classes) % n_classes)
    logits = 3 * np.eye(n_classes)[y] + rng.normal(size=(len(y), n_classes))
    biased = logits + np.array([2.5] + [0.0] * (n_classes - 1))
    even = np.full(n_classes, 1 / n_classes)
    plain, moved = softmax(logits, axis=1), softmax(biased, axis=1)
    np.testing.assert_allclose(recentred(moved, even), recentred(plain, even), atol=1e-4)
    right = [(P.argmax(1) == y).mean() for P in (moved, recentred(moved, even))]
    assert right[1] > right[0] + 0.05


def test_what_has_its_shares_stays() -> None:
    P = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6], [0.6, 0.4]])
    np.testing.assert_allclose(recentred(P, np.array([0.5, 0.5])), P, atol=1e-6)


@pytest.mark.parametrize("P", [np.eye(2)[[0, 0, 0]], np.full((3, 2), 0.5), np.eye(2)[[0, 1, 0]]])
def test_certain_and_even_predictions_stay_finite(P: np.ndarray) -> None:
    new = recentred(P, np.array([0.5, 0.5]))
    assert np.isfinite(new).all() and (new >= 0).all()
    np.testing.assert_allclose(new.sum(axis=1), 1)


def test_a_class_that_does_not_occur_gets_nothing() -> None:
    P = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    assert recentred(P, np.array([0.5, 0.5, 0.0]))[:, 2].max() < 1e-6


def test_shares_may_be_counts() -> None:
    P = np.random.default_rng(0).dirichlet([2, 1], 40)
    np.testing.assert_allclose(
        recentred(P, np.array([60, 20])), recentred(P, np.array([0.75, 0.25]))
    )


def test_a_recording_is_recentred_by_its_own_predictions() -> None:
    rng = np.random.default_rng(0)
    recording = rng.permutation(np.repeat(["a", "b", "c"], [20, 30, 40]))
    P, shares = rng.dirichlet([1, 1], 90), np.array([0.5, 0.5])
    P[recording == "b"] = rng.dirichlet([4, 1], 30)
    new = by_recording(P, recording, shares)
    for name in "abc":
        rows = recording == name
        np.testing.assert_array_equal(new[rows], recentred(P[rows], shares))


def test_all_classes_reach_their_shares_if_one_has_its_own_already() -> None:
    p = np.random.default_rng(0).beta(2, 5, 50)
    P = np.column_stack([0.8 * p, 0.8 * (1 - p), np.full(50, 0.2)])
    shares = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(recentred(P, shares).mean(axis=0), shares, atol=1e-5)


def biased(share: float, n: int = 400, bias: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Return classes, and probabilities of a classifier that favours the first of them."""
    rng = np.random.default_rng(3)
    y = (rng.random(n) >= share).astype(int)
    logits = 3 * np.eye(2)[y] + rng.normal(size=(n, 2)) + np.array([bias, 0.0])
    return y, softmax(logits, axis=1)


def test_so_far_knows_nothing_of_later_trials() -> None:
    _, P = biased(0.5, n=60)
    even = np.array([0.5, 0.5])
    whole, other = recentred_so_far(P, even), P.copy()
    other[30:] = other[30:, ::-1]
    np.testing.assert_array_equal(recentred_so_far(other, even)[:30], whole[:30])
    assert np.abs(recentred(other, even)[:30] - recentred(P, even)[:30]).max() > 0.01


def test_so_far_undoes_a_bias_and_ends_near_what_the_whole_recording_gives() -> None:
    y, P = biased(0.5)
    even = np.array([0.5, 0.5])
    new = recentred_so_far(P, even)
    right = [(told.argmax(1) == y).mean() for told in (P, new, recentred(P, even))]
    assert right[0] + 0.02 < right[1] <= right[2] + 0.02
    np.testing.assert_allclose(new[-1], recentred(P, even)[-1], atol=0.1)
    first = recentred_so_far(P[:1], even)
    assert np.abs(first - P[:1]).max() < 1 / PRIOR


def test_where_classes_are_not_shared_out_alike_both_ways_harm() -> None:
    y, P = biased(0.9, bias=0.0)
    even = np.array([0.5, 0.5])
    plain = (P.argmax(1) == y).mean()
    for way in (recentred, recentred_so_far):
        assert (way(P, even).argmax(1) == y).mean() < plain - 0.02
