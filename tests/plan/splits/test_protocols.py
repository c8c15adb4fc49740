"""Who trains and who is tested, trial by trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Align, Evaluate
from eegvit.plan.splits.protocols import splits
from eegvit.plan.splits.split import Split, check
from eegvit.plan.target import target, target_order


def test_leave_one_subject_out(make_view):
    view = make_view(subjects=3)
    found = splits(view, Evaluate(protocol="cross_subject"))
    assert [set(view.subject[s.test]) for s in found] == [{"1"}, {"2"}, {"3"}]
    for split in found:
        assert not set(view.subject[split.train]) & set(view.subject[split.test])
        assert len(split.train) + len(split.test) == len(view)


def test_grouped_folds_keep_people_whole(make_view):
    view = make_view(subjects=5)
    found = splits(view, Evaluate(protocol="cross_subject", n_folds=2))
    assert [sorted(set(view.subject[s.test])) for s in found] == [["1", "2", "3"], ["4", "5"]]


def test_named_subjects(make_view):
    view = make_view(subjects=4)
    (split,) = splits(view, Evaluate(protocol="cross_subject", test_subjects=["2", "4"]))
    assert set(view.subject[split.train]) == {"1", "3"}
    (split,) = splits(
        view, Evaluate(protocol="cross_subject", train_subjects=["1"], test_subjects=["4"])
    )
    assert set(view.subject[split.train]) == {"1"} and set(view.subject[split.test]) == {"4"}
    for wrong, message in [
        ({"test_subjects": ["9"]}, "no subject is called '9'"),
        ({"train_subjects": ["9"]}, "no subject is called '9'"),
        ({"train_subjects": ["1"], "test_subjects": ["1"]}, "would train and be tested"),
        ({"test_subjects": ["1", "2", "3", "4"]}, "no subject is left to train on"),
        ({"test_subjects": ["1"], "n_folds": 2}, "exclude each other"),
        ({"test_sessions": ["1"]}, "means nothing for protocol cross_subject"),
    ]:
        with pytest.raises(ValueError, match=message):
            splits(view, Evaluate(protocol="cross_subject", **wrong))


def test_within_session_folds_are_blocks_in_time(make_view):
    view = make_view(subjects=1, sessions=2, n_trials=23)
    found = splits(view, Evaluate(protocol="within_session"))
    assert len(found) == 10
    for split in found:
        for code in range(len(view.classes)):
            own = split.train[view.y[split.train] == code]
            tested = split.test[view.y[split.test] == code]
            inside = (own > tested.min()) & (own < tested.max())
            assert len(tested) and not inside.any()  # a stretch of time without a gap
        assert set(view.session[split.train]) == set(view.session[split.test])
    tested = np.concatenate([s.test for s in found])
    assert sorted(tested.tolist()) == list(range(len(view)))


def test_runs_of_one_class_each_still_give_balanced_folds(make_trials, cache):
    from eegvit.views.arrays import view_of

    trials = make_trials(n_trials=30, classes=("left_hand", "right_hand", "feet"))
    in_runs = trials[np.argsort(trials.y, kind="stable")].replace(index=np.arange(30))
    view = view_of(in_runs, cache)
    for split in splits(view, Evaluate(protocol="within_session")):
        assert np.bincount(view.y[split.test]).tolist() == [2, 2, 2]


def test_fold_without_a_class_is_refused(make_trials, cache):
    from eegvit.views.arrays import view_of

    trials = make_trials(n_trials=20)
    once = trials[np.r_[np.flatnonzero(trials.y == 0)[:1], np.flatnonzero(trials.y == 1)]]
    with pytest.raises(ValueError, match="none of class left_hand"):
        splits(view_of(once, cache), Evaluate(protocol="within_session", n_folds=2))


def test_cross_session_trains_on_the_past_only(make_view):
    view = make_view(subjects=2, sessions=3)
    found = splits(view, Evaluate(protocol="cross_session"))
    assert len(found) == 4
    for split in found:
        assert len(set(view.subject[np.union1d(split.train, split.test)])) == 1
        assert max(view.session[split.train]) < min(view.session[split.test])
    for train, test in ("2", "0"), ("1", "02"):
        sides = {"train_sessions": list(train), "test_sessions": list(test)}
        with pytest.raises(ValueError, match="a session later than one tested"):
            splits(view, Evaluate(protocol="cross_session", **sides))
    with pytest.raises(ValueError, match="two sessions or more, subject 1 has 1"):
        splits(make_view(subjects=1), Evaluate(protocol="cross_session"))
    with pytest.raises(ValueError, match="two subjects or more, the data have 1"):
        splits(make_view(subjects=1), Evaluate(protocol="cross_subject"))


@pytest.mark.parametrize(
    ("evaluate", "sides"),
    [
        ({"train_sessions": ["0"]}, [("0", "12")]),
        ({"test_sessions": ["2"]}, [("01", "2")]),
        ({"train_sessions": ["0"], "calibrate": 3}, [("01", "1"), ("02", "2")]),
    ],
)
def test_named_sessions(make_view, evaluate, sides):
    view = make_view(subjects=1, sessions=3)
    found = splits(view, Evaluate(protocol="cross_session", **evaluate))
    assert [split.name for split in found] == [f"1 session {'+'.join(test)}" for _, test in sides]
    for split, (train, test) in zip(found, sides, strict=True):
        assert set(view.session[split.train]) == set(train)
        assert set(view.session[split.test]) == set(test)
        moved = 2 * evaluate.get("calibrate", 0)
        assert len(split.test) == 20 * len(test) - moved


def test_calibration_takes_the_earliest_trials_of_the_first_session(make_view):
    view = make_view(subjects=2, sessions=2)
    plain = splits(view, Evaluate(protocol="cross_subject"))
    for before, after in zip(
        plain, splits(view, Evaluate(protocol="cross_subject", calibrate=3)), strict=True
    ):
        moved = np.setdiff1d(after.train, before.train)
        assert np.array_equal(np.setdiff1d(before.test, after.test), moved)
        assert np.bincount(view.y[moved]).tolist() == [3, 3]
        assert set(view.session[moved]) == {"0"}
        for code in (0, 1):
            own = before.test[(view.y[before.test] == code) & (view.session[before.test] == "0")]
            assert set(own[:3]) <= set(moved)
    with pytest.raises(ValueError, match="leaves none to test"):
        splits(view, Evaluate(protocol="cross_subject", calibrate=10))


def test_named_targets_are_calibrated_one_by_one(make_view):
    view = make_view(subjects=4)
    found = splits(view, Evaluate(protocol="cross_subject", test_subjects=["3", "4"], calibrate=2))
    assert [set(view.subject[s.test]) for s in found] == [{"3"}, {"4"}]
    assert [set(view.subject[s.train]) for s in found] == [{"1", "2", "3"}, {"1", "2", "4"}]


@pytest.mark.parametrize(
    ("evaluate", "sides"),
    [
        ({}, [("bc", "a"), ("ac", "b"), ("ab", "c")]),
        ({"train_data": ["b"]}, [("b", "ac")]),
        ({"test_data": ["b"]}, [("ac", "b")]),
        ({"train_data": ["a"], "test_data": ["c"]}, [("a", "c")]),
    ],
)
def test_data_sets_are_left_out_whole(make_view, evaluate, sides):
    view = make_view(subjects=6)
    blocks = [replace(b, data=name) for b, name in zip(view.blocks, "aabbcc", strict=True)]
    found = splits(
        replace(view, blocks=tuple(blocks)), Evaluate(protocol="cross_dataset", **evaluate)
    )
    data = np.repeat(list("aabbcc"), 20)
    for split, (train, test) in zip(found, sides, strict=True):
        np.testing.assert_array_equal(split.train, np.flatnonzero(np.isin(data, list(train))))
        np.testing.assert_array_equal(split.test, np.flatnonzero(np.isin(data, list(test))))
        assert split.name == f"{'+'.join(test)} left out"
    with pytest.raises(ValueError, match="two data sets or more, there is arrays only"):
        splits(view, Evaluate(protocol="cross_dataset", **evaluate))


def test_target_kinds():
    aligned, causal = Align(method="euclidean"), Align(method="riemannian", mode="causal")
    assert target(Align(method="none"), Evaluate()) == "none"
    assert target(aligned, Evaluate()) == "unlabelled"
    assert target(causal, Evaluate()) == "causal"
    assert target(Align(method="none"), Evaluate(calibrate=2)) == "calibrated: 2"
    assert target(aligned, Evaluate(calibrate=2)) == "calibrated: 2 + unlabelled"
    assert target(aligned, Evaluate(), copies=True) == "unlabelled + copies"
    assert target(Align(method="none"), Evaluate(labels_per_class=(1, 3))) == "none"


def test_what_uses_more_of_the_target_comes_later():
    kinds = ["none", "causal", "unlabelled", "calibrated: 2", "calibrated: 10", "unlabelled + x"]
    assert sorted(kinds[::-1], key=target_order) == kinds


def test_a_split_that_tests_nothing_is_refused(make_view):
    view = make_view(subjects=1)
    with pytest.raises(ValueError, match="split 'all' has no trial to test"):
        check(view, Split("all", np.arange(len(view)), np.arange(0)))


@pytest.mark.parametrize("align", [Align(method="none"), Align(method="euclidean")])
def test_planted_duplicate_is_refused(make_trials, cache, align):
    from eegvit.trials import concatenate
    from eegvit.views.arrays import view_of

    people = [make_trials(subject=str(s), seed=s, n_trials=12) for s in (1, 2, 3)]
    planted = people[2].X.copy()
    planted[5] = people[0].X[7]
    people[2] = people[2].replace(X=planted)
    view = view_of(concatenate(people), cache, align)
    with pytest.raises(ValueError, match=r"1/0/0/7 .*3/0/0/5|3/0/0/5 .*1/0/0/7"):
        splits(view, Evaluate(protocol="cross_subject"))
    assert len(splits(view_of(concatenate(people[:2]), cache, align), Evaluate())) == 2
