"""Estimated spelling: against exact chances, by chance, by whole separation; people and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from eegvit.config import Card, Model, Study
from eegvit.config.cards.card import Speller
from eegvit.data import decides
from eegvit.results.outcomes import Predictions
from eegvit.results.responses.spelling import REPETITIONS, Spelling, characters_right, spelling

BOARD = Speller(rows=6, columns=4, onset_to_onset=0.1, pause=2.0)


def test_scores_that_say_nothing_are_right_by_chance() -> None:
    same = np.random.default_rng(0).standard_normal(400)
    right = characters_right(same, same, BOARD)
    assert right == pytest.approx(np.full(REPETITIONS, 1 / 24), abs=0.01)
    tied = characters_right(np.zeros(3), np.zeros(5), BOARD)
    assert tied == pytest.approx(np.full(REPETITIONS, 1 / 24))


@pytest.mark.parametrize("distance", [0.5, 1.5])
def test_gaussian_scores_are_right_as_often_as_the_integral_says(distance: float) -> None:
    grid = norm.ppf((np.arange(4000) + 0.5) / 4000)
    right = characters_right(grid + distance, grid, BOARD)
    for n in (1, 5, REPETITIONS):
        sums = norm.ppf((np.arange(4000) + 0.5) / 4000) + distance * np.sqrt(n)
        exact = np.mean(norm.cdf(sums) ** 5) * np.mean(norm.cdf(sums) ** 3)
        assert right[n - 1] == pytest.approx(exact, abs=0.03)


def test_it_is_the_same_each_time() -> None:
    scores = np.random.default_rng(1).standard_normal((2, 50))
    first, second = (characters_right(scores[0] + 1, scores[1], BOARD) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_speeds_by_hand() -> None:
    told = Spelling(np.array([[0.25, 1.0], [0.75, 1.0]]), np.array([3.0, 4.0]))
    assert told.correct.tolist() == [10.0, 15.0]
    assert told.mended.tolist() == [5.0, 15.0]  # the first of the two loses nothing below a half


def predicted(skill: dict[str, float], seed: int) -> Predictions:
    """Return predictions in which targets of a person have odds so much higher."""
    who = np.repeat(list(skill), 60)
    y = np.tile([0, 0, 0, 0, 0, 1], len(who) // 6)
    noise = np.random.default_rng(seed).standard_normal(len(who))
    odds = noise + np.array([skill[name] for name in who]) * y
    told = 1 / (1 + np.exp(-odds))
    ids = np.array([f"{name}/{i}" for i, name in enumerate(who)])
    same = np.full(len(who), "0")
    return Predictions(ids, same, who, same, y, np.stack([1 - told, told], axis=1))


def study_of(board: Speller | None) -> Study:
    about = {"paradigm": "p300", "classes": ("no", "yes"), "window": (0, 1), "speller": board}
    card = Card(name="k", source="files", **about)
    return Study(name="s", data=(card,), models={"x": Model(branch="csp_lda")})


def test_people_are_told_apart_and_seeds_are_averaged() -> None:
    skills = {"ann": 40.0, "bob": 0.0}
    one, other = predicted(skills, 0), predicted({"ann": 40.0, "bob": 1.0}, 1)
    study = study_of(BOARD)
    both = spelling(study, {("x", 0): one, ("x", 1): other})["x"]
    alone = [spelling(study, {("x", 0): each})["x"] for each in (one, other)]
    np.testing.assert_allclose(both.right, (alone[0].right + alone[1].right) / 2)
    assert (both.right[0] == 1.0).all() and both.right[1, 0] < 0.3
    np.testing.assert_allclose(both.seconds[[0, 4]], [3.0, 7.0])  # 10 flashes of 0.1 s, and 2 s


def test_a_person_without_a_fit_is_left_out() -> None:
    whole = predicted({"ann": 40.0, "bob": 1.0}, 0)
    lost = whole.probabilities.copy()
    lost[70] = np.nan
    some = Predictions(whole.ids, whole.data, whole.subject, whole.session, whole.y, lost)
    assert len(spelling(study_of(BOARD), {("x", 0): some})["x"].right) == 1


def test_without_a_board_there_is_no_spelling() -> None:
    assert spelling(study_of(None), {("x", 0): predicted({"ann": 1.0}, 0)}) == {}


def test_certain_probabilities_are_taken() -> None:
    whole = predicted({"ann": 40.0}, 0)
    sure = np.eye(2)[whole.y]
    certain = Predictions(whole.ids, whole.data, whole.subject, whole.session, whole.y, sure)
    assert spelling(study_of(BOARD), {("x", 0): certain})["x"].right.min() == 1.0


def test_a_board_is_of_two_classes_and_decides_no_trial() -> None:
    card = study_of(BOARD).data[0]
    assert decides(card) == decides(study_of(None).data[0])
    with pytest.raises(ValueError, match="two classes.*there are 3"):
        Card(name="k", source="files", classes=tuple("abc"), window=(0, 1), speller=BOARD)
