"""Damaged recordings: a short form of what `run` does at length."""

from __future__ import annotations

from pathlib import Path

from torture.recordings import FORMATS, run


def test_damaged_recordings_are_named_or_read_as_they_were(tmp_path: Path) -> None:
    rows = run(27, seed=0, folder=tmp_path)
    assert sum(row.tried for row in rows) == 27 and len(rows) == len(FORMATS) + 1
    assert [found for row in rows for found in row.wrong] == []
    assert all(row.handled == row.tried for row in rows)
