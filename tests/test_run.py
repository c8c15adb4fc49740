"""The command as a user types it: a study in, a report out, clear words when it cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STUDY = """\
name: small
data:
  card: simulated
  subjects: [1, 2, 3]
  channels: [C3, Cz, C4, FC3, FC4]
  classes: [left_hand, right_hand]
  options: {n_trials: 24, n_runs: 1, n_sessions: 1}
align: {method: euclidean}
view: {resample: 125}
evaluate: {protocol: cross_subject, seeds: [0, 1]}
models:
  chance: {branch: chance, align: none}
  csp: {branch: csp_lda, n_components: 4}
  tangent: {branch: tangent_space}
"""


def run(folder: Path, *arguments: str, cache: str = "cache") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *arguments, cache=cache), capture_output=True, text=True, cwd=folder
    )


def command(folder: Path, *arguments: str, cache: str = "cache") -> list[str]:
    where = ["--out", str(folder / f"reports-{cache}"), "--cache", str(folder / cache)]
    return [sys.executable, "-m", "eegvit.run", *arguments, *where]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return path


def test_a_study_becomes_a_report_and_runs_once(study: Path) -> None:
    folder = study.parent
    plan = run(folder, "small.yaml", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "to be read first: simulated, 1, 2, 3" in plan.stdout
    assert not list((folder / "cache").glob("entries/*/*"))  # and nothing was
    first = run(folder, "small.yaml")
    assert first.returncode == 0, first.stderr
    assert "SIMULATED" in first.stdout and "csp" in first.stdout
    plan = run(folder, "small.yaml", "--dry-run")  # 3 models, 3 people, no model has a seed
    assert "9 fits, 9 stored, 0 to run" in plan.stdout
    page = Path(first.stdout.strip().splitlines()[-1])
    assert page.is_file() and "SIMULATED" in page.read_text()
    written = {path.name for path in page.parent.iterdir()}
    assert written >= {
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard.html",
        "scores.csv",
        "manifest.json",
    }
    scores = (page.parent / "scores.csv").read_bytes()

    reordered = STUDY.replace("align: {method: euclidean}\n", "") + "# a comment\n"
    study.write_text("align: {method: euclidean}\n" + reordered)
    assert "9 fits, 9 stored, 0 to run" in run(folder, "small.yaml", "--dry-run").stdout
    study.write_text(STUDY.replace("  tangent: {branch: tangent_space}\n", ""))
    assert "6 fits, 6 stored, 0 to run" in run(folder, "small.yaml", "--dry-run").stdout
    study.write_text(STUDY)
    assert run(folder, "small.yaml").returncode == 0
    assert (page.parent / "scores.csv").read_bytes() == scores

    for change, stored in [
        ("models.csp.n_components=2", 6),
        ("align.method=riemannian", 3),  # chance is not aligned
    ]:
        plan = run(folder, "small.yaml", "--dry-run", "--set", change)
        assert f"9 fits, {stored} stored" in plan.stdout, plan.stdout + plan.stderr
    other = run(folder, "small.yaml", "--dry-run", "--set", "data.options.seed=5")
    assert "to be read first: simulated, 1, 2, 3" in other.stdout


def test_mistakes_are_listed_without_a_traceback(study: Path) -> None:
    study.write_text(STUDY.replace("csp_lda", "csplda").replace("seeds", "sedes"))
    done = run(study.parent, "small.yaml")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "small.yaml:10: evaluate.sedes: unknown key 'sedes'" in done.stderr
    assert "did you mean 'seeds'?" in done.stderr
    assert "small.yaml:13: models.csp.branch: unknown branch 'csplda'" in done.stderr
    assert "2 mistakes" in done.stderr and done.stdout == ""


def test_a_model_that_fails_stays_in_the_table(study: Path) -> None:
    study.write_text(STUDY + "  broken: {branch: fbcsp, bands: [[70, 80]]}\n")
    done = run(study.parent, "small.yaml")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "failed" in done.stdout.lower() and "band 70-80 Hz" in done.stdout, done.stdout
    assert "csp" in done.stdout


def test_a_place_that_cannot_be_written_is_found_before_the_first_fit(study: Path) -> None:
    folder = study.parent
    (folder / "file").write_text("")
    for option in ("--out", "--cache"):
        done = subprocess.run(
            [*command(folder, "small.yaml"), option, str(folder / "file" / "below")],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert done.returncode == 1 and "Traceback" not in done.stderr
        told = " ".join(done.stderr.split())
        assert f"cannot be written: Not a directory; choose another folder by {option}" in told
        assert not list((folder / "cache").rglob("*.npz"))


@pytest.mark.slow
def test_a_class_of_another_package_runs_where_it_is_allowed(study: Path) -> None:
    folder = study.parent
    (folder / "own_lab.py").write_text(
        "import numpy as np\nfrom sklearn.dummy import DummyClassifier\n"
        "class Prior(DummyClassifier):\n    def __init__(self, strategy='prior'):\n"
        "        super().__init__(strategy=strategy)\n"
    )
    study.write_text(STUDY + "  own: {branch: 'own_lab:Prior', strategy: most_frequent}\n")
    refused = run(folder, "small.yaml")
    assert refused.returncode == 2 and "--allow PACKAGE" in refused.stderr
    assert "small.yaml:15: models.own.branch: 'own_lab:Prior' is not of" in refused.stderr
    done = run(folder, "small.yaml", "--allow", "own_lab")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "own" in done.stdout and "failed" not in done.stdout.lower()


def test_a_spoilt_study_is_refused_by_the_command_in_words(study: Path) -> None:
    study.write_bytes((STUDY + "  \x1b[31mred: &a [*a]\n").encode() + b"\xff")
    done = run(study.parent, "small.yaml")
    assert done.returncode == 2 and "Traceback" not in done.stderr and "\x1b" not in done.stderr
    assert "small.yaml:16: cannot be read: byte 0xff is not UTF-8" in done.stderr
