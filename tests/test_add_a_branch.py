"""CONTRIBUTING's 'Add a branch', done to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = """\
name: added
data:
  name: small
  source: simulated
  simulated: true
  classes: [left_hand, right_hand]
  channels: [C3, Cz, C4]
  band: [8, 30]
  window: [0.5, 3.5]
  options: {n_subjects: 2, n_sessions: 1, n_trials: 24}
evaluate: {protocol: cross_subject}
models:
"""


def section(root: Path) -> str:
    """Return the text of the section."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split("## Add a branch", 1)[1].split("\n## ", 1)[0]


def blocks(root: Path) -> tuple[str, str, str]:
    """Return the section's three code blocks: file, registry line, YAML line."""
    found = re.findall(r"```\w+\n(.*?)```", section(root), flags=re.DOTALL)
    assert len(found) == 3, "the section must show one file, one registry line and one YAML line"
    return found[0], found[1], found[2]


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """Return a copy of the package with the new branch added as the text says."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("eegvit", "datasets", "pipelines"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=ignored)
    file, registry_line, yaml_line = blocks(root)
    address, _, _ = file.partition("\n")
    (tmp_path / address.removeprefix("# ")).write_text(file, encoding="utf-8")
    registry = tmp_path / "eegvit" / "registry.py"
    table = "BRANCHES: dict[str, str] = {\n"
    text = registry.read_text(encoding="utf-8")
    assert table in text
    registry.write_text(text.replace(table, table + registry_line), encoding="utf-8")
    (tmp_path / "added.yaml").write_text(STUDY + yaml_line, encoding="utf-8")
    return tmp_path


def python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's interpreter, in the copy."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_it_is_one_line_each(root: Path) -> None:
    _, registry_line, yaml_line = blocks(root)
    assert len(registry_line.splitlines()) == len(yaml_line.splitlines()) == 1


def test_a_study_runs_the_new_branch(copy: Path) -> None:
    answer = python(copy, "-m", "eegvit.run", "added.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    board = (copy / "reports" / "added" / "leaderboard.md").read_text(encoding="utf-8")
    assert "log_power" in board and "failed" not in board


def test_its_parameters_are_checked(copy: Path) -> None:
    study = copy / "added.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("floor", "flor"), encoding="utf-8")
    answer = python(copy, "-m", "eegvit.run", "added.yaml")
    assert answer.returncode == 2
    assert "did you mean 'floor'" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_it_keeps_the_contract_and_the_style(copy: Path, root: Path) -> None:
    shutil.copytree(root / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", copy)
    contract = ["tests/test_contract_branches.py", "eegvit/branches/log_power.py"]
    tests = python(copy, "-m", "pytest", "-n0", "-q", "-k", "log_power or LogPower", *contract)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert int(re.findall(r"(\d+) passed", tests.stdout)[0]) > 20


def test_the_file_is_clean(copy: Path, root: Path) -> None:
    pytest.importorskip("ruff", reason="ruff comes with the dev extra")
    shutil.copy(root / "pyproject.toml", copy)
    for command in (["check"], ["format", "--check"]):
        answer = python(copy, "-m", "ruff", *command, "eegvit/branches/log_power.py")
        assert answer.returncode == 0, answer.stdout + answer.stderr
