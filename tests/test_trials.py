"""Trials: selection keeps identity, construction refuses what cannot be right."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.trials import Trials, concatenate


def some(n: int = 6, subject: str = "1") -> Trials:
    X = np.random.default_rng(0).normal(size=(n, 3, 20))
    return Trials.from_arrays(X, ["a", "b"] * (n // 2), sfreq=100.0, subject=subject)


def test_selection_keeps_identity() -> None:
    trials = some()
    np.testing.assert_array_equal(trials[[4, 1]].ids, ["1/0/0/4", "1/0/0/1"])
    np.testing.assert_array_equal(trials[trials.y == 1].index, [1, 3, 5])
    assert len(trials[[]]) == 0 and trials[2:4].X.base is not None


def test_positions_count_within_subject_and_session() -> None:
    trials = Trials.from_arrays(
        np.zeros((4, 1, 5)), list("abab"), sfreq=1.0, subject=list("1122"), session=list("0101")
    )
    np.testing.assert_array_equal(trials.index, [0, 0, 0, 0])


def test_concatenate_refuses_different_montages() -> None:
    joined = concatenate([some(), some(subject="2")])
    assert len(joined) == 12 and joined.ids[6] == "2/0/0/0"
    with pytest.raises(ValueError, match="different ch_names"):
        concatenate([some(), some().replace(ch_names=("C3", "Cz", "C4"))])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((6, 3))}, "X\\[None\\]"),
        ({"y": np.zeros(5, int)}, "5 entries for 6 trials"),
        ({"y": np.full(6, 2)}, "codes outside"),
        ({"ch_names": ("C3",)}, "1 channel names for 3"),
    ],
)
def test_construction_refuses(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        some().replace(**change)
    with pytest.raises(ValueError, match="not among the classes"):
        Trials.from_arrays(np.zeros((1, 1, 5)), ["c"], sfreq=1.0, classes=["a", "b"])
