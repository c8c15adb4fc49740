"""The store under any order of writes, with a crash at any moment of any of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eegvit.execute.store import Prediction, Store

CALLS = ("os.fsync", "pathlib.Path.replace", "pathlib.Path.open", "pathlib.Path.unlink", "os.open")
KEYS = ("f/a", "f/b", "g/a")
told = st.tuples(st.sampled_from(KEYS), st.integers(0, 9), st.integers(1, 6))
crashes = st.none() | st.tuples(st.sampled_from(CALLS), st.integers(1, 3), st.booleans())
writes = st.lists(st.tuples(told, crashes), max_size=8)


class Crash(BaseException):
    """The process ends here."""


def _prediction(key: str, first: int, n: int) -> Prediction:
    """Return what a fit says of trials: always the same of the same trial."""
    ids = np.array([f"1/0/0/{i}" for i in range(first, first + n)])
    share = np.array([(hash_of(key) + 7 * i) % 11 / 11 for i in range(first, first + n)])
    return Prediction(ids, np.full(n, "b"), np.stack([share, 1 - share], 1), {"fit": key})


def hash_of(key: str) -> int:
    return sum(key.encode())


def _save(
    root: Path, prediction: Prediction, key: str, crash: tuple[str, int, bool] | None
) -> bool:
    """Save as a new process does, which may crash; say whether it came to its end."""
    if crash is None:
        Store(root).save(key, prediction)
        return True
    call, nth, after = crash
    module, _, name = call.rpartition(".")
    owner = {"os": os, "pathlib.Path": Path}[module]
    real, calls = getattr(owner, name), []

    def crashing(*arguments, **more):
        calls.append(call)
        if len(calls) == nth and not after:
            raise Crash
        value = real(*arguments, **more)
        if len(calls) == nth:
            raise Crash
        return value

    try:
        with patch.object(owner, name, crashing):
            Store(root).save(key, prediction)
    except Crash:
        return False
    return True


@settings(max_examples=60, deadline=None, derandomize=True)
@given(writes=writes)
def test_whatever_was_saved_is_there_and_whole(writes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        saved: dict[str, set[str]] = {key: set() for key in KEYS}
        begun: dict[str, set[str]] = {key: set() for key in KEYS}
        for (key, first, n), crash in writes:
            prediction = _prediction(key, first, n)
            begun[key] |= set(prediction.ids.tolist())
            if _save(root, prediction, key, crash):
                saved[key] |= set(prediction.ids.tolist())
            _check(Store(root), saved, begun)
        assert not list(root.glob("*/*.damaged"))


def _check(store: Store, saved: dict[str, set[str]], begun: dict[str, set[str]]) -> None:
    for key in KEYS:
        known = store.load(key)
        ids = set() if known is None else set(known.ids.tolist())
        assert saved[key] <= ids <= begun[key]
        for trial in ids:
            one = np.array([trial])
            expected = _prediction(key, int(trial.rpartition("/")[2]), 1).probabilities
            np.testing.assert_array_equal(known.select(one, np.array(["b"])), expected)
