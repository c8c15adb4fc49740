"""Sealed files: every flipped bit is noticed, set aside and said; other errors are errors."""

from __future__ import annotations

import json
import os
import resource
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eegvit.sealed import (
    Damaged,
    Unsealed,
    clear_half_made,
    is_stale,
    read_mapping,
    read_sealed,
    recall,
    write_sealed,
)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "f" / "g" / "note.json"
    write_sealed(path, json.dumps({"people": ["2b/1", "2b/2"]}).encode())
    return path


@contextmanager
def no_file_can_be_opened() -> Iterator[None]:
    """Let the system say that too many files are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_every_single_bit_is_noticed(note: Path) -> None:
    whole = note.read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        note.write_bytes(flipped)
        with pytest.raises(Damaged, match="note.json is damaged: its checksum is wrong"):
            read_sealed(note)


def test_every_length_but_the_whole_is_noticed(note: Path) -> None:
    whole = note.read_bytes()
    for content in (*(whole[:n] for n in range(len(whole))), whole + b"\n", whole + whole):
        note.write_bytes(content)
        with pytest.raises(Damaged):
            read_sealed(note)


def test_what_is_damaged_is_set_aside_and_said_once(note: Path) -> None:
    note.write_bytes(note.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="note.json is damaged.*kept as note.json.damaged"):
        assert recall(note, read_mapping) is None
    assert [path.name for path in note.parent.iterdir()] == ["note.json.damaged"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recall(note, read_mapping) is None
    write_sealed(note, b"{}")
    note.write_bytes(b"")
    with pytest.warns(UserWarning, match="it is empty"):
        recall(note, read_mapping)
    assert (note.parent / "note.json.damaged").read_bytes() == b""


@pytest.mark.parametrize(
    "content", [b"[1, 2]", b"5", b"null", b"{", b"\xff\xfe", b'{"a": "\xff"}', b"[" * 10**5]
)
def test_another_shape_is_damage_too(note: Path, content: bytes) -> None:
    write_sealed(note, content)
    with pytest.warns(UserWarning, match="note.json is damaged"):
        assert recall(note, read_mapping) is None


@pytest.mark.parametrize("error", [IndexError("5"), KeyError("x"), NotImplementedError("zip")])
def test_contents_that_contradict_themselves_are_damage(note: Path, error: Exception) -> None:
    def read(path: Path) -> None:
        raise error

    with pytest.warns(UserWarning, match=f"note.json is damaged: {type(error).__name__}: "):
        assert recall(note, read) is None
    assert not note.exists()


@pytest.mark.parametrize("content", [b'{"a": 1}', b"PK\x03\x04"])
def test_files_of_versions_without_seals_are_not_there(note: Path, content: bytes) -> None:
    note.write_bytes(content)
    with pytest.raises(Unsealed, match="earlier version"):
        read_sealed(note)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recall(note, read_mapping) is None
    assert note.read_bytes() == content


def test_too_many_open_files_is_an_error_with_the_name_and_no_damage(note: Path) -> None:
    whole = note.read_bytes()
    with no_file_can_be_opened(), pytest.raises(OSError, match=r"note\.json cannot be read: Too m"):
        recall(note, read_mapping)
    assert note.read_bytes() == whole and len(list(note.parent.iterdir())) == 1


def test_no_permission_is_an_error_with_the_name_and_no_damage(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match=r"note\.json cannot be read: Permission denied$"):
        recall(note, read_mapping)
    assert note.exists()


def test_damage_that_cannot_be_renamed_is_said(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note.write_bytes(b"?")

    def refuse(path: Path, _: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.warns(UserWarning, match=r"cannot be renamed \(Permission denied\)"):
        assert recall(note, read_mapping) is None


def test_an_interrupted_write_leaves_the_old_file(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_sealed(note, b"{}")
    assert read_mapping(note)["people"] == ["2b/1", "2b/2"]
    assert len(list(note.parent.iterdir())) == 1


def test_all_of_a_file_is_on_the_disk_before_it_takes_its_name(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    write_sealed(note, b"[1, 2, 3]")
    assert sizes[0] == note.stat().st_size and len(sizes) == 2  # the file, then its folder


def test_writing_leaves_no_file_open(note: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        write_sealed(note, b"{}")
    assert len(os.listdir("/dev/fd")) == before


def test_what_a_killed_process_left_goes_after_an_hour_and_not_before(tmp_path: Path) -> None:
    old, new = tmp_path / ".a.npz.1.tmp", tmp_path / ".b.npz.2.tmp"
    for file in (old, new, tmp_path / "c.npz"):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    clear_half_made(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [".b.npz.2.tmp", "c.npz"]
    assert not is_stale(old)  # gone already
