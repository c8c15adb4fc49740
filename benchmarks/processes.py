"""Carry out a function of a benchmark in a process of its own, so that none pays for another."""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any


def call(module: str, what: str, work: dict[str, Any]) -> dict[str, Any]:
    """Return what a function of a benchmark gives for some work, and the process's peak memory."""
    code = "import json, sys, processes; processes.answer(*json.load(sys.stdin))"
    home = {name: work["folder"] for name in ("MNE_DATA", "MNE_HOME", "_MNE_FAKE_HOME_DIR")}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps([module, what, work]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parent,
        env={**os.environ, **home, "MOABB_DOWNLOAD_PROVIDER": "upstream"},
    )
    return json.loads(said.stdout.splitlines()[-1])


def answer(module: str, what: str, work: dict[str, Any]) -> None:
    """Print what a function gives, and the most memory that it held, as a line of JSON."""
    told = getattr(importlib.import_module(module), what)(work)
    print("\n" + json.dumps({**told, "peak": peak_memory()}))


def peak_memory() -> int:
    """Return the most bytes that this process held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def cpu() -> float:
    """Return the CPU seconds, user and system, of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
