"""The cache's own command: readable columns, and nothing is deleted under a running study."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eegvit.command import start
from eegvit.data.cache import Cache

RECIPE = {"card": {"name": "simulated", "band": [4, 40]}, "subject": "1"}

# A process that runs a study: argv are the root and what it does in the end.
STUDY = """
import sys
from eegvit.data.cache import Cache
with Cache(sys.argv[1]).in_use("my_study"):
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def kept(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Return the cache that the command works on, with an entry and a fit."""
    monkeypatch.setenv("EEGVIT_CACHE", str(cache.root))
    cache.arrays(RECIPE, lambda: [np.zeros(125_000)])
    (cache.fits / "ab").mkdir(parents=True)
    return cache


def start_study(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STUDY, str(root)]
    study = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert study.stdout is not None and study.stdout.readline() == "running\n"
    return study


def test_list_has_columns(kept: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    kept.arrays({"digests": {"trials": RECIPE, "align": "none"}}, lambda: [np.zeros(3)])
    kept.arrays({"what": "fits at once", "model": "eegnet"}, lambda: [np.zeros(3)])
    (kept.entries()[0]["folder"] / "entry.json").write_text("5")
    assert start("cache", ["list"]) == 0
    head, *rows, total = capsys.readouterr().out.splitlines()
    place = head.index("what")
    assert sorted(row[place:] for row in rows) == [
        "damaged or of another version",
        "hashes of trials of simulated, subject 1",
        "trials of simulated, subject 1",
    ]
    assert {row[place - 1] for row in [head, *rows]} == {" "}
    assert total.startswith("3 entries, 0.00 of 50 GB in ")


def test_limit_and_clear(kept: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("cache", ["limit", "2e-6"]) == 0
    assert "1 entries deleted" in capsys.readouterr().out
    assert Cache().limit_gb == 2e-6 and not kept.entries()
    assert start("cache", ["limit", "30"]) == 0
    kept.arrays(RECIPE, lambda: [np.zeros(3)])
    assert start("cache", ["clear"]) == 0
    assert not kept.entries() and (kept.fits / "ab").is_dir()
    assert start("cache", ["limit", "-1"]) == 1 and start("cache", ["limit", "nan"]) == 1
    assert "it must be above 0" in capsys.readouterr().err
    assert start("cache", ["limit"]) == 0 and "is 30 GB" in capsys.readouterr().out


def test_nothing_is_deleted_under_a_running_study(
    kept: Cache, capsys: pytest.CaptureFixture[str]
) -> None:
    study = start_study(kept.root)
    kept.arrays(RECIPE, lambda: [])  # used while the study runs
    assert start("cache", ["clear"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"my_study (process {study.pid} on " in said and "nothing was deleted" in said
    assert start("cache", ["limit", "2e-6"]) == 0 and len(kept.entries()) == 1
    study.communicate("")
    assert start("cache", ["clear"]) == 0 and not kept.entries()


def test_a_study_that_was_killed_is_in_nobodys_way(kept: Cache) -> None:
    study = start_study(kept.root)
    study.kill()
    study.communicate()
    assert len(list(kept.root.glob("running/*"))) == 1
    assert start("cache", ["clear"]) == 0 and not kept.entries()
    assert not list(kept.root.glob("running/*"))


def test_the_limit_spares_only_what_a_study_may_have_used(kept: Cache) -> None:
    kept.arrays({"what": "old"}, lambda: [np.zeros(3)])
    os.utime(kept.entries()[0]["folder"] / "entry.json", (1, 1))
    with kept.in_use("mine"):
        kept.arrays({"what": "new"}, lambda: [np.zeros(3)])
        os.utime(kept.entries()[1]["folder"] / "entry.json", (2, 2))
        assert start("cache", ["limit", "2e-6"]) == 0
        assert [entry["recipe"].get("what") for entry in kept.entries()] == ["new"]


def test_a_cache_that_cannot_be_written_to_runs_studies(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file").in_use("study"):
        pass
