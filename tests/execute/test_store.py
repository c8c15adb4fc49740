"""Predictions are kept whole, joined, and never half-written."""

from __future__ import annotations

import io
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from eegvit.execute.store import Prediction, Store
from eegvit.sealed import write_sealed

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


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied"])
def test_damaged_predictions_are_set_aside_and_count_as_missing(tmp_path, damage):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)
    file = tmp_path / "f" / "k.npz"
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(1 if damage == "emptied" else 200):
        place = int(rng.integers(8 * len(whole)))
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        cut = {"flipped": len(whole), "cut": place // 8, "emptied": 0}[damage]
        file.write_bytes(content[:cut])
        with pytest.warns(UserWarning, match=r"k\.npz is damaged.*kept as k\.npz\.damaged"):
            assert store.load("f/k") is None
        assert not store.has("f/k", one.ids, one.blocks)
    store.save("f/k", one)
    assert store.has("f/k", one.ids, one.blocks)


def test_predictions_that_contradict_themselves_are_set_aside(tmp_path):
    store, one = Store(tmp_path), _prediction(0, 5)
    content = io.BytesIO()
    fields = {"ids": one.ids, "block": np.full(5, 3), "block_names": np.array(["b"])}
    np.savez(content, **fields, probabilities=one.probabilities, about=np.array("{}"))
    write_sealed(tmp_path / "f" / "k.npz", content.getvalue())
    with pytest.warns(UserWarning, match=r"k\.npz is damaged: IndexError"):
        assert store.load("f/k") is None
    for told in (_prediction(0, 5).probabilities[:3], np.array([object()])):
        content = io.BytesIO()
        fields["block"] = np.zeros(5, int)
        np.savez(content, **fields, probabilities=told, about=np.array("{}"))
        write_sealed(tmp_path / "f" / "k.npz", content.getvalue())
        with pytest.warns(UserWarning, match=r"k\.npz is damaged: ValueError"):
            assert store.load("f/k") is None


def test_failures_and_notes_are_sealed_too(tmp_path):
    store = Store(tmp_path)
    store.fail("f/k", "no memory")
    store.keep_note("f/n", {"accuracy": 0.5})
    assert store.failure("f/k")["reason"] == "no memory" and store.note("f/n") == {"accuracy": 0.5}
    for path in tmp_path.glob("f/*.json"):
        path.write_bytes(path.read_bytes().replace(b"0.5", b"0.7").replace(b"no m", b"nn m"))
    with pytest.warns(UserWarning, match="is damaged: its checksum is wrong"):
        assert store.failure("f/k") is None and store.note("f/n") is None
    assert len(list(tmp_path.glob("f/*.damaged"))) == 2


def test_what_cannot_be_read_is_an_error_and_stays(tmp_path, monkeypatch):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="k.npz cannot be read: T"):
        patched.setattr(Path, "read_bytes", _too_many)
        store.load("f/k")
    assert store.has("f/k", one.ids, one.blocks)


def _too_many(path):
    raise OSError(24, "Too many open files", str(path))


def test_predictions_without_a_checksum_count_as_missing(tmp_path):
    store, one = Store(tmp_path), _prediction(0, 5)
    (tmp_path / "f").mkdir()
    np.savez(tmp_path / "f" / "k.npz", ids=one.ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.load("f/k") is None
    assert (tmp_path / "f" / "k.npz").exists()


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


def test_checkpoints_of_finished_fits_are_removed_when_nobody_can_be_at_them(tmp_path):
    store, one = Store(tmp_path), _prediction(0, 5)
    store.save("f/k", one)
    finished, unfinished = store.checkpoint("f/k"), store.checkpoint("f/l")
    for path in (finished, unfinished):
        path.touch()
    Store(tmp_path)
    assert finished.exists()
    for path in (finished, unfinished):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    Store(tmp_path)
    assert not finished.exists() and unfinished.exists()


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


def test_a_checkpoint_can_be_written_at_once_and_again(tmp_path):
    store = Store(tmp_path / "cache" / "fits")
    for content in (b"one", b"two"):
        path = store.checkpoint("f/k")
        path.write_bytes(content)
    assert path.read_bytes() == b"two" and path.parent == store.root / "f"
