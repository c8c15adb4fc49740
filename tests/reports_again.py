"""Run committed studies anew and compare every score and prediction with those committed.

python tests/reports_again.py quickstart kalunga_ssvep p300 bci_iv_2b_epochs
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = 1e-6


def main() -> int:
    """Compare each study; 1 if a score moved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--cache", default="", help="where fits are kept, to go on after a stop")
    parser.add_argument("--jobs", default="2")
    options = parser.parse_args()
    moved = 0.0
    for study in options.studies:
        with tempfile.TemporaryDirectory() as folder:
            cache = options.cache or str(Path(folder) / "cache")
            where = ["--out", folder, "--cache", cache, "--jobs", options.jobs]
            committed = ROOT / "reports" / study
            told = json.loads((committed / "manifest.json").read_text("utf-8"))["command"]
            command = [sys.executable, *shlex.split(told)[1:], *where]
            subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
            moved = max(moved, compare(study, committed, Path(folder) / study))
    print(f"largest difference of a score: {moved:.2g}")
    return int(moved > ENOUGH)


def compare(study: str, committed: Path, again: Path) -> float:
    """Print the largest differences of each model; return that of any score."""
    before, after = (_scores(folder / "scores.csv") for folder in (committed, again))
    told = [np.load(folder / "predictions.npz") for folder in (committed, again)]
    largest = 0.0
    for model in dict.fromkeys(place[0] for place in before):
        rows = {place: score for place, score in before.items() if place[0] == model}
        gone = [place for place in rows if place not in after]
        scores = [abs(score - after[place]) for place, score in rows.items() if place in after]
        names = [n for n in told[0].files if n.startswith(f"probabilities/{model}/")]
        same = [np.abs(told[0][n] - told[1][n]).max() for n in names if n in told[1].files]
        largest = max([largest, *scores])
        lacking = f", {len(gone)} rows are missing" if gone else ""
        print(
            f"{study:16} {model:28} scores {max(scores, default=np.nan):.2g},"
            f" probabilities {max(same, default=np.nan):.2g}{lacking}",
            flush=True,
        )
    return largest


def _scores(path: Path) -> dict[tuple[str, ...], float]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("model", "data", "subject", "session", "seed")
    return {tuple(row[key] for key in keys): float(row["accuracy"]) for row in rows}


if __name__ == "__main__":
    sys.exit(main())
