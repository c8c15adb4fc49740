"""Who is at work on a cache: a file for each study and each entry, locked while they live."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Running:
    """A study that is running: who runs it, and since when (seconds since 1970)."""

    who: str
    since: float


@contextlib.contextmanager
def marked(folder: Path, name: str) -> Iterator[None]:
    """Mark a study as running while a block is carried out, however its process ends.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with marked(folder, "my_study"):
    ...     [study.who.split()[0] for study in running(folder)]
    ['my_study']
    >>> running(folder)
    []
    """
    path = folder / f"{os.getpid()}-{uuid.uuid4().hex}.running"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.with_suffix(".new").open("w", encoding="utf-8")
    except OSError:  # nobody can delete from a cache that cannot be written to
        yield
        return
    try:
        with file:
            file.write(f"{name} (process {os.getpid()} on {platform.node()})")
            file.flush()
            _lock(file)
            path.with_suffix(".new").rename(path)
            yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block with the same file, however that one ends.

    Nobody waits where files cannot be locked or none can be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "entry.lock"
    >>> with alone(path):
    ...     path.exists()
    True
    >>> path.exists()
    False
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError:
        yield
        return
    with file:
        _lock(file)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def running(folder: Path) -> list[Running]:
    """Return the studies that are running, first come first; what dead ones left is deleted."""
    found = []
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):
            if not _lives(path):
                path.unlink()
    for path in folder.glob("*.running"):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            if _lives(path):
                found.append(Running(path.read_text("utf-8"), path.stat().st_mtime))
            else:
                path.unlink()
    return sorted(found, key=lambda study: study.since)


def _lock(file: IO[str]) -> None:
    """Lock a file for as long as it is open."""
    if sys.platform != "win32":  # where nobody can delete it meanwhile
        import fcntl

        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)


def _lives(path: Path) -> bool:
    """Say whether the process that opened a file has it open still."""
    if sys.platform == "win32":
        try:
            path.unlink()  # which is refused while it is open
        except PermissionError:
            return True
        return False
    import fcntl

    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False
