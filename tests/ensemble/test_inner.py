"""The folds inside an outer fold: who is left out together, and who is predicted."""

from __future__ import annotations

import pytest

from eegvit.ensemble.inner import inner_folds


@pytest.mark.parametrize("n", [3, 6, 9])
def test_each_pair_of_people_is_left_out_by_one_fit_that_serves_both(n: int) -> None:
    names = [str(i + 1) for i in range(n)]
    tests = [[name] for name in names]
    left_out = []
    for own in tests:
        folds = inner_folds(own, tests, names)
        predicted = sorted(name for fold in folds for name in fold.predicted)
        assert predicted == sorted(set(names) - set(own))
        assert all(f.left_out == f.predicted | set(own) for f in folds)
        left_out += [fold.left_out for fold in folds]
    assert len(left_out) == n * (n - 1) and len(set(left_out)) == n * (n - 1) // 2


def test_people_tested_together_are_left_out_together() -> None:
    tests = [["1", "2"], ["3", "4"], ["5", "6"]]
    folds = inner_folds(["3", "4"], tests, list("123456"))
    assert [sorted(fold.predicted) for fold in folds] == [["1", "2"], ["5", "6"]]
    folds = inner_folds(["4", "5"], [["4", "5"]], list("12345"))
    assert [sorted(fold.predicted) for fold in folds] == [["1"], ["2"], ["3"]]


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
        inner_folds(tests[0], tests, names)
