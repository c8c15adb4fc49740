"""Files compared with the list of checksums that their data set brings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from eegvit.data.checksums import remembered

_LINE = re.compile(r"([0-9a-fA-F]{64})\s+\*?(.+)")


def refuse_changed(paths: Sequence[Path], sums: Path, root: Path) -> None:
    """Refuse files that are not in a list of SHA-256 sums, or not as it says.

    Headers of most formats hold nothing by which a changed calibration could be noticed; this is
    what notices it.
    """
    if not sums.is_file():
        raise FileNotFoundError(f"{sums}: the list of checksums is missing")
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [match for line in lines if (match := _LINE.fullmatch(line.strip()))]
    listed = {match[2].removeprefix("./"): match[1].lower() for match in found}
    if not listed:
        raise ValueError(f"{sums}: no line with a SHA-256 sum and a file's name")
    for path in paths:
        name = path.relative_to(root).as_posix()
        if name not in listed:
            raise ValueError(f"{path}: is not in the list of checksums {sums.name}")
        if remembered(path) != listed[name]:
            raise ValueError(
                f"{path}: is not as the list of checksums {sums.name} says; it was changed or"
                " damaged, copy it again"
            )
