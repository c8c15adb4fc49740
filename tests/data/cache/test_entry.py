"""Entries of the cache: damage of every file is noticed, at any time stamp, and made again."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from eegvit.data.cache import Cache, arrays
from eegvit.data.cache.entry import check_mapped
from eegvit.sealed import Damaged, read_sealed, write_sealed
from eegvit.trials import Trials

RECIPE = {"what": "x"}


def never() -> list[np.ndarray]:
    raise AssertionError("made again, although it was there")


def as_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_whole", set())


def overwrite(path: Path, content: bytes) -> None:
    """Change what a file holds as a failing disk does: its times stay as they are."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def folder(cache: Cache) -> Path:
    cache.arrays(RECIPE, lambda: [np.arange(30.0), np.arange(3)])
    found: Path = cache.entries()[0]["folder"]
    return found


@pytest.mark.parametrize("name", ["entry.json", "0.npy", "1.npy"])
def test_every_part_of_every_file_counts(
    cache: Cache, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / name
    for share in np.linspace(0, 1, 25):
        as_in_another_process(monkeypatch)
        flipped = bytearray(file.read_bytes())
        place = round(share * (len(flipped) - 1))
        flipped[place] ^= 1 << place % 8
        overwrite(file, flipped)
        with pytest.warns(UserWarning, match="is damaged"):
            again = cache.arrays(RECIPE, lambda: [np.arange(30.0), np.arange(3)])
        assert again[0].sum() == 435 and again[1].sum() == 3
        assert (folder.parent / f"{folder.name}.damaged").is_dir()
    assert cache.arrays(RECIPE, never)[0].sum() == 435


@pytest.mark.parametrize("name", ["entry.json", "0.npy"])
@pytest.mark.parametrize("damage", ["emptied", "cut", "longer", "missing"])
def test_other_damage(cache: Cache, folder: Path, name: str, damage: str) -> None:
    file = folder / name
    whole = file.read_bytes()
    new = {"emptied": b"", "cut": whole[:-10], "longer": whole + b"0", "missing": b""}[damage]
    overwrite(file, new)
    if damage == "missing":
        file.unlink()
    with pytest.warns(UserWarning, match="is damaged"):
        (again,) = cache.arrays(RECIPE, lambda: [np.ones(1000)])
    assert again.sum() == 1000


def test_arrays_are_read_through_once_a_process(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    crc32 = arrays.crc32
    monkeypatch.setattr(arrays, "crc32", lambda path: read.append(path) or crc32(path))
    for _ in range(3):
        cache.arrays(RECIPE, never)
    assert read == []  # they were read when they were made
    as_in_another_process(monkeypatch)
    for _ in range(3):
        cache.arrays(RECIPE, never)
    assert read == [folder / "0.npy", folder / "1.npy"]


def test_what_is_only_mapped_is_checked_before_it_is_used(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_in_another_process(monkeypatch)
    file = folder / "0.npy"
    overwrite(file, file.read_bytes()[:-1] + b"?")
    cache.unchecked().arrays(RECIPE, never)
    check_mapped(folder / "1.npy")
    with pytest.warns(UserWarning, match="kept as"), pytest.raises(Damaged, match=r"0\.npy is dam"):
        check_mapped(file)
    with pytest.raises(Damaged, match="is gone"):
        check_mapped(file)
    cache.arrays(RECIPE, lambda: [np.zeros(3)])
    check_mapped(file)


def test_an_array_that_never_was_in_a_cache_needs_no_check(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", np.zeros(3))
    check_mapped(tmp_path / "0.npy")


def test_trials_whose_facts_contradict_each_other_are_made_again(
    cache: Cache, people: Trials
) -> None:
    cache.sessions(RECIPE, lambda: [people])
    path = cache.entries()[0]["folder"] / "entry.json"
    entry = json.loads(read_sealed(path))
    del entry["arrays"][0]["about"]["y"][5:]
    write_sealed(path, json.dumps(entry).encode())
    with pytest.warns(UserWarning, match="is damaged: ValueError: y has 5 entries"):
        (again,) = cache.sessions(RECIPE, lambda: [people])
    np.testing.assert_array_equal(again.y, people.y)


def test_an_entry_of_a_version_without_checksums_is_made_again_in_silence(
    cache: Cache, folder: Path
) -> None:
    (folder / "entry.json").write_text('{"recipe": {}, "arrays": []}')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (again,) = cache.arrays(RECIPE, lambda: [np.ones(3)])
    assert again.sum() == 3 and cache.arrays(RECIPE, never)[0].sum() == 3
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_copied_cache_is_checked_and_used(cache: Cache, folder: Path) -> None:
    os.utime(folder / "0.npy", (1, 1))  # another time, the same content
    assert cache.arrays(RECIPE, never)[0].sum() == 435


def test_too_many_open_files_is_no_damage(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_in_another_process(monkeypatch)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match=r"entry\.json cannot be read: Too many open files"):
            cache.arrays(RECIPE, never)
        with pytest.raises(OSError, match=r"0\.npy cannot be read: Too many open files"):
            arrays.open_array(folder / "0.npy", {"size": (folder / "0.npy").stat().st_size,
                              "dtype": "<f8", "shape": [30], "offset": 128})  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert cache.arrays(RECIPE, never)[0].sum() == 435


def test_two_processes_that_find_the_same_damage_agree(cache: Cache, folder: Path) -> None:
    (folder / "0.npy").write_bytes(b"0" * (folder / "0.npy").stat().st_size)
    code = """
import sys, warnings
import numpy as np
from eegvit.data.cache import Cache
warnings.simplefilter("ignore")
print(Cache(sys.argv[1]).arrays({"what": "x"}, lambda: [np.arange(30.0)])[0].sum())
"""
    command = [sys.executable, "-c", code, str(cache.root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == ["435.0\n"] * 2
