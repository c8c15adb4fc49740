"""The examples are notebooks, and they run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_is_a_notebook_with_text_and_code(example: Path) -> None:
    jupytext = pytest.importorskip("jupytext", reason="jupytext comes with the test extra")
    cells = jupytext.read(example).cells
    kinds = [cell.cell_type for cell in cells]
    assert kinds[0] == "markdown" and cells[0].source.startswith("# ")
    assert {"markdown", "code"} == set(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(
    example: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    given = {"TMPDIR": str(tmp_path), "PYTHONPATH": str(example.parent.parent)}
    if "EEGVIT_TEST_DATA" in example.read_text(encoding="utf-8"):
        given["EEGVIT_TEST_DATA"] = str(request.getfixturevalue("data_dir"))
    answer = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning:__main__", str(example)],
        cwd=tmp_path,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "%" in answer.stdout
