"""The wheel: cards and pipelines travel with it, and work without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built by the backend that pip would use, without a network."""
    pytest.importorskip("hatchling", reason="hatchling comes with the test extra")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (built,) = out.glob("eegvit-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's content, far from the checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(installed: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an interpreter that sees the installed package only."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_every_card_and_pipeline_is_in_the_wheel(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("datasets", "pipelines"):
        files = [p for p in (root / folder).rglob("*") if p.suffix in {".yaml", ".yml"}]
        assert files, f"{folder}/ is empty"
        for file in files:
            assert f"eegvit/shipped/{file.relative_to(root).as_posix()}" in names


def test_every_template_of_the_page_is_in_the_wheel(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = [p for p in (root / "eegvit/report/templates").rglob("*") if p.is_file()]
    assert {"page.html", "page.css", "page.js"} < {file.name for file in files}
    assert {file.relative_to(root).as_posix() for file in files} <= names


def test_types_licence_and_command_are_in_the_wheel_and_tests_are_not(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    assert "eegvit/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    assert "eegvit = eegvit.command:main" in archive.read(entry).decode()
    assert not [name for name in names if name.startswith(("tests/", "shared/", "reports/"))]


def test_every_shipped_name_loads_without_a_checkout(
    root: Path, installed: Path, tmp_path: Path
) -> None:
    studies = [p.stem for p in sorted((root / "pipelines").glob("*.yaml"))]
    code = (
        "import eegvit, eegvit.config as c\n"
        f"for name in {studies!r}: print(c.load_study(name).name)\n"
        "print(eegvit.__file__)"
    )
    answer = python(installed, tmp_path, "-c", code)
    assert answer.returncode == 0, answer.stderr
    *names, file = answer.stdout.split()
    assert Path(file).is_relative_to(installed), "the checkout was imported, not the wheel"
    assert len(names) == len(studies)


def test_a_study_runs_by_name_without_a_checkout(installed: Path, tmp_path: Path) -> None:
    small = [
        "data.subjects=[1,2]",
        "data.options={n_subjects: 2, n_sessions: 1, n_trials: 16, n_runs: 2}",
        "view.channels=[C3, Cz, C4]",
        "models={chance: {branch: chance}}",
    ]
    changes = [part for change in small for part in ("--set", change)]
    answer = python(installed, tmp_path, "-m", "eegvit.run", *changes, "--jobs", "1")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "simulated" in (tmp_path / "reports/quickstart/leaderboard.html").read_text("utf-8")
