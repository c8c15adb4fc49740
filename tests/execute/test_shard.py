"""Shares of a study's fits: the same whoever works them out, and together the whole study."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eegvit.execute.shard import Shard
from eegvit.report.written.folder import read

TESTS = Path(__file__).parent.parent
STUDY = """\
name: shared
data:
  card: simulated
  subjects: [1, 2, 3, 4]
  channels: [C3, Cz, C4, FC3, FC4]
  classes: [left_hand, right_hand]
  options: {{n_trials: 16, n_runs: 1, n_sessions: 1}}
align: {{method: euclidean}}
view: {{resample: 64}}
evaluate: {{protocol: cross_subject, n_folds: 4}}
models:
  csp: {{branch: csp_lda, n_components: 2}}
  logged:
    branch: pipeline
    steps:
      - {{from: steps.Logged, parameters: {{log: {log}}}}}
      - {{from: sklearn.linear_model.LogisticRegression}}
"""
N_FITS = 4 + 4


def _plan(*fits: tuple[str, str]) -> Any:
    """Return a plan of fits, each with the key of its pretraining or ""."""
    found = {
        key: SimpleNamespace(pretraining=SimpleNamespace(key=start) if start else None)
        for key, start in fits
    }
    return SimpleNamespace(fits=found)


@pytest.mark.parametrize("text", ["", "3", "3/", "/3", "a/b", "1/0", "-1/3", "0/3", "4/3", "1/2/3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ValueError, match=r"no shard"):
        Shard.parse(text)


@pytest.mark.parametrize("of", [1, 2, 3, 7, 40])
def test_every_fit_is_of_one_shard_and_no_shard_has_more_than_another(of):
    plan = _plan(*((f"m{model}/{fit}", "") for model in range(5) for fit in range(7)))
    shares = [Shard(number + 1, of).own(plan) for number in range(of)]
    assert Counter(key for keys in shares for key in keys) == Counter(dict.fromkeys(plan.fits, 1))
    sizes = [len(keys) for keys in shares]
    assert max(sizes) - min(sizes) <= 1
    for model in range(5):
        own = [sum(key.startswith(f"m{model}/") for key in keys) for keys in shares]
        assert max(own) - min(own) <= 1


def test_fits_of_one_pretraining_stay_together_and_the_others_make_up_for_it():
    plan = _plan(
        *((f"a/{fit}", f"p{fit % 2}") for fit in range(6)), *((f"b/{fit}", "") for fit in range(8))
    )
    shares = [Shard(number, 4).own(plan) for number in (1, 2, 3, 4)]
    started = [{plan.fits[key].pretraining.key for key in keys if key[0] == "a"} for keys in shares]
    assert sorted(map(sorted, started)) == [[], [], ["p0"], ["p1"]]
    assert [sum(key[0] == "b" for key in keys) for keys in shares] == [2, 2, 2, 2]


def test_shards_begin_with_different_pieces():
    assert [Shard(number, 3).begin(10) for number in (1, 2, 3)] == [0, 3, 6]
    assert Shard(3, 3).begin(1) == 0


@pytest.mark.slow
def test_two_halves_at_once_and_a_last_run_give_the_page_of_one_run(tmp_path):
    """Nothing is computed twice, and no shard writes a page."""
    halves = [_start(tmp_path, "shared", "--shard", f"{number}/2") for number in (1, 2)]
    for number, process in enumerate(halves, start=1):
        said, wrong = process.communicate(timeout=600)
        assert process.returncode == 0, wrong
        assert f"shard {number}/2: 0 fits were stored before, 4 run now, 0 failed" in said
        assert "without --shard" in said
    assert not (tmp_path / "reports-shared").exists()
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "shared").glob("fits/*/*.npz")}
    assert len(files) == N_FITS
    for cache in ("shared", "whole"):
        process = _start(tmp_path, cache)
        _, wrong = process.communicate(timeout=600)
        assert process.returncode == 0, wrong
        # of each person once; what a model costs to use is measured with 1 and 64
        real = [n for n in (tmp_path / cache / "log").read_text().split() if n == "16"]
        assert len(real) == 4
    assert {path: path.stat().st_mtime_ns for path in files} == files
    shared, whole = (tmp_path / f"reports-{cache}" / "shared" for cache in ("shared", "whole"))
    for name in ("scores.csv", "leaderboard.csv"):
        assert _untimed(shared / name) == _untimed(whole / name)
    one, other = read(shared).predictions, read(whole).predictions
    assert one.keys() == other.keys()
    for key, told in one.items():
        assert told.probabilities.tobytes() == other[key].probabilities.tobytes()


def _start(folder: Path, cache: str, *arguments: str) -> subprocess.Popen[str]:
    (folder / cache).mkdir(exist_ok=True)
    study = folder / f"{cache}.yaml"
    study.write_text(STUDY.format(log=folder / cache / "log"), encoding="utf-8")
    where = ["--out", str(folder / f"reports-{cache}"), "--cache", str(folder / cache)]
    path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    return subprocess.Popen(
        [sys.executable, "-m", "eegvit.run", str(study), "--allow", "steps", *where, "--jobs", "1",
         *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"},
    )  # fmt: skip


def _untimed(path: Path) -> list[list[str]]:
    """Return a table without the columns of seconds."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    timed = {number for number, name in enumerate(head) if "second" in name or "memory" in name}
    return [[cell for n, cell in enumerate(row) if n not in timed] for row in (head, *rows)]
