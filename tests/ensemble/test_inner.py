"""The fits of a leave-one-subject-out study with stacking, each of them once."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.ensemble.inner import count_fits, fits_needed, inner_folds, out_of_fold


def subjects(n: int) -> list[str]:
    return [str(i + 1) for i in range(n)]


@pytest.mark.parametrize(("n", "share"), [(6, 21 / 36), (9, 45 / 81)])
def test_five_members_leave_one_out(n: int, share: float) -> None:
    names = subjects(n)
    tests = [[name] for name in names]
    fits = fits_needed(tests, names)
    assert len(fits) == len(set(fits)) == n * (n - 1) // 2 + n
    assert fits[:n] == [frozenset(group) for group in tests]
    assert {len(left_out) for left_out in fits[n:]} == {2}
    count = count_fits(tests, names, n_members=5)
    assert count.distinct == 5 * len(fits)
    assert count.naive == 5 * (n * (n - 1) + n)
    assert count.ratio == pytest.approx(share) and count.ratio < 0.6


@pytest.mark.parametrize("n", [3, 6, 9])
def test_every_outer_fold_finds_the_fits_that_it_needs(n: int) -> None:
    names = subjects(n)
    tests = [[name] for name in names]
    needed = set(fits_needed(tests, names))
    for own in tests:
        folds = inner_folds(own, tests, names)
        assert sorted(name for fold in folds for name in fold.predicted) == sorted(
            set(names) - set(own)
        )
        for fold in folds:
            assert fold.left_out in needed
            assert fold.left_out >= set(own) and not fold.predicted & set(own)


def test_grouped_folds_share_pairs_of_groups() -> None:
    tests = [["1", "2"], ["3", "4"], ["5", "6"]]
    assert count_fits(tests, subjects(6)).distinct == 3 + 3
    assert count_fits(tests, subjects(6)).naive == 3 + 6
    folds = inner_folds(["3", "4"], tests, subjects(6))
    assert [sorted(fold.predicted) for fold in folds] == [["1", "2"], ["5", "6"]]


def test_named_test_subjects_leave_the_others_out_one_by_one() -> None:
    fits = fits_needed([["4", "5"]], subjects(5))
    assert [sorted(left_out) for left_out in fits] == [
        ["4", "5"],
        ["1", "4", "5"],
        ["2", "4", "5"],
        ["3", "4", "5"],
    ]


@pytest.mark.parametrize(
    ("tests", "names", "said"),
    [
        ([["1"], ["2"]], ["1", "2"], "need two or more"),
        ([["1"], ["1"]], ["1", "2", "3"], "more than one outer fold"),
        ([["7"]], ["1", "2", "3"], "not among"),
        ([["1"]], ["1", "2", "3", "3"], "named twice"),
    ],
)
def test_what_cannot_be_done_is_refused(tests, names, said) -> None:
    with pytest.raises(ValueError, match=said):
        fits_needed(tests, names)


def test_out_of_fold_probabilities_lie_where_their_trials_do() -> None:
    subject = np.array(list("3121332"))
    folds = inner_folds("1", "123", list("123"))

    def told(left_out, rows):
        assert "1" in left_out and set(subject[rows]) == left_out - {"1"}
        return np.stack([rows / 10, 1 - rows / 10], axis=1)

    rows, P = out_of_fold(folds, subject, told)
    assert rows.tolist() == [0, 2, 4, 5, 6]
    np.testing.assert_allclose(P[:, 0], rows / 10)
    with pytest.raises(ValueError, match="no trials of 3"):
        out_of_fold(folds, np.array(list("121")), lambda _, rows: np.full((len(rows), 2), 0.5))
