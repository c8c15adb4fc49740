"""Checksums of files, read once and remembered.

What decides a cached array or a fit is what a file holds, not when it was copied. Reading a file
through takes time, so that its checksum is remembered beside the cache until its size or its time
changes. The memory is a file of lines that is only ever added to, each with a checksum of its own:
a line that was damaged or half written by a killed process is passed over, and two processes may
add at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

_known: dict[Path, dict[str, list[Any]]] = {}  # of each file of lines: size, time, checksum


def stamp(path: Path, root: Path) -> dict[str, Any]:
    """Return a file's name below a root, and its checksum.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> _ = (root / "a.txt").write_text("a")
    >>> stamp(root / "a.txt", root)["sha256"][:8]
    'ca978112'
    """
    return {"name": path.relative_to(root).as_posix(), "sha256": remembered(path)}


def remembered(path: Path) -> str:
    """Return the sha256 of a file, from memory where size and time are as they were."""
    memory = _file()
    if memory not in _known:
        _known[memory] = _read(memory)
    known = _known[memory]
    status = path.stat()
    name, now = str(path.resolve()), [status.st_size, status.st_mtime_ns]
    if name not in known or known[name][:2] != now:
        known[name] = [*now, checksum(path)]
        _add(memory, name, known[name])
    found: str = known[name][2]
    return found


def _file() -> Path:
    root = os.environ.get("EEGVIT_CACHE") or Path.home() / ".cache" / "eegvit"
    return Path(root).expanduser() / "checksums.jsonl"


def _read(memory: Path) -> dict[str, list[Any]]:
    known: dict[str, list[Any]] = {}
    try:
        lines = memory.read_bytes().splitlines()
    except OSError:
        return known
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            crc32, _, told = line.partition(b" ")
            if int(crc32, 16) == zlib.crc32(told):
                name, size, time, digest = json.loads(told)
                known[name] = [size, time, digest]
    return known


def _add(memory: Path, name: str, about: list[Any]) -> None:
    told = json.dumps([name, *about]).encode("utf-8")
    line = b"%08x %s\n" % (zlib.crc32(told), told)
    with contextlib.suppress(OSError):  # a place that cannot be written to is read again
        memory.parent.mkdir(parents=True, exist_ok=True)
        with memory.open("ab") as file:
            file.write(b"\n" * _torn(memory) + line)


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _torn(memory: Path) -> bool:
    """Say whether the last line was only half written."""
    with memory.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
