"""Views: memory-mapped blocks, handles, alignment once, same trials for all."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import Align, sha256
from eegvit.preprocess.alignment import align_offline
from eegvit.views.arrays import view_of
from eegvit.views.handle import Handle
from eegvit.views.view import same_trials


def test_rows_and_blocks(make_view):
    view = make_view(subjects=2, sessions=2, n_trials=6)
    assert len(view) == 24 and len(view.blocks) == 4
    rows = np.array([1, 5, 6, 23])
    taken = view.take(rows)
    assert taken.ids.tolist() == view.ids[rows].tolist()
    assert [(b.subject, b.session, w.tolist()) for b, w in view.parts(rows)] == [
        ("1", "0", [1, 5]), ("1", "1", [0]), ("2", "1", [5]),
    ]  # fmt: skip
    assert np.array_equal(taken.X[3], view.blocks[3].trials.X[5])


def test_every_choice_of_rows_has_a_hash_of_its_own(make_view):
    block = make_view(n_trials=6).blocks[0]
    choices = [np.array(rows) for rows in (range(6), range(5), range(1, 6), (0, 2, 4))]
    hashes = [block.labelled(rows) for rows in choices]
    assert len(set(hashes)) == 4
    for rows, told in zip(choices, hashes, strict=True):
        assert told == sha256([block.trials.index[rows], block.trials.y[rows]])


def test_signals_are_mapped_and_handles_find_them(make_view, tmp_path):
    view = make_view()
    X = view.blocks[1].trials.X
    assert Handle.of(np.zeros((2, 2))) is None
    for piece in (X, X[3:7], np.asarray(X)[2:]):
        assert np.array_equal(Handle.of(piece).open(), piece)
    assert not Handle.of(X).open().flags.writeable
    assert Handle.of(X[::2]) is None


def test_alignment_is_computed_once(make_trials, cache, monkeypatch):
    from eegvit.views import blocks

    trials, calls = make_trials(n_trials=10), []

    def counted(X, method):
        calls.append(method)
        return align_offline(X, method)

    monkeypatch.setattr(blocks, "align_offline", counted)
    first = view_of(trials, cache, Align(method="euclidean"))
    again = view_of(trials, cache, Align(method="euclidean"))
    assert calls == ["euclidean"]
    assert np.allclose(first.take(np.arange(10)).X, align_offline(trials.X, "euclidean"))
    assert first.blocks[0].key == again.blocks[0].key
    assert view_of(trials, cache).blocks[0].key != first.blocks[0].key


def test_alignment_by_subject_joins_sessions(make_trials, cache):
    from eegvit.trials import concatenate

    trials = concatenate([make_trials(session=s, seed=int(s), n_trials=8) for s in "01"])
    view = view_of(trials, cache, Align(method="euclidean", domain="subject"))
    assert np.allclose(view.take(np.arange(16)).X, align_offline(trials.X, "euclidean"))


def test_another_signal_is_another_block_and_another_label_is_not(make_trials, cache):
    trials = make_trials(n_trials=10)
    X, y = trials.X.copy(), trials.y.copy()
    X[3, 0, 0] += 1
    y[3] = 1 - y[3]
    same, signal, label = (
        view_of(t, cache).blocks[0].key for t in (trials, trials.replace(X=X), trials.replace(y=y))
    )
    assert same == label != signal


def test_views_with_other_trials_are_refused(make_view):
    view, shorter = make_view(n_trials=20), make_view(n_trials=18)
    same_trials({"a": view, "b": make_view(n_trials=20)})
    with pytest.raises(ValueError, match="'a' and 'b' do not see the same trials: 6 trials"):
        same_trials({"a": view, "b": shorter})


def test_blocks_that_do_not_fit_together_are_named(make_trials, cache):
    from eegvit.views.view import make_view

    one, two = (
        view_of(make_trials(subject=s, n_trials=8, n_channels=c), cache).blocks[0]
        for s, c in (("1", 4), ("2", 5))
    )
    with pytest.raises(ValueError, match="ch_names differs.*subject 1.*subject 2"):
        make_view({}, [one, two])
    with pytest.raises(ValueError, match="1/0/0/0 .*occurs twice"):
        make_view({}, [one, one])
