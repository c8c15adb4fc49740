"""Bits of selections: by hand, none at chance, each person's own, the model's own window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eegvit.config import Card, Ensemble, Model, Study, View
from eegvit.results.outcomes import Predictions
from eegvit.results.responses.information import information_rates, wolpaw_bits


@pytest.mark.parametrize(
    ("accuracy", "n", "bits"),
    [
        (0.25, 4, 0.0),
        (1.0, 4, 2.0),
        (0.1, 4, 0.0),
        (1.0, 2, 1.0),
        (0.5, 2, 0.0),
        (0.5, 4, 0.20751874963942196),  # 2 - 1/2 - 1/2 - 1/2 log2(3)
    ],
)
def test_bits_by_hand(accuracy: float, n: int, bits: float) -> None:
    assert wolpaw_bits(accuracy, n) == pytest.approx(bits, abs=1e-12)


def test_bits_are_what_one_learns_of_the_wish_by_the_selection() -> None:
    joint = np.full((36, 36), 0.1 / 35) + (0.9 - 0.1 / 35) * np.eye(36)  # wish, selection
    joint /= 36
    apart = np.outer(joint.sum(1), joint.sum(0))
    assert wolpaw_bits(0.9, 36) == pytest.approx((joint * np.log2(joint / apart)).sum())


@pytest.mark.parametrize("n", [2, 4, 36])
def test_more_accuracy_is_more_bits(n: int) -> None:
    bits = [wolpaw_bits(p, n) for p in np.linspace(1 / n, 1, 50).tolist()]
    assert all(before < after for before, after in pairwise(bits))


@pytest.mark.parametrize(("accuracy", "n"), [(1.1, 4), (-0.1, 4), (float("nan"), 4), (0.5, 1)])
def test_what_is_no_accuracy_is_refused(accuracy: float, n: int) -> None:
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        wolpaw_bits(accuracy, n)


def predicted(right: dict[str, list[int]]) -> Predictions:
    """Return predictions of four classes; of each person, which of the trials are right."""
    who = np.repeat(list(right), [len(each) for each in right.values()])
    y = np.arange(len(who)) % 4
    chosen = np.where(np.concatenate(list(right.values())), y, (y + 1) % 4)
    ids = np.array([f"{name}/{i}" for i, name in enumerate(who)])
    one = np.full(len(who), "0")
    return Predictions(ids, one, who, one, y, np.eye(4)[chosen])


@pytest.fixture
def study() -> Study:
    card = Card(name="k", source="files", paradigm="ssvep", classes=tuple("abcd"), window=(1, 3))
    models = {
        "usual": Model(branch="csp_lda"),
        "short": Model(branch="csp_lda", view=View(window=(1, 2))),
    }
    both = {"both": Ensemble(of=("usual", "short"), rule="average")}
    return Study(name="s", data=(card,), models=models, ensembles=both)


def test_rates_are_each_persons_own(study: Study) -> None:
    first = predicted({"ann": [1, 1, 1, 1], "bob": [1, 1, 0, 0], "eve": [0, 0, 0, 1]})
    second = predicted({"ann": [1, 1, 1, 1], "bob": [1, 1, 1, 1], "eve": [0, 0, 0, 0]})
    rates = information_rates(study, {("usual", 0): first, ("usual", 1): second}, 4)
    bits = {"ann": 2.0, "bob": wolpaw_bits(0.75, 4), "eve": 0.0}
    assert rates["usual"].bits == pytest.approx(bits)
    assert rates["usual"].per_minute == pytest.approx({who: 30 * b for who, b in bits.items()})


def test_a_minute_has_as_many_selections_as_the_models_window_allows(study: Study) -> None:
    whole = predicted({"ann": [1, 1, 1, 1]})
    tested = {(name, 0): whole for name in ("usual", "short", "both")}
    rates = information_rates(study, tested, 4)
    assert {name: rate.seconds for name, rate in rates.items()} == {
        "usual": 2.0, "short": 1.0, "both": 2.0,
    }  # fmt: skip
    assert rates["short"].per_minute["ann"] == pytest.approx(120.0)


def test_a_person_without_a_fit_is_left_out(study: Study) -> None:
    whole = predicted({"ann": [1, 1, 1, 1], "bob": [1, 1, 1, 1]})
    lacking = whole.probabilities.copy()
    lacking[5] = np.nan
    lost = Predictions(whole.ids, whole.data, whole.subject, whole.session, whole.y, lacking)
    assert list(information_rates(study, {("usual", 0): lost}, 4)["usual"].bits) == ["ann"]
