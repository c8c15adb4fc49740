"""Run every benchmark in a process of its own, one thread; write what they said, name what fell.

python benchmarks/run_all.py
python benchmarks/run_all.py eegnet shallow

What was said goes to reports/benchmarks.json, and from there to reports/benchmarks.md and the
table in docs/speed.md. Benchmarks that are not named keep what they said last. A figure more than a
fifth below the committed one is named, and the exit code is 1, as when a benchmark fails.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from bench_page import report, with_table
from record import Run, committed, fallen, figures_of, load, save
from timing import THREADS

HERE = Path(__file__).resolve().parent
MORE = {"loso_classical": ("--model fb_tangent_space",)}  # what is run beside the defaults


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="benchmarks to run (default: all)")
    parser.add_argument("--root", type=Path, default=HERE.parent, help="where the pages are")
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
    return keep({each.name: each for each in runs}, options.root)


def keep(runs: dict[str, Run], root: Path) -> int:
    """Write the pages, say what fell; return the exit code."""
    file, page, site = (
        root / name
        for name in ("reports/benchmarks.json", "reports/benchmarks.md", "docs/speed.md")
    )
    before = committed(file)
    done = dict(sorted((load(file) | runs).items()))
    save(file, done)
    page.write_text(report(done), encoding="utf-8")
    site.write_text(with_table(site.read_text("utf-8"), done), encoding="utf-8")
    print(page)
    slower = fallen(before, runs)
    print("\n".join(slower) or "nothing fell by more than a fifth")
    return 1 if slower or not all(each.figures for each in runs.values()) else 0


def scripts(folder: Path) -> list[Path]:
    """Return the benchmarks in a folder: every script but this one."""
    return [
        path
        for path in sorted(folder.glob("*.py"))
        if path.stem != Path(__file__).stem and "__main__" in path.read_text("utf-8")
    ]


def run(script: Path, arguments: str = "") -> Run:
    """Carry out a benchmark; one that fails has no figures."""
    name = f"{script.stem} {arguments}".strip()
    print(f"{name} ...", flush=True)
    said = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *arguments.split()],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, **THREADS},
    )
    output = said.stdout.strip()
    figures = figures_of(output) if said.returncode == 0 else {}
    print(f"ratio {figures['ratio']:g}x" if figures else f"failed\n{said.stderr}", flush=True)
    if not figures:
        output += f"\nfailed: {(said.stderr.strip().splitlines() or ['no ratio'])[-1]}"
    about = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    command = f"python {script.parent.name}/{script.name} {arguments}".strip()
    return Run(name, about.partition("\n")[0], command, output, figures, made())


@cache
def made() -> str:
    """Return when and by what benchmarks are run: commit, machine, versions."""
    from eegvit.report.manifest import commit, machine, versions

    here = machine()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()[:12] or 'unknown'}; {here['processor']},"
        f" {here['cores']} cores, {here['memory_gib']} GiB, {here['system']}; "
        + ", ".join(f"{name} {version}" for name, version in versions().items())
        + "."
    )


if __name__ == "__main__":
    raise SystemExit(main())
