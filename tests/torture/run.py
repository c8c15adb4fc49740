"""All kinds of torture, one after another, and the report of reliability.

    PYTHONPATH=tests python -m torture.run --seed 0

Each kind is tried in rounds of a seed of their own. A round that is over is kept in a folder, so
that a run which was stopped goes on after it; the report is written when all rounds are over.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from torture import flips, kills, places, recordings, studies
from torture.rows import Row

from eegvit import __version__
from eegvit.report.manifest import commit, machine, versions

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports" / "reliability.md"
KINDS: dict[str, tuple[Callable[[int, int, Path], list[Row]], int, int]] = {
    # what is done, how often in all, how often in a round
    "kills": (kills.run, 200, 40),
    "studies": (studies.run, 3000, 500),
    "flips": (flips.run, 2000, 250),
    "recordings": (recordings.run, 400, 100),
    "places": (places.run, 60, 12),
}
ABOUT = """\
# Reliability

What was done to eegvit on purpose, and what came of it. A study that was killed or whose disk was
full goes on to the scores of an undisturbed one; damage is noticed, said and made good; a study
file that makes no sense is refused in words, with its line, and nothing of it is run. Wrong would
be: a score that changed without a word, a traceback from the command line, ten seconds without an
answer to a study file or a recording, a file outside the output and the cache, a program that ran.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left to do, and write the report; 1 if something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m torture.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "torture")
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        begun = [
            pool.submit(do_round, kind, options.seed, number, file)
            for kind in options.kinds
            for number in range(rounds(kind))
            if not (file := part(options.kept, options.seed, kind, number)).exists()
        ]
        for one in as_completed(begun):
            print(one.result(), flush=True)
    files = [
        part(options.kept, options.seed, kind, n) for kind in KINDS for n in range(rounds(kind))
    ]
    if not all(file.exists() for file in files):
        print("not all rounds are over: the same command goes on from here")
        return 0
    done = [json.loads(file.read_text("utf-8")) for file in files]
    told = [Row(**{**row, "wrong": tuple(row["wrong"])}) for one in done for row in one["rows"]]
    rows, commits = joined(told), dict.fromkeys(one["commit"] for one in done)
    REPORT.write_text(report(rows, options.seed, list(commits)), encoding="utf-8")
    print(f"{REPORT}: {sum(len(row.wrong) for row in rows)} wrong")
    return int(any(row.wrong for row in rows))


def rounds(kind: str) -> int:
    """Return in how many rounds a kind is done."""
    _, n, at_once = KINDS[kind]
    return n // at_once


def part(kept: Path, seed: int, kind: str, number: int) -> Path:
    """Return where a round is kept."""
    return kept / f"{seed}-{kind}-{number}.json"


def do_round(kind: str, seed: int, number: int, file: Path) -> str:
    """Do a round, keep what it came to, and say so."""
    function, _, n = KINDS[kind]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = function(n, 1000 * seed + number, Path(folder) / "torture")
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = {"commit": str(commit())[:7], "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    wrong = sum(len(row.wrong) for row in rows)
    took = time.monotonic() - began
    return f"{kind} {number + 1}/{rounds(kind)}: {wrong} wrong, {took:.0f} s"


def joined(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each kind.

    Examples
    --------
    >>> joined([Row("kill", 2, 1, ("lost",)), Row("kill", 1, 1)])
    [Row(kind='kill', tried=3, handled=2, wrong=('lost',))]
    """
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row.kind, Row(row.kind, 0, 0))
        tried, handled = known.tried + row.tried, known.handled + row.handled
        found[row.kind] = Row(row.kind, tried, handled, known.wrong + row.wrong)
    return list(found.values())


def report(rows: Sequence[Row], seed: int, commits: Sequence[str]) -> str:
    """Return the report as Markdown."""
    tried, wrong = sum(row.tried for row in rows), sum(len(row.wrong) for row in rows)
    known = ", ".join(f"{name} {version}" for name, version in versions().items() if version)
    about = ", ".join(f"{name} {value}" for name, value in machine().items() if value)
    lines = [
        ABOUT,
        f"Made by `make torture`, which is `PYTHONPATH=tests python -m torture.run --seed {seed}`,"
        f" on {datetime.now(UTC):%Y-%m-%d} with eegvit {__version__}, commit {', '.join(commits)}."
        f" {about}. {known}.\n",
        f"**{tried:,} tried, {wrong} wrong.**\n",
        "| kind | tried | well handled | what was lost or wrong |",
        "| - | -: | -: | - |",
    ]
    for row in rows:
        said = "; ".join(shlex.quote(one[:200]) for one in row.wrong[:3]) or "nothing"
        lines.append(f"| {row.kind} | {row.tried:,} | {row.handled:,} | {said} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.exit(main())
