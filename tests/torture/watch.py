"""Watching what a call does: how long it takes, what it writes, which programs it starts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

PROGRAMS = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "subprocess.Popen")
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod")
HARMLESS = "uname"  # what `platform` asks when a package is first imported
NETWORK = ("socket.connect", "socket.getaddrinfo")
BYTECODE = "__pycache__"  # what any import writes


class TooLong(BaseException):
    """It took longer than the limit; no `except Exception` may swallow it."""


@dataclass
class Seen:
    """What a call did that it should not have."""

    programs: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


_watching: list[Seen] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching:
        return
    seen = _watching[-1]
    if event in PROGRAMS and arguments[0] == HARMLESS:
        return
    if event in PROGRAMS or event in NETWORK:
        seen.programs.append(f"{event} {arguments[:2]}")
    elif event in CHANGES and BYTECODE not in str(arguments[0]):
        seen.written.append(f"{event} {arguments[0]}")
    elif event == "open" and isinstance(arguments[2], int):
        path, flags = str(arguments[0]), arguments[2]
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and BYTECODE not in path and not path.startswith("/dev/"):
            seen.written.append(path)


_hooked = False


@contextmanager
def watched(seconds: float) -> Iterator[Seen]:
    """Note what the block does; raise `TooLong` in it after a time."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)  # it stays, and does nothing outside such a block
        _hooked = True

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _watching.append(Seen())
    try:
        yield _watching[-1]
    finally:
        _watching.pop()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def listing(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    return {str(p) for p in folder.rglob("*") if BYTECODE not in p.parts}
