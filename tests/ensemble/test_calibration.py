"""Temperatures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from eegvit.ensemble.calibration import HOTTEST, scaled, temperatures
from eegvit.ensemble.probabilities import log_loss


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_recovers_the_temperature_that_was_applied(n_classes: int, true: float) -> None:
    rng = np.random.default_rng(0)
    honest = softmax(0.7 * rng.standard_normal((20_000, n_classes)), axis=1)
    y = (rng.random((len(honest), 1)) > honest.cumsum(axis=1)).sum(axis=1)  # as they say
    distorted = scaled(honest[None], np.array([1 / true]))
    (found,) = temperatures(distorted, y)
    assert found == pytest.approx(true, rel=0.05)
    np.testing.assert_allclose(scaled(distorted, np.array([true]))[0], honest, atol=1e-9)


def test_each_member_has_the_best_temperature_of_its_own(members) -> None:
    P, y = members(500, 3, (1.0, 1.0), (4.0, 0.3))
    found = temperatures(P, y)
    assert found[0] > 1.5 and found[1] < 0.7
    best = log_loss(scaled(P, found), y)
    assert (best < log_loss(P, y) - 0.01).all()
    for other in np.geomspace(0.1, 10, 41):
        assert (best <= log_loss(scaled(P, np.full(2, other)), y) + 1e-9).all()
    np.testing.assert_allclose(temperatures(P[::-1], y), found[::-1])


def test_changes_no_member_s_choice(members) -> None:
    P, y = members(300, 4, (1.0, 0.5), (4.0, 0.3))
    np.testing.assert_array_equal(scaled(P, temperatures(P, y)).argmax(2), P.argmax(2))


def test_extremes_stay_probabilities() -> None:
    y = np.array([0, 1, 0, 1])
    right, wrong = np.eye(2)[y], np.eye(2)[1 - y]
    guess, unseen = np.full((4, 2), 0.5), np.tile([1.0, 0.0], (4, 1))
    P = np.array([right, wrong, guess, unseen])
    found = temperatures(P, y)
    assert ((found >= 1 / HOTTEST) & (found <= HOTTEST)).all()
    Q = scaled(P, found)
    assert np.isfinite(Q).all()
    np.testing.assert_allclose(Q.sum(axis=2), 1)
    np.testing.assert_allclose(Q[1], 0.5, atol=0.1)  # a liar is made to say nothing
    np.testing.assert_allclose(Q[3], 0.5, atol=0.1)
