"""Every benchmark runs, at a size that says nothing about speed, and ends with its ratio."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TINY = {
    "attention_over_source": "--people 2 --trials 24 --epochs 1 --draws 20",
    "cost": "--channels 3 --times 250 --sfreq 125 --batch 8 --repeats 1",
    "decision": "--decisions 5",
    "eegnet": "--batch 8 --times 256 --channels 3 --repeats 1",
    "features": "--trials 48 --channels 4 --times 500 --repeats 1",
    "folds_together": "--batch 16 --channels 3 --times 128 --trials 72 --repeats 1 --device cpu",
    "lif": "--batch 4 --features 3 --times 50 --repeats 1",
    "loso_classical": "--subjects 3 --trials 24 --channels 8 --times 250 --repeats 1",
    "loso_neural": "--subjects 2 --trials 16 --epochs 1 --seeds 2",
    "near_duplicates": "--data nowhere --subjects 2 --planted 3 --trials 20",
    "scaling": "--subjects 3 5 --trials 16 --channels 6 --times 160",
    "search": "--people 4 --trials 16 --epochs 1 --to 0.8",
    "shallow": "--batch 8 --times 256 --channels 3 --repeats 1",
    "verification": "--people 3 --channels 4 --trials 16 --repeats 1",
}
PEERS = {
    "cost": "braindecode",
    "decision": "onnxscript",
    "eegnet": "braindecode",
    "lif": "snntorch",
    "loso_classical": "moabb",
    "loso_neural": "braindecode",
    "shallow": "braindecode",
}


@pytest.fixture
def run_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script that runs all benchmarks, as a module."""
    monkeypatch.syspath_prepend(root / "benchmarks")
    import run_all

    return run_all


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_ends_with_its_ratio(name: str, root: Path) -> None:
    if name in PEERS and importlib.util.find_spec(PEERS[name]) is None:
        pytest.skip(f"{PEERS[name]} is not installed")
    said = subprocess.run(
        [sys.executable, root / "benchmarks" / f"{name}.py", *TINY[name].split()],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert said.returncode == 0, said.stderr
    assert re.fullmatch(r"ratio \d[\d.]*x", said.stdout.splitlines()[-1]), said.stdout


@pytest.mark.slow
def test_what_many_fits_cost_is_told_at_any_number(root: Path) -> None:
    command = [
        sys.executable,
        root / "benchmarks" / "scaling.py",
        "--stored",
        "400",
        "--models",
        "4",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].startswith("40 stored fits, 2 people x 4 models: ")
    assert said[1].startswith("400 stored fits, 20 people x 4 models: ")
    assert re.fullmatch(r"ratio \d[\d.]*x", said[-1])


def test_all_benchmarks_are_tested(root: Path, run_all: ModuleType) -> None:
    assert [path.stem for path in run_all.scripts(root / "benchmarks")] == sorted(TINY)


def test_page_of_all(tmp_path: Path, run_all: ModuleType, capsys: pytest.CaptureFixture) -> None:
    scripts = {
        "good": '"""A good one.\n\nMore."""\nprint("equal")\nprint("memory 2.0x\\nratio 9.3x")\n',
        "unequal": '"""A bad one."""\nprint("ratio 2.0x")\nassert 0, "the scores differ"\n',
        "twice": '"""Twice."""\nimport sys\nprint(f"ratio {len(sys.argv)}x")\n',
        "silent": '"""A silent one."""\nprint("all well")\n',
        "module": '"""No benchmark."""\n',
    }
    for name, text in scripts.items():
        main = "" if name == "module" else "\nif __name__ == '__main__':\n    pass\n"
        (tmp_path / f"{name}.py").write_text(text + main)
    found = run_all.scripts(tmp_path)
    assert [path.stem for path in found] == ["good", "silent", "twice", "unequal"]
    runs = [run_all.run(path, "--model x" if path.stem == "twice" else "") for path in found]
    figures = [{"memory": 2.0, "ratio": 9.3}, {}, {"ratio": 3.0}, {}]
    assert [run.figures for run in runs] == figures
    page = run_all.report({run.name: run for run in runs})
    assert "| good | A good one. | 9.3 |" in page
    assert "| twice --model x | Twice. | 3.0 |" in page
    assert "| silent | A silent one. | failed |" in page
    assert "failed: AssertionError: the scores differ" in page
    assert f"```\n$ python {tmp_path.name}/good.py\nequal\nmemory 2.0x\nratio 9.3x\n```" in page
    assert "numpy" in page and "cores" in page
    assert "the scores differ" in capsys.readouterr().out


def test_an_unknown_name_is_refused(run_all: ModuleType, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        run_all.main(["egnet"])
    assert "no benchmark is called 'egnet'" in capsys.readouterr().err


def test_what_fell_by_more_than_a_fifth_is_named(
    tmp_path: Path, run_all: ModuleType, capsys: pytest.CaptureFixture
) -> None:
    def made(**figures: float) -> dict[str, Any]:
        command, about = "python benchmarks/eegnet.py", "EEGNet against another."
        return {"eegnet": run_all.Run("eegnet", about, command, "equal", figures, "today")}

    def git(*arguments: str) -> None:
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", "-C", str(tmp_path), *name, *arguments], check=True)

    (tmp_path / "reports").mkdir()
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "speed.md"
    page.write_text("# Fast\n\n<!-- benchmarks: written by `make bench` -->\nold\n"
                      "<!-- benchmarks end -->\n\nmore\n", encoding="utf-8")  # fmt: skip
    assert run_all.keep(made(ratio=10.0, memory=4.0), tmp_path) == 0
    git("init", "-q"), git("add", "."), git("commit", "-q", "-m", "first")
    assert "nothing fell" in capsys.readouterr().out
    for memory in (3.1, 3.1):  # against the committed figures, not those of the run before
        assert run_all.keep(made(ratio=8.1, memory=memory), tmp_path) == 1
        assert "eegnet: memory fell from 4x to 3.1x\n" in capsys.readouterr().out
    assert run_all.keep(made(ratio=8.1, memory=3.3), tmp_path) == 0
    row = "| EEGNet, a training step of 64 x 22 x 1000 | braindecode | 8.1 | 3.3 |"
    assert row in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").endswith("<!-- benchmarks end -->\n\nmore\n")
    assert run_all.keep(made(), tmp_path) == 1
    assert "eegnet: ratio was 10x, and now there is none" in capsys.readouterr().out


def test_the_committed_pages_say_what_the_figures_say(root: Path, run_all: ModuleType) -> None:
    kept = run_all.load(root / "reports" / "benchmarks.json")
    assert {name.partition(" ")[0] for name in kept} == set(TINY)
    page = (root / "docs" / "speed.md").read_text(encoding="utf-8")
    assert run_all.with_table(page, kept) == page, "`make bench` writes this table"
    assert run_all.report(kept) == (root / "reports" / "benchmarks.md").read_text(encoding="utf-8")
