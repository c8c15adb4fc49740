"""Change what decides numbers in small ways, and see whether the matching tests notice.

PYTHONPATH=tests python -m mutants.run
PYTHONPATH=tests python -m mutants.run --n 20 --seed 1 --only eegvit/plan/target.py

Each mutant is tested in a process of its own, a fork in which all other packages are imported
already, on a copy of the checkout. The first test that fails, or that takes too long, kills it.
A run over all modules writes `reports/mutants.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mutants.matching import MATCHING, explained
from mutants.mutate import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("eegvit", "tests", "pipelines", "datasets", "pyproject.toml")
OPTIONS = (
    "-xq", "-n0", "-mnot slow", "--doctest-modules", "--import-mode=importlib",
    "-pno:cacheprovider", "-oaddopts=",
)  # fmt: skip
JOBS = 2
PATIENCE = 4.0  # times the seconds of the unchanged module, and at least
LEAST = 60.0  # seconds
MEMORY = 6 * 2**30


@dataclass
class Tally:
    """What became of the mutants of a module."""

    module: str
    tried: int = 0
    explained: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How many the tests noticed."""
        return self.tried - len(self.survived) - len(self.explained)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=12, help="mutants of a module, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", nargs="+", choices=MATCHING, metavar="MODULE", default=list(MATCHING)
    )
    options = parser.parse_args()
    data = ROOT / os.environ.get("EEGVIT_TEST_DATA", "../shared/data")
    os.environ |= {"EEGVIT_TEST_DATA": str(data.resolve()), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MNE_LOGGING_LEVEL": "ERROR", "MPLBACKEND": "Agg"}
    tallies = []
    with tempfile.TemporaryDirectory() as folder:
        copies = [_copied(Path(folder) / str(job)) for job in range(JOBS)]
        for module in options.only:
            tallies.append(tally(module, options.n, options.seed, copies))
            print(_row(tallies[-1]), flush=True)
            for one in tallies[-1].survived:
                print(f"    {module}:{one.line}: {one.change}   # {one.text}", flush=True)
    if options.only == list(MATCHING):
        text = report(tallies, f"--n {options.n} --seed {options.seed}")
        (ROOT / "reports" / "mutants.md").write_text(text, encoding="utf-8")


def tally(module: str, n: int, seed: int, copies: list[Path]) -> Tally:
    """Try mutants of a module, on several copies of the checkout at a time."""
    source = (ROOT / module).read_text(encoding="utf-8")
    known = mutants(source)
    drawn = random.Random(f"{seed}/{module}").sample(known, min(n, len(known)))
    found = Tally(module, tried=len(drawn))
    found.explained = [one for one in drawn if _why(module, one)]
    limit = max(LEAST, PATIENCE * _unchanged(module, copies[0]))
    left = [one for one in drawn if one not in found.explained]
    free, running = list(copies), {}
    while left or running:
        while left and free:
            one, copy = left.pop(), free.pop()
            (copy / module).write_text(one.applied(source), encoding="utf-8")
            running[_started(module, copy)] = one, copy, time.monotonic() + limit
        for child, (one, copy, end) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended and time.monotonic() < end:
                continue
            if ended and os.waitstatus_to_exitcode(status) == 0:
                found.survived.append(one)
            _ended(child, ended)
            (copy / module).write_text(source, encoding="utf-8")
            free.append(copy)
            del running[child]
        time.sleep(0.02)
    found.survived.sort(key=lambda one: one.begin)
    return found


def _started(module: str, copy: Path) -> int:
    """Start the tests that match a module in a fork; its exit status is theirs."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()  # what the tests start ends with them
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        status = _tested(module, copy)
    finally:
        os._exit(status)


def _tested(module: str, copy: Path) -> int:
    import pytest

    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    sys.path[:0] = [str(copy)]
    sys.path[:] = [path for path in sys.path if path not in (str(ROOT), str(ROOT / "tests"), "")]
    for name in [name for name in sys.modules if name.partition(".")[0] == "mutants"]:
        del sys.modules[name]
    sys.dont_write_bytecode = True  # a file of the same second and length would pass for this one
    return int(pytest.main([*OPTIONS, module, *MATCHING[module]]))


def _unchanged(module: str, copy: Path) -> float:
    """Run the matching tests on the module as it is, and import what they did; return seconds."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            status = _tested(module, copy)
            names = [name for name, one in sys.modules.items() if _is_library(one)]
            with open(tell, "w") as pipe:
                json.dump([status, names], pipe)
        finally:
            os._exit(0)
    os.close(tell)
    began = time.monotonic()
    with open(told) as pipe:
        status, names = json.loads(pipe.read() or "[1, []]")
    os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{module}: the tests fail on what is unchanged")
    for name in names:
        importlib.import_module(name)
    return time.monotonic() - began


def _is_library(module: object) -> bool:
    return "site-packages" in (getattr(module, "__file__", None) or "")


def _ended(child: int, ended: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the tests started, too
    if not ended:
        os.waitpid(child, 0)


def _copied(copy: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def _why(module: str, one: Mutant) -> str:
    return explained(module, one.text, one.change)


def _row(one: Tally) -> str:
    return (
        f"| `{one.module}` | {one.tried} | {one.killed} | {len(one.explained)} |"
        f" {len(one.survived)} |"
    )


def report(tallies: list[Tally], options: str) -> str:
    """Return the page."""
    return "\n".join(_lines(tallies, options)) + "\n"


def _lines(tallies: list[Tally], options: str) -> Iterator[str]:
    tried, killed = sum(one.tried for one in tallies), sum(one.killed for one in tallies)
    without = sum(len(one.explained) for one in tallies)
    yield "# Mutants\n"
    yield "What decides numbers, changed in small ways: do the matching tests notice?"
    yield f"Made by `PYTHONPATH=tests python -m mutants.run {options}`.\n"
    yield (
        f"**{killed} of {tried - without} killed, {100 * killed / (tried - without):.1f} %.**"
        f" {without} more change no result, as is explained below.\n"
    )
    yield "| module | mutants | killed | explained | survived |\n| - | - | - | - | - |"
    yield from map(_row, tallies)
    for title in ("survived", "explained"):
        rows = [(one.module, m) for one in tallies for m in getattr(one, title)]
        if rows:
            yield f"\n## {title.capitalize()}\n"
        for module, m in rows:
            why = _why(module, m)
            yield f"- `{module}:{m.line}`: `{m.change}`{f': {why}' if why else ''}"


if __name__ == "__main__":
    main()
