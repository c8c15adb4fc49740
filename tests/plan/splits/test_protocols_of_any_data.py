"""Splits of people, sessions and trials as hypothesis draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eegvit.config import Evaluate
from eegvit.plan.splits.protocols import splits
from eegvit.views.view import DataView

SETTINGS = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
shapes = st.tuples(st.integers(2, 4), st.integers(2, 3), st.integers(12, 21))


def _view(make_view: Callable[..., DataView], shape: tuple[int, int, int]) -> DataView:
    people, sessions, trials = shape
    return make_view(subjects=people, sessions=sessions, n_trials=trials, n_channels=2, n_times=16)


def _sorted_and_apart(view: DataView, train: np.ndarray, test: np.ndarray) -> None:
    assert len(train) and len(test)
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
    assert not np.intersect1d(train, test).size
    assert set(view.y[train]) == set(range(len(view.classes)))


@SETTINGS
@given(shape=shapes, n_folds=st.integers(2, 5))
def test_folds_within_sessions_share_each_session_out(make_view, shape, n_folds) -> None:
    view = _view(make_view, shape)
    found = splits(view, Evaluate(protocol="within_session", n_folds=n_folds))
    tested = np.concatenate([split.test for split in found])
    assert sorted(tested) == list(range(len(view)))
    for split in found:
        _sorted_and_apart(view, split.train, split.test)
        (block,) = set(view.block[split.test])
        whole = np.union1d(split.train, split.test)
        np.testing.assert_array_equal(whole, np.flatnonzero(view.block == block))


@SETTINGS
@given(shape=shapes, calibrate=st.none() | st.integers(1, 3))
def test_sessions_are_tested_after_earlier_ones(make_view, shape, calibrate) -> None:
    view = _view(make_view, shape)
    found = splits(view, Evaluate(protocol="cross_session", calibrate=calibrate))
    tested = np.concatenate([split.test for split in found])
    assert len(set(tested)) == len(tested)
    assert len(found) == shape[0] * (shape[1] - 1)
    for split in found:
        _sorted_and_apart(view, split.train, split.test)
        assert len(set(view.subject[np.union1d(split.train, split.test)])) == 1
        (session,) = set(view.session[split.test].astype(int))
        own = split.train[view.session[split.train].astype(int) == session]
        assert (view.session[split.train].astype(int) <= session).all()
        _calibrates(view, own, split.test, calibrate)
    later = np.flatnonzero(view.session != "0")
    n_given = len(found) * len(view.classes) * (calibrate or 0)
    assert set(tested) <= set(later) and len(tested) == len(later) - n_given


@SETTINGS
@given(data=st.data(), shape=shapes, calibrate=st.none() | st.integers(1, 3))
def test_people_are_on_one_side(make_view, data, shape, calibrate) -> None:
    view = _view(make_view, shape)
    n_folds = None if calibrate else data.draw(st.none() | st.integers(2, shape[0]))
    asked = Evaluate(protocol="cross_subject", n_folds=n_folds, calibrate=calibrate)
    found = splits(view, asked)
    assert len(found) == (n_folds or shape[0])
    tested = np.concatenate([split.test for split in found])
    n_given = len(found) * len(view.classes) * (calibrate or 0)
    assert len(set(tested)) == len(tested) == len(view) - n_given
    for split in found:
        _sorted_and_apart(view, split.train, split.test)
        assert len(split.train) + len(split.test) == len(view)
        own = split.train[np.isin(view.subject[split.train], view.subject[split.test])]
        _calibrates(view, own, split.test, calibrate)


@SETTINGS
@given(shape=shapes, data=st.data())
def test_data_sets_are_on_one_side(make_view, shape, data) -> None:
    view = _view(make_view, shape)
    names = data.draw(st.lists(st.sampled_from("abc"), min_size=shape[0], max_size=shape[0]))
    names[:2] = "ab"
    of_person = dict(zip(map(str, range(1, shape[0] + 1)), names, strict=True))
    blocks = tuple(replace(block, data=of_person[block.subject]) for block in view.blocks)
    view = replace(view, blocks=blocks)
    found = splits(view, Evaluate(protocol="cross_dataset"))
    assert sorted(np.concatenate([split.test for split in found])) == list(range(len(view)))
    for split in found:
        _sorted_and_apart(view, split.train, split.test)
        assert len(split.train) + len(split.test) == len(view)
        assert not set(view.data[split.train]) & set(view.data[split.test])


def _calibrates(view: DataView, own: np.ndarray, test: np.ndarray, k: int | None) -> None:
    """Check that of who is tested the earliest k trials of each class train, and no other."""
    for code in range(len(view.classes)):
        of_class = own[view.y[own] == code]
        first = test[(view.session[test] == view.session[test[0]]) & (view.y[test] == code)]
        assert len(of_class) == (k or 0)
        assert not len(of_class) or of_class.max() < first.min()
