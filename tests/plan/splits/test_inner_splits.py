"""Inner splits: nothing of what is tested or predicted trains, and fits are shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Ensemble, Evaluate
from eegvit.execute.store import Store
from eegvit.plan.dry_run import describe
from eegvit.plan.plan import make_plan
from eegvit.plan.splits.inner_splits import count_fits, inner_splits
from eegvit.plan.splits.protocols import splits

LEAVE_OUT = {"protocol": "cross_subject"}
STACKED = {"stacked": Ensemble(of=("a", "b"), rule="meta")}


@pytest.mark.parametrize(
    ("subjects", "sessions", "evaluate", "n_inner"),
    [
        (4, 1, LEAVE_OUT, 3),
        (6, 1, LEAVE_OUT | {"n_folds": 3}, 2),
        (4, 1, LEAVE_OUT | {"n_folds": 2}, 2),
        (5, 1, LEAVE_OUT | {"test_subjects": ("4", "5")}, 3),
        (5, 1, LEAVE_OUT | {"train_subjects": ("1", "2"), "test_subjects": ("5",)}, 2),
        (1, 1, {"protocol": "within_session"}, 4),
        (1, 1, {"protocol": "within_session", "n_folds": 2}, 5),
        (2, 2, {"protocol": "cross_session"}, 5),
        (1, 3, {"protocol": "cross_session", "train_sessions": ("0", "1")}, 2),
        (1, 2, {"protocol": "cross_session", "calibrate": 2}, 5),
    ],
)
def test_inner_splits_predict_each_training_trial_once(
    make_view, subjects, sessions, evaluate, n_inner
):
    view = make_view(subjects=subjects, sessions=sessions, n_trials=20)
    evaluate = Evaluate(**evaluate)
    found = splits(view, evaluate)
    for outer in found:
        inner = inner_splits(view, evaluate, outer, found)
        assert len(inner) == n_inner
        for part in inner:
            rows = np.concatenate([part.train, part.test])
            assert len(np.unique(rows)) == len(rows)
            assert not np.isin(outer.test, rows).any()
            assert np.isin(rows, outer.train).all()
            assert set(view.y[part.train]) == {0, 1}
        predicted = np.concatenate([part.test for part in inner])
        assert len(np.unique(predicted)) == len(predicted)
        moved = 0 if evaluate.calibrate is None else 2 * evaluate.calibrate
        assert len(predicted) == len(outer.train) - moved
        if evaluate.protocol == "cross_subject":
            for part in inner:
                assert not set(view.subject[part.train]) & set(view.subject[part.test])
                assert not set(view.subject[part.train]) & set(view.subject[outer.test])


def test_calibrated_inner_splits_calibrate_whom_they_predict(make_view):
    view = make_view(subjects=4, n_trials=20)
    evaluate = Evaluate(calibrate=3)
    found = splits(view, evaluate)
    for outer in found:
        (own,) = set(view.subject[outer.test])
        for part in inner_splits(view, evaluate, outer, found):
            (held,) = set(view.subject[part.test])
            for person in (own, held):  # three trials a class of both, and the earliest
                trained = part.train[view.subject[part.train] == person]
                assert np.bincount(view.y[trained]).tolist() == [3, 3]
                of_class = np.flatnonzero((view.subject == person) & (view.y == 0))
                assert np.isin(of_class[:3], trained).all()
            assert not np.isin(outer.test, part.train).any()
            assert len(part.test) == 14
    parts = [part for outer in found for part in inner_splits(view, evaluate, outer, found)]
    assert len({tuple(part.train) for part in parts}) == 4 * 3 // 2  # shared two by two


def test_stretches_of_a_session_are_whole_and_in_time_order(make_view):
    view = make_view(subjects=1, sessions=2, n_trials=20)
    evaluate = Evaluate(protocol="cross_session")
    (outer,) = splits(view, evaluate)
    parts = inner_splits(view, evaluate, outer, [outer])
    assert [part.name for part in parts] == [
        f"1 session 1, stretch {number} held out" for number in range(1, 6)
    ]
    for part in parts:
        for code in (0, 1):
            of_class = np.flatnonzero(view.y[outer.train] == code)
            places = np.flatnonzero(np.isin(outer.train[of_class], part.test))
            assert np.array_equal(places, np.arange(places[0], places[0] + 2))


def test_earlier_sessions_share_fits_with_the_protocol(make_study, make_view):
    view = make_view(subjects=1, sessions=3, n_trials=20)
    models = {"a": ("csp_lda", {}), "b": ("mdm", {})}
    study = make_study(models, protocol="cross_session")
    plan = make_plan(study.model_copy(update={"ensembles": STACKED}), dict.fromkeys(models, view))
    # session 2 after 1 and 3 after both; stretches of session 1, and 1 and 2 without each other
    assert len(plan.fits) == 2 * (2 + 5 + 1)


@pytest.mark.parametrize(
    ("names", "evaluate", "held"),
    [
        ("aabbcc", {}, [("b", "b"), ("c", "c")]),  # data set by data set
        ("aaabbb", {}, [("b",), ("b",), ("b",)]),  # one to train on: person by person
        ("aabbcc", {"calibrate": 3}, [("b",), ("b",), ("c",), ("c",)]),
    ],
)
def test_data_sets_are_held_out_whole_where_several_train(make_view, names, evaluate, held):
    view = make_view(subjects=6)
    blocks = [replace(b, data=name) for b, name in zip(view.blocks, names, strict=True)]
    view = replace(view, blocks=tuple(blocks))
    evaluate = Evaluate(protocol="cross_dataset", **evaluate)
    found = splits(view, evaluate)
    parts = inner_splits(view, evaluate, found[0], found)
    assert [
        tuple(view.blocks[n].data for n in np.unique(view.block[part.test])) for part in parts
    ] == held
    for part in parts:
        assert not np.isin(part.train, part.test).any()
        assert not np.isin(found[0].test, part.train).any()


def test_two_people_cannot_stack_and_are_told_what_they_can(make_study, make_view):
    view = make_view(subjects=2)
    models = {"a": ("csp_lda", {}), "b": ("mdm", {})}
    study = make_study(models)
    with pytest.raises(
        ValueError, match=r"ensembles stacked learn .* trains on 2 alone.* vote, av"
    ):
        make_plan(study.model_copy(update={"ensembles": STACKED}), dict.fromkeys(models, view))
    vote = {"vote": Ensemble(of=("a", "b"), rule="vote")}
    plan = make_plan(study.model_copy(update={"ensembles": vote}), dict.fromkeys(models, view))
    assert len(plan.fits) == 4


def test_five_members_leave_one_out_run_each_pair_once(make_study, make_view, tmp_path):
    view = make_view(subjects=6, n_trials=8)
    models = {
        "a": ("csp_lda", {}),
        "b": ("mdm", {}),
        "c": ("tangent_space", {}),
        "d": ("csp_lda", {"n_components": 2}),
        "e": ("chance", {}),
    }
    study = make_study(models, seeds=(0, 1))
    both = {
        "stacked": Ensemble(of=tuple(models), rule="meta"),
        "again": Ensemble(of=("c", "a", "b"), rule="weighted"),
    }
    views = dict.fromkeys(models, view)
    alone = make_plan(study, views)
    plan = make_plan(study.model_copy(update={"ensembles": both}), views)
    count = count_fits(plan.requests)
    assert len(plan.fits) == count.distinct == 5 * (6 * 7 // 2)
    assert count.naive == 5 * 6 * 6 and count.ratio < 0.6
    assert set(alone.fits) < set(plan.fits)
    said = describe(plan, Store(tmp_path))
    assert "105 fits, 0 stored" in said and "ensembles learn from 75 fits more" in said
    assert "their members take 105 distinct fits instead of 180 (58 %)" in said


def test_only_members_that_rules_learn_from_get_inner_fits(make_study, make_view):
    view = make_view(subjects=4, n_trials=8)
    models = {"a": ("csp_lda", {}), "b": ("mdm", {}), "c": ("tangent_space", {})}
    ensembles = {
        "stacked": Ensemble(of=("a", "b"), rule="meta"),
        "vote": Ensemble(of=("b", "c"), rule="vote"),
    }
    study = make_study(models).model_copy(update={"ensembles": ensembles})
    plan = make_plan(study, dict.fromkeys(models, view))
    n_fits = {m: len({r.key for r in plan.requests if r.model == m}) for m in models}
    assert n_fits == {"a": 10, "b": 10, "c": 4}
