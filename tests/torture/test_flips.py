"""Damage to every kind of file that a study keeps: a short form of what `run` does at length."""

from __future__ import annotations

from pathlib import Path

from torture.flips import run


def test_damage_is_noticed_and_made_again_with_the_same_scores(tmp_path: Path) -> None:
    rows = run(28, seed=0, folder=tmp_path / "study")
    assert [found for row in rows for found in row.wrong] == []
    assert all(row.handled == row.tried > 0 for row in rows)
    assert sum(row.tried for row in rows) == 32
    assert len({row.kind.partition(": ")[2] for row in rows}) == 14
