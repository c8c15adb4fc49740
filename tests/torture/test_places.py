"""Short files, few files, a clock that goes back: a short form of what `run` does at length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from torture.places import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits of processes")


@pytest.mark.slow
def test_what_fails_a_study_is_said_and_it_goes_on(tmp_path: Path) -> None:
    rows = run(4, seed=0, folder=tmp_path)
    assert [found for row in rows for found in row.wrong] == []
    assert len(rows) == 3 and all(row.handled == row.tried == 1 for row in rows)
