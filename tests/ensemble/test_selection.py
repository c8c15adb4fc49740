"""Forward selection, the oracle, and how alike errors are."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.ensemble.probabilities import log_loss
from eegvit.ensemble.selection import forward_selection
from eegvit.results.members import error_correlation, oracle


def test_selection_goes_step_by_step_as_a_loop_would(members) -> None:
    skill, sharpness = (1.0, 0.2, 1.3, 0.0, 0.9, 1.1), (1.0, 5.0, 2.0, 5.0, 3.0, 4.0)
    P, y = members(300, 3, skill, sharpness, alike=0.0)
    chosen = forward_selection(P, y)
    assert 2 < len(chosen) < 6
    left, taken, before = list(range(6)), [], np.inf
    while left:
        losses = {m: float(log_loss(P[[*taken, m]].mean(axis=0), y)) for m in left}
        best = min(losses, key=losses.__getitem__)
        if losses[best] >= before:
            break
        taken, before = [*taken, best], losses[best]
        left.remove(best)
    assert chosen == taken


def test_selection_at_the_edges(members) -> None:
    P, y = members(200, 2, (1.0, 1.0), (1.0, 1.0))
    assert forward_selection(P[:1], y) == [0]
    assert len(forward_selection(P, y)) == 2
    assert forward_selection(P[[0, 0]], y) == [0], "a twin adds nothing"
    wrong = np.eye(2)[1 - y]
    assert forward_selection([wrong, P[0]], y) == [1]


def test_the_oracle_is_at_least_every_member_for_every_person(members) -> None:
    P, y = members(600, 2, (0.8, 0.8, 0.8), alike=0.0)
    subject = np.repeat(list("abcdef"), 100)
    told, member = oracle(P, y, subject)
    right = P.argmax(2) == y
    for name in "abcdef":
        own = subject == name
        assert len(set(member[own])) == 1
        assert np.mean(told[own].argmax(1) == y[own]) == right[:, own].mean(axis=1).max()
        np.testing.assert_array_equal(told[own], P[member[own][0], own])
    assert np.mean(told.argmax(1) == y) > right.mean(axis=1).max() + 0.01


def test_the_oracle_takes_the_surer_of_equals() -> None:
    y = np.array([0, 1])
    unsure, sure = np.array([[0.6, 0.4], [0.4, 0.6]]), np.array([[0.9, 0.1], [0.1, 0.9]])
    assert oracle([unsure, sure], y, ["a", "a"])[1].tolist() == [1, 1]


def test_the_oracle_picks_by_the_metric_of_the_study() -> None:
    """Of a rare class nine in ten trials are right for who never names it, at no area at all."""
    y = np.array([0] * 9 + [1])
    never = np.tile([0.9, 0.1], (10, 1))
    ranks = np.stack([np.linspace(0.5, 0.1, 10), np.linspace(0.5, 0.9, 10)], axis=1)
    person = ["a"] * 10
    for metric, best in {"accuracy": 0, "roc_auc": 1, "log_loss": 0}.items():
        assert oracle([never, ranks], y, person, metric)[1].tolist() == [best] * 10
    only = np.zeros(10, dtype=np.int64)  # of one class no area is known: the smaller log loss
    assert oracle([ranks, never], only, person, "roc_auc")[1].tolist() == [1] * 10


def test_error_correlation(members) -> None:
    y = members(1000)[1]
    apart = members(1000, 2, (1.0, 1.0), alike=0.0)[0]
    close = members(1000, 2, (1.0, 1.0), alike=0.9)[0]
    wrong = 1.0 * (close.argmax(2) != y)
    found = error_correlation(close, y)
    np.testing.assert_allclose(found, np.corrcoef(wrong), atol=1e-12)
    assert found[0, 1] > 0.5 and abs(error_correlation(apart, y)[0, 1]) < 0.12
    always = np.eye(2)[y]
    assert np.isnan(error_correlation([always, close[0]], y)[0, 1])


@pytest.mark.parametrize("function", [forward_selection, error_correlation])
def test_deleted_labels_are_refused(members, function) -> None:
    P, y = members(20)
    with pytest.raises(ValueError, match="codes -1"):
        function(P, np.where(np.arange(20) < 3, -1, y))
