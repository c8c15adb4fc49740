"""A file is known by what it holds, and read through once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from eegvit.data import checksums
from eegvit.data.checksums import remembered, stamp


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EEGVIT_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "a.fif"
    file.write_bytes(b"signals")
    return file


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note every file that is read through, and forget what this process knows."""
    readings: list[Path] = []

    def reading(path: Path) -> str:
        readings.append(path)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(checksums, "checksum", reading)
    monkeypatch.setattr(checksums, "_known", {})
    return readings


def test_a_copy_is_the_same_file(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / "a.fif"
    copy.write_bytes(b"signals")
    os.utime(copy, (1, 1))
    assert stamp(copy, copy.parent) == stamp(recording, tmp_path)
    copy.write_bytes(b"signalz")  # as long as before
    assert stamp(copy, copy.parent) != stamp(recording, tmp_path)


def test_read_through_once(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = count_readings(monkeypatch)
    first = remembered(recording)
    assert first == hashlib.sha256(b"signals").hexdigest()
    assert remembered(recording) == first
    monkeypatch.setattr(checksums, "_known", {})  # as in the next process
    assert remembered(recording) == first
    assert readings == [recording]
    os.utime(recording, (1, 1))
    assert remembered(recording) == first
    assert readings == [recording] * 2


@pytest.mark.parametrize("left", [b'["/a", 1', b"\xff\xfe", b"[1]\n{}\n5\n"])
def test_a_damaged_memory_is_passed_over(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: bytes
) -> None:
    memory = tmp_path / "cache" / "checksums.jsonl"
    memory.parent.mkdir()
    memory.write_bytes(left)
    readings = count_readings(monkeypatch)
    first = remembered(recording)
    assert first == hashlib.sha256(b"signals").hexdigest()
    monkeypatch.setattr(checksums, "_known", {})
    assert remembered(recording) == first
    assert len(readings) <= 1 + (left == b"\xff\xfe")


def test_a_place_that_cannot_be_written_to(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    assert remembered(recording) == hashlib.sha256(b"signals").hexdigest()
