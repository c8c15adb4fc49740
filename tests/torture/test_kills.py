"""Kills in every stage of a study: a short form of what `run` does at length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from torture.kills import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups")


def test_a_killed_study_goes_on_to_the_same_scores(tmp_path: Path) -> None:
    rows = run(5, seed=0, folder=tmp_path)
    assert [found for row in rows for found in row.wrong] == []
    assert sum(row.tried for row in rows) == 5
