"""The cache: same again, atomic, safe with two processes, size limited."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eegvit.data.cache import LIMIT_GB, Cache
from eegvit.trials import Trials

RECIPE = {"card": {"name": "simulated", "band": [4, 40]}, "subject": "1"}

# A process that makes one entry: argv are the root, and seconds that making takes.
MAKER = """
import sys, time
import numpy as np
from eegvit.data.cache import Cache
made = []
def make():
    made.append(1)
    time.sleep(float(sys.argv[2]))
    return [np.arange(60_000, dtype=np.float32).reshape(3, 20_000)] * 3
out = Cache(sys.argv[1]).arrays({"what": "race"}, make)
print(len(made), all(a.sum(dtype=float) == 1799970000 for a in out), flush=True)
"""

# A process that dies while it writes: the second array never reaches the disk.
DYING = """
import os, signal, sys
import numpy as np
from eegvit.data.cache import Cache, entry
write = entry.write_array
def write_then_die(path, array):
    if path.name == "1.npy":
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return write(path, array)
entry.write_array = write_then_die
Cache(sys.argv[1]).arrays({"what": "race"}, lambda: [np.zeros(10)] * 3)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def never() -> list[np.ndarray]:
    raise AssertionError("made again, although it was there")


def test_trials_come_back_unchanged_and_mapped(cache: Cache, people: Trials) -> None:
    sessions = [people[people.subject == s].replace(tmin=-0.5) for s in ("1", "2")]
    first = cache.sessions(RECIPE, lambda: sessions)
    again = cache.sessions(dict(reversed(RECIPE.items())), never)  # type: ignore[arg-type]
    for made, stored, loaded in zip(sessions, first, again, strict=True):
        for trials in (stored, loaded):
            assert isinstance(trials.X, np.memmap) and not trials.X.flags.writeable
            assert trials.X.dtype == np.float32
            for name in ("X", "y", "subject", "session", "run", "index"):
                np.testing.assert_array_equal(getattr(trials, name), getattr(made, name))
            assert trials.classes == made.classes and trials.ch_names == made.ch_names
            assert trials.sfreq == made.sfreq and trials.tmin == -0.5


def test_another_recipe_is_another_entry(cache: Cache) -> None:
    cache.arrays({"band": [4, 40]}, lambda: [np.zeros(3)])
    (other,) = cache.arrays({"band": [4, 38]}, lambda: [np.ones(3)])
    assert other.sum() == 3 and len(cache.entries()) == 2


def test_empty_arrays_and_other_types(cache: Cache) -> None:
    made = [np.zeros((0, 3)), np.arange(4), np.float64(2.5) * np.ones(())]
    cache.arrays({"what": "odd"}, lambda: made)
    for array, loaded in zip(made, cache.arrays({"what": "odd"}, never), strict=True):
        assert loaded.shape == array.shape and loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)


def test_objects_are_never_pickled(cache: Cache) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.arrays({"what": "objects"}, lambda: [np.array([{}], dtype=object)])
    assert not cache.entries() and not list((cache.root / "making").iterdir())


def test_two_processes_make_one_entry(tmp_path: Path) -> None:
    processes = [start(MAKER, tmp_path, 1.0) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [out.split()[1] for out, _ in outputs] == ["True", "True"]
    assert sorted(out.split()[0] for out, _ in outputs) == ["0", "1"]  # the other waited for it
    assert [errors for _, errors in outputs] == ["", ""]
    assert len(Cache(tmp_path).entries()) == 1
    assert not list((tmp_path / "making").iterdir()) + list((tmp_path / "running").iterdir())
    third = start(MAKER, tmp_path, 0).communicate(timeout=60)[0].split()
    assert third == ["0", "True"]


def test_a_process_killed_while_writing_leaves_no_entry(tmp_path: Path) -> None:
    process = start(DYING, tmp_path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    cache = Cache(tmp_path)
    left = list((tmp_path / "making").iterdir())
    assert len(left) == 1 and not cache.entries()
    (made, *_) = cache.arrays({"what": "race"}, lambda: [np.ones(10)])
    assert made.sum() == 10
    assert left[0].exists()  # it might belong to a living process
    with cache.in_use("young"):
        assert left[0].exists()
    os.utime(left[0], (0, 0))
    with cache.in_use("next"):
        assert not left[0].exists()


def test_a_study_clears_away_what_dead_ones_left(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    half_made = [tmp_path / ".forms.json.7.tmp", tmp_path / "known" / ".a.json.7.tmp"]
    (dead := tmp_path / "running" / "7-a.running").parent.mkdir()
    (tmp_path / "known").mkdir()
    for path in (*half_made, dead):
        path.write_text("")
    with cache.in_use("first"):
        assert not dead.exists() and all(path.exists() for path in half_made)
    for path in half_made:
        os.utime(path, (0, 0))
    with cache.in_use("second"):
        assert not any(path.exists() for path in half_made)


def test_the_entries_used_longest_ago_are_deleted(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_gb=3.5e-3)
    for i in range(3):
        cache.arrays({"what": i}, lambda: [np.zeros(125_000)])  # 1 MB each
        os.utime(cache.entries()[0]["folder"] / "entry.json", (i + 1, i + 1))
    held = cache.arrays({"what": 0}, never)  # now 1 is the one used longest ago
    cache.arrays({"what": 3}, lambda: [np.zeros(125_000)])
    assert sorted(entry["recipe"]["what"] for entry in cache.entries()) == [0, 2, 3]
    cache.arrays({"what": 4}, lambda: [np.ones(1_000_000)])  # 8 MB: only itself is spared
    assert [entry["recipe"]["what"] for entry in cache.entries()] == [4]
    assert held[0].sum() == 0  # a deleted array that is mapped stays readable


def test_a_cache_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.warns(UserWarning, match="nothing can be kept in the cache"):
        (made,) = Cache(tmp_path / "file").arrays({"what": "x"}, lambda: [np.ones(3)])
    assert made.sum() == 3


def test_root_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EEGVIT_CACHE", str(tmp_path / "there"))
    assert Cache().root == tmp_path / "there" and Cache().fits == tmp_path / "there" / "fits"
    monkeypatch.delenv("EEGVIT_CACHE")
    assert Cache().root == Path.home() / ".cache" / "eegvit"
    assert Cache(tmp_path).limit_gb == LIMIT_GB
