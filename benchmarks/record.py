"""What benchmarks said, kept from run to run, and what became slower since."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FIGURE = re.compile(r"(\w+) (\d[\d.]*)x")  # a line that says how many times better ours is
FALLEN = 0.8  # of the committed figure: what is less has fallen


@dataclass(frozen=True)
class Run:
    """What a benchmark said, when, on which code and machine; without figures it failed."""

    name: str
    about: str
    command: str
    output: str
    figures: Mapping[str, float] = field(default_factory=dict)
    made: str = ""


def figures_of(output: str) -> dict[str, float]:
    """Return the figures that a benchmark ends with: the last lines that are nothing else.

    Examples
    --------
    >>> figures_of("ratio 3.0x\\nmore\\nmemory 11.0x\\nratio 38.8x")
    {'memory': 11.0, 'ratio': 38.8}
    """
    found: dict[str, float] = {}
    for line in reversed(output.splitlines()):
        match = FIGURE.fullmatch(line)
        if match is None:
            break
        found = {match[1]: float(match[2])} | found
    return found if "ratio" in found else {}


def fallen(before: Mapping[str, Run], runs: Mapping[str, Run]) -> list[str]:
    """Return a sentence for every figure that is more than a fifth below what it was.

    Examples
    --------
    >>> old, new = (Run("lif", "", "", "", {"ratio": ratio}) for ratio in (40.0, 30.0))
    >>> fallen({"lif": old}, {"lif": new})
    ['lif: ratio fell from 40x to 30x']
    """
    said = []
    for name, run in runs.items():
        for figure, old in before[name].figures.items() if name in before else ():
            new = run.figures.get(figure)
            if new is None:
                said.append(f"{name}: {figure} was {old:g}x, and now there is none")
            elif new < FALLEN * old:
                said.append(f"{name}: {figure} fell from {old:g}x to {new:g}x")
    return said


def load(file: Path) -> dict[str, Run]:
    """Return the runs that a file keeps, by their names; none if there is no file."""
    return _runs(file.read_text("utf-8")) if file.exists() else {}


def committed(file: Path) -> dict[str, Run]:
    """Return the runs that the last commit keeps in a file; outside git, the file itself."""
    command = ["git", "-C", str(file.parent), "show", f"HEAD:./{file.name}"]
    try:
        said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return load(file)
    return _runs(said.stdout)


def save(file: Path, runs: Mapping[str, Run]) -> None:
    """Keep runs in a file, sorted by their names."""
    plain = {name: asdict(runs[name]) for name in sorted(runs)}
    for about in plain.values():
        del about["name"]
    file.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _runs(text: str) -> dict[str, Run]:
    return {name: Run(name, **about) for name, about in json.loads(text).items()}
