"""Predictions are kept whole, joined, and never half-written."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from eegvit.execute.store import Prediction, Store

ABOUT = {"seconds_fit": 1.5, "seconds_predict": 0.5}


def _prediction(first: int, last: int, block: str = "b") -> Prediction:
    n = last - first
    share = np.linspace(0.1, 0.4, n)
    return Prediction(
        ids=np.array([f"1/0/0/{i}" for i in range(first, last)]),
        blocks=np.full(n, block),
        probabilities=np.stack([share, 1 - share], axis=1),
        about=dict(ABOUT),
    )


def test_saved_predictions_come_back(tmp_path):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)
    back = Store(tmp_path).load("f/k")
    assert np.array_equal(back.probabilities, one.probabilities)
    assert back.ids.tolist() == one.ids.tolist() and back.about == ABOUT
    assert store.has("f/k", one.ids[[4, 1]], one.blocks[:2])
    assert np.array_equal(back.select(one.ids[[4, 1]], one.blocks[:2]), one.probabilities[[4, 1]])


def test_has_asks_for_every_trial_and_its_block(tmp_path):
    store = Store(tmp_path)
    store.save("f/k", _prediction(0, 5))
    more, other = _prediction(0, 6), _prediction(0, 5, block="changed")
    assert not store.has("f/k", more.ids, more.blocks)
    assert not store.has("f/k", other.ids, other.blocks)
    assert not store.has("f/unknown", other.ids, other.blocks)


def test_saving_again_keeps_what_was_there(tmp_path):
    store, both = Store(tmp_path), _prediction(0, 8)
    store.save("f/k", _prediction(0, 5))
    store.save("f/k", _prediction(5, 8))
    assert store.has("f/k", both.ids, both.blocks)


def test_damaged_file_counts_as_missing(tmp_path):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)
    file = tmp_path / "f" / "k.npz"
    whole = file.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:cut])
        assert store.load("f/k") is None
        assert not store.has("f/k", one.ids, one.blocks)


def test_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        store.save("f/k", _prediction(5, 8))
    assert Store(tmp_path).load("f/k").ids.tolist() == one.ids.tolist()


def test_left_over_temporary_files_are_removed(tmp_path):
    (tmp_path / "f").mkdir()
    old, young = tmp_path / "f" / ".a.npz.1.tmp", tmp_path / "f" / ".b.npz.2.tmp"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    Store(tmp_path)
    assert not old.exists() and young.exists()


def test_failure_is_kept_until_the_fit_succeeds(tmp_path):
    store = Store(tmp_path)
    store.fail("f/k", "ValueError: no", "Traceback ...", fit="model, split")
    assert store.failure("f/k")["reason"] == "ValueError: no"
    assert store.failure("f/k")["traceback"] == "Traceback ..."
    store.save("f/k", _prediction(0, 5))
    assert store.failure("f/k") is None


def test_seconds_of_a_family(tmp_path):
    store = Store(tmp_path)
    assert store.seconds("f") is None
    store.save("f/k", _prediction(0, 5))
    store.save("f/l", _prediction(0, 5))
    assert store.seconds("f") == pytest.approx(2.0)
