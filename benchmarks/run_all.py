"""Run every benchmark in a process of its own, one thread, and write what they said.

python benchmarks/run_all.py
python benchmarks/run_all.py eegnet shallow --out benchmarks.md
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from timing import THREADS

HERE = Path(__file__).resolve().parent
MORE = {"loso_classical": ("--model fb_tangent_space",)}  # what is run beside the defaults
RATIO = re.compile(r"ratio (\d[\d.]*)x")


@dataclass(frozen=True)
class Run:
    """What a benchmark said."""

    name: str
    about: str
    command: str
    output: str
    ratio: str


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="benchmarks to run (default: all)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "reports" / "benchmarks.md")
    options = parser.parse_args(arguments)
    known = {script.stem: script for script in scripts(HERE)}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark is called '{unknown[0]}'; known: {', '.join(known)}")
    runs = [
        run(known[name], arguments)
        for name in options.names or known
        for arguments in ("", *MORE.get(name, ()))
    ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(runs), encoding="utf-8")
    print(options.out)
    return 1 if any(not each.ratio for each in runs) else 0


def scripts(folder: Path) -> list[Path]:
    """Return the benchmarks in a folder: every script but this one."""
    return [
        path
        for path in sorted(folder.glob("*.py"))
        if path.stem != Path(__file__).stem and "__main__" in path.read_text("utf-8")
    ]


def run(script: Path, arguments: str = "") -> Run:
    """Carry out a benchmark; one that fails has no ratio."""
    name = f"{script.stem} {arguments}".strip()
    print(f"{name} ...", flush=True)
    said = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *arguments.split()],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, **THREADS},
    )
    lines = said.stdout.strip().splitlines()
    match = RATIO.fullmatch(lines[-1]) if lines else None
    ratio = match[1] if match and said.returncode == 0 else ""
    print(lines[-1] if ratio else f"failed\n{said.stderr}", flush=True)
    if not ratio:
        lines.append(f"failed: {(said.stderr.strip().splitlines() or ['no ratio'])[-1]}")
    about = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    command = f"python {script.parent.name}/{script.name} {arguments}".strip()
    return Run(name, about.partition("\n")[0], command, "\n".join(lines), ratio)


def page(runs: Sequence[Run]) -> str:
    """Return the report, in Markdown."""
    from eegvit.report.manifest import commit, machine, versions

    here = machine()
    parts = [
        "# Benchmarks",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()[:12] or 'unknown'}, made by `make bench`.",
        "Each script runs ours and the peer in turn, one thread each, and refuses results that"
        " are not equal. Ratios are of one run; absolute times depend on the machine.",
        _table(
            ("benchmark", "what", "ratio"),
            [(r.name, r.about, f"{r.ratio}x" if r.ratio else "failed") for r in runs],
        ),  # fmt: skip
        f"Machine: {here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB,"
        f" {here['system']}.",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions().items()) + ".",
    ]
    for each in runs:
        parts += [f"## {each.name}", f"```\n$ {each.command}\n{each.output}\n```"]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
