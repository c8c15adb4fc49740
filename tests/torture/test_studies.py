"""Mutated study files: a short form of what `run` does at length."""

from __future__ import annotations

from pathlib import Path

from torture.studies import run


def test_mutated_studies_are_loaded_or_refused_in_words(tmp_path: Path) -> None:
    rows = run(140, seed=0, folder=tmp_path)
    assert sum(row.tried for row in rows) == 140
    assert [found for row in rows for found in row.wrong] == []
    assert all(row.handled == row.tried > 0 for row in rows)
