"""Every rule: what it computes, what it learns, and what it does at the edges."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from eegvit.ensemble.calibration import scaled, temperatures
from eegvit.ensemble.probabilities import log_loss
from eegvit.ensemble.rules import RULES, learn, learns, maximum, vote
from eegvit.ensemble.weights import log_loss_weights

EVERY = [(rule, learner) for rule in RULES for learner in RULES[rule].learners or [None]]


def split(P: np.ndarray, y: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    return P[:, :n], y[:n], P[:, n:], y[n:]


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_beats_the_mean_member_on_new_trials(members, rule, learner, n_classes, calibrate) -> None:
    P, y, new, truth = split(*members(900, n_classes, (1.0, 1.2, 1.2), alike=0.0), 500)
    combine = learn(rule, P, y, learner=learner, calibrate=calibrate)
    told = combine(new)
    assert told.shape == (400, n_classes) and (told >= 0).all()
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-9)
    assert np.mean(told.argmax(1) == truth) > np.mean(new.argmax(2) == truth) + 0.015
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(combine))(new), told)


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_shuffled_labels_score_chance(members, rule, learner, calibrate) -> None:
    P, y, new, truth = split(*members(2400, 4, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0)), 400)
    combine = learn(rule, P, y, learner=learner, calibrate=calibrate)
    assert np.mean(combine(new).argmax(1) == truth) == pytest.approx(0.25, abs=0.04)  # 4 errors


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_one_member_and_twins_decide_as_the_member(members, rule, learner, calibrate) -> None:
    P, y = members(400, 2, (1.5,))
    for together in (P, P[[0, 0]]):
        told = learn(rule, together, y, learner=learner, calibrate=calibrate)(together)
        agree = np.mean(told.argmax(1) == P[0].argmax(1))
        assert agree == 1 if rule != "meta" else agree > 0.9


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_certain_members_and_unseen_classes(members, rule, learner, calibrate) -> None:
    P, y = members(300, 3, (1.0, 1.0))
    sure = np.eye(3)[P[0].argmax(1)]
    unseen = P[1] * [1, 1, 0] / (P[1] * [1, 1, 0]).sum(axis=1, keepdims=True)
    told = learn(rule, [sure, unseen], y, learner=learner, calibrate=calibrate)([sure, unseen])
    assert np.isfinite(told).all()
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-9)
    assert np.mean(told.argmax(1) == y) > 0.45


@pytest.mark.parametrize(("rule", "learner"), EVERY)
def test_the_order_of_members_does_not_matter(members, rule, learner) -> None:
    P, y = members(200, 3, (0.5, 1.0, 1.5))
    one = learn(rule, P, y, learner=learner)(P)
    other = learn(rule, P[::-1], y, learner=learner)(P[::-1])
    np.testing.assert_allclose(other, one, atol=1e-3 if learner != "xgboost" else 0.15)


def test_a_vote_is_settled_by_the_average() -> None:
    P = np.array([[[0.6, 0.4]], [[0.1, 0.9]]])
    assert vote(P).argmax(1) == [1]
    assert vote(P[::-1]).argmax(1) == [1]
    split_vote = np.array([[[0.5, 0.5, 0.0]], [[0.0, 0.5, 0.5]]])  # two choices each
    np.testing.assert_allclose(vote(split_vote), [[0.25, 0.5, 0.25]], atol=1e-5)
    many = np.array([[[0.51, 0.49]]] * 3 + [[[0.0, 1.0]]] * 2)
    assert vote(many).argmax(1) == [0], "three of five, however unsure"


def test_max_follows_the_surest_member() -> None:
    P = np.array([[[0.6, 0.4]], [[0.6, 0.4]], [[0.2, 0.8]]])
    np.testing.assert_allclose(maximum(P), [[0.6 / 1.4, 0.8 / 1.4]])


def test_what_is_learned_is_used(members) -> None:
    P, y = members(600, 2, (1.5, 0.0, 0.2), (1.0, 6.0, 1.0), alike=0.0)
    P[1] = P[1][:, ::-1]
    plain = log_loss(P.mean(axis=0), y)
    for learner in ("accuracy", "log_loss"):
        combine = learn("weighted", P, y, learner=learner)
        assert combine.learned.argmax() == 0
        assert log_loss(combine(P), y) < plain - 0.01
    found = temperatures(P, y)
    Q = scaled(P, found)
    calm = learn("average", P, y, calibrate=True)
    np.testing.assert_array_equal(calm.temperatures, found)
    np.testing.assert_array_equal(calm(P), Q.mean(axis=0))
    assert log_loss(calm(P), y) < plain - 0.01
    both = learn("weighted", P, y, learner="log_loss", calibrate=True)
    np.testing.assert_array_equal(both.learned, log_loss_weights(Q, y))


def test_the_meta_learner_can_turn_a_member_round(members) -> None:
    P, y = members(600, 2, (1.5, 0.0))
    P[0] = P[0][:, ::-1]  # always the contrary
    for learner in ("logistic", "xgboost"):
        told = learn("meta", P, y, learner=learner)(P)
        assert np.mean(told.argmax(1) == y) > 0.8


def test_a_meta_learner_gives_an_absent_class_nothing(members) -> None:
    P, y = members(300, 3, (1.0, 1.0))
    kept = y != 1
    for learner in ("logistic", "xgboost"):
        told = learn("meta", P[:, kept], y[kept], learner=learner)(P)
        assert (told[:, 1] == 0).all() and np.mean(told[kept].argmax(1) == y[kept]) > 0.6


def test_memory_of_the_training_trials_fools_only_an_in_sample_meta_learner(members) -> None:
    P, y, new, truth = split(*members(1200, 2, (0.8, 0.0), alike=0.0), 600)
    remembered = P.copy()
    remembered[1] = np.where(np.eye(2)[y] == 1, 0.99, 0.01)  # right where it was fitted
    for learner in ("logistic", "xgboost"):
        honest = learn("meta", P, y, learner=learner)
        fooled = learn("meta", remembered, y, learner=learner)
        assert np.mean(fooled(remembered).argmax(1) == y) > 0.99
        assert np.mean(fooled(new).argmax(1) == truth) < 0.58
        assert np.mean(honest(new).argmax(1) == truth) > 0.66


def test_which_rules_need_out_of_fold_probabilities() -> None:
    assert [rule for rule in RULES if learns(rule)] == ["weighted", "meta"]
    assert all(learns(rule, calibrate=True) for rule in RULES)
    assert learn("vote")([[[0.2, 0.8]]]).argmax(1) == [1]
    with pytest.raises(ValueError, match="learns from out-of-fold"):
        learn("weighted")


@pytest.mark.parametrize(
    ("rule", "learner", "said"),
    [
        ("avrage", None, "did you mean 'average'"),
        ("meta", "xgbost", "did you mean 'xgboost'"),
        ("vote", "logistic", "learns nothing"),
    ],
)
def test_unknown_names_are_refused(rule, learner, said) -> None:
    with pytest.raises(ValueError, match=said):
        learn(rule, [[[0.5, 0.5]]], [0], learner=learner)


@pytest.mark.parametrize(
    ("P", "y", "said"),
    [
        ([[0.5, 0.5]], [0], "expected .members, trials, classes"),
        (np.empty((0, 1, 2)), [0], "one member or more"),
        ([[[1.0]]], [0], "two classes or more"),
        ([[[0.5, 0.5]], [[0.7, 0.7]]], [0], "member 1, trial 0"),
        ([[[0.5, np.nan]]], [0], "member 0, trial 0"),
        ([[[1.5, -0.5]]], [0], "member 0, trial 0"),
        ([[[0.5, 0.5]]], [-1], "codes -1"),
        ([[[0.5, 0.5]]], [2], "codes 2"),
        ([[[0.5, 0.5]]], ["left"], "expected class codes"),
        ([[[0.5, 0.5]]], [0, 1], r"shape \(2,\)"),
        ([[[0.5, 0.5]]], [0], "one class only"),
    ],
)
def test_what_is_no_probability_or_code_is_refused(P, y, said) -> None:
    with pytest.raises(ValueError, match=said):
        learn("meta", P, y)
