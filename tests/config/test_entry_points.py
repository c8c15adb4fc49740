"""A branch and a source of another package, by entry points: the repository is not touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.config.__main__ import json_schema
from eegvit.registry import BRANCHES, known, lookup, registered

BRANCH = '''\
"""A branch of another package."""

from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.branches.base import ClassicalClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class LogPower(ClassicalClassifier):
    floor: float = 1e-12

    def pipeline(self):
        power = FunctionTransformer(log_power, kw_args={"floor": self.floor})
        return Pipeline([("power", power), ("classify", LinearDiscriminantAnalysis())])


def log_power(X, floor):
    return np.log(np.maximum(X.var(axis=2), floor))
'''
SOURCE = '''\
"""A source of another package."""

from eegvit.registry import SOURCES, lookup


class Recorder(lookup(SOURCES, "simulated")):
    def __init__(self, card, *, n_people: int = 2):
        super().__init__(card, n_subjects=n_people, n_sessions=1, n_trials=24)
'''
METADATA = "Metadata-Version: 2.1\nName: other-lab\nVersion: 1.0\n"
POINTS = """\
[eegvit.branches]
log_power = other_lab.branch:LogPower
gone = other_lab.nowhere:Gone
fbcsp = other_lab.branch:LogPower

[eegvit.sources]
recorder = other_lab.source:Recorder
"""
STUDY = """\
name: added
data:
  name: small
  source: recorder
  simulated: true
  classes: [left_hand, right_hand]
  channels: [C3, Cz, C4]
  band: [8, 30]
  window: [0.5, 3.5]
  options: {n_people: 2}
models:
  power: {branch: log_power, floor: 1.0e-9}
  csp: {branch: csp_lda}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with another package as an installer leaves it."""
    folder = tmp_path / "site"
    for name, text in {
        "other_lab/__init__.py": "",
        "other_lab/branch.py": BRANCH,
        "other_lab/source.py": SOURCE,
        "other_lab-1.0.dist-info/METADATA": METADATA,
        "other_lab-1.0.dist-info/entry_points.txt": POINTS,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "added.yaml").write_text(STUDY, encoding="utf-8")
    return folder


def test_a_study_runs_what_another_package_brings(site: Path, tmp_path: Path) -> None:
    paths = [str(site), os.environ.get("PYTHONPATH", ""), *sys.path]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "eegvit.run",
            "added.yaml",
            "--jobs",
            "1",
            "--out",
            "out",
            "--cache",
            "cache",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    board = (tmp_path / "out" / "added" / "leaderboard.md").read_text(encoding="utf-8")
    assert "power" in board and "csp" in board and "failed" not in board.lower()


def test_names_here_come_first_and_mistakes_are_named(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert registered(BRANCHES) == {}
    monkeypatch.syspath_prepend(str(site))
    assert list(known(BRANCHES))[: len(BRANCHES)] == list(BRANCHES)
    assert set(registered(BRANCHES)) == {"log_power", "gone"}
    assert lookup(BRANCHES, "fbcsp").__module__ == "eegvit.branches.fbcsp"

    def mistake(old: str, new: str) -> str:
        path = tmp_path / "spoilt.yaml"
        path.write_text(STUDY.replace(old, new), encoding="utf-8")
        with pytest.raises(StudyErrors) as caught:
            load_study(path)
        (line,) = caught.value.lines
        return line.removeprefix(f"{path}:")

    assert "10: data.options.n_peple: unknown key" in mistake("n_people", "n_peple")
    assert "did you mean 'floor'" in mistake("floor", "flor")
    assert "did you mean 'log_power'" in mistake("branch: log_power", "branch: log_powr")
    gone = mistake("log_power, floor: 1.0e-9", "gone")
    assert "12: models.power.branch: 'gone' is registered by another package: " in gone


def test_the_schema_has_them(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "other_lab-1.0.dist-info" / "entry_points.txt").write_text(
        POINTS.replace("gone = other_lab.nowhere:Gone\n", "")
    )
    monkeypatch.syspath_prepend(str(site))
    assert "floor" in json_schema()["$defs"]["branch_log_power"]["properties"]
