"""Change what decides numbers in small ways, and see whether the matching tests notice.

PYTHONPATH=tests python -m mutants.run
PYTHONPATH=tests python -m mutants.run --n 20 --seed 1 --only eegvit/plan/target.py

Each mutant is tested in a process of its own, a fork in which all other packages are imported
already, on a copy of the checkout. The first test that fails, or that takes too long, kills it.
What became of a module's mutants is kept in `reports/mutants.json`, until its next run, and all
of it is written to `reports/mutants.md`.
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
from dataclasses import asdict, dataclass, field
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
    """What became of the mutants of a module; explained and survived are said in words."""

    n: int
    seed: int
    tried: int
    late: int = 0  # killed because they took too long
    explained: list[str] = field(default_factory=list)
    survived: list[str] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How many the tests noticed."""
        return self.tried - len(self.survived) - len(self.explained)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10, help="mutants of a module, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", nargs="+", choices=MATCHING, metavar="MODULE", default=list(MATCHING)
    )
    options = parser.parse_args()
    data = ROOT / os.environ.get("EEGVIT_TEST_DATA", "../shared/data")
    os.environ |= {"EEGVIT_TEST_DATA": str(data.resolve()), "OMP_NUM_THREADS": "1"}
    os.environ |= {"MNE_LOGGING_LEVEL": "ERROR", "MPLBACKEND": "Agg"}
    with tempfile.TemporaryDirectory() as folder:
        copies = [_copied(Path(folder) / str(job)) for job in range(JOBS)]
        for module in options.only:
            found = tally(module, options.n, options.seed, copies)
            print(_row(module, found), *found.survived, sep="\n    ", flush=True)
            _keep(module, found)


def tally(module: str, n: int, seed: int, copies: list[Path]) -> Tally:
    """Try mutants of a module, on several copies of the checkout at a time."""
    source = (ROOT / module).read_text(encoding="utf-8")
    known = mutants(source)
    drawn = random.Random(f"{seed}/{module}").sample(known, min(n, len(known)))
    without = {one: why for one in drawn if (why := explained(module, one.text, one.change))}
    found = Tally(n, seed, len(drawn))
    found.explained = [f"{_place(module, one)}: {why}" for one, why in without.items()]
    limit = max(LEAST, PATIENCE * _unchanged(module, copies[0]))
    left = [one for one in drawn if one not in without]
    free, running, survived = list(copies), {}, []
    while left or running:
        while left and free:
            one, copy = left.pop(), free.pop()
            (copy / module).write_text(one.applied(source), encoding="utf-8")
            running[_started(module, copy)] = one, copy, time.monotonic() + limit
        for child, (one, copy, end) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended and time.monotonic() < end:
                continue
            if not ended:
                found.late += 1
            elif os.waitstatus_to_exitcode(status) == 0:
                survived.append(one)
            _end(child, ended)
            (copy / module).write_text(source, encoding="utf-8")
            free.append(copy)
            del running[child]
        time.sleep(0.02)
    found.survived = [_place(module, one) for one in sorted(survived, key=lambda one: one.begin)]
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


def _end(child: int, ended: int) -> None:
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


def _place(module: str, one: Mutant) -> str:
    return f"`{module}:{one.line}`: `{one.change}`"


def _keep(module: str, found: Tally) -> None:
    """Keep what became of a module's mutants, and write the page anew."""
    kept = ROOT / "reports" / "mutants.json"
    told = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    told = {name: told[name] for name in MATCHING if name in told} | {module: asdict(found)}
    kept.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    tallies = {name: Tally(**told[name]) for name in MATCHING if name in told}
    page = "\n".join(_lines(tallies)) + "\n"
    kept.with_suffix(".md").write_text(page, encoding="utf-8")


def _row(module: str, one: Tally) -> str:
    numbers = (one.tried, one.killed, len(one.explained), len(one.survived))
    return f"| `{module}` | {' | '.join(map(str, numbers))} |"


def _lines(tallies: dict[str, Tally]) -> Iterator[str]:
    tried = sum(one.tried - len(one.explained) for one in tallies.values())
    killed, late = (
        sum(getattr(one, name) for one in tallies.values()) for name in ("killed", "late")
    )
    drawn = sorted({(one.n, one.seed) for one in tallies.values()})
    commands = ", ".join(f"`PYTHONPATH=tests python -m mutants.run --n {n} --seed {seed}`"
                         for n, seed in drawn)  # fmt: skip
    yield "# Mutants\n"
    yield "What decides numbers, changed in small ways: do the matching tests notice?"
    yield f"Made by {commands}; `--only` runs some of the modules.\n"
    yield (
        f"**{killed} of {tried} killed, {100 * killed / tried:.1f} %**, {late} of them because they"
        " took too long. Those explained change no result and do not count.\n"
    )
    yield "| module | mutants | killed | explained | survived |\n| - | - | - | - | - |"
    yield from (_row(name, one) for name, one in tallies.items())
    for title in ("survived", "explained"):
        rows = [row for one in tallies.values() for row in getattr(one, title)]
        yield from (f"\n## {title.capitalize()}\n", *(f"- {row}" for row in rows)) if rows else ()


if __name__ == "__main__":
    main()
