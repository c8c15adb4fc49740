"""How far the work is: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

EVERY = 30.0  # seconds between plain lines


class Progress:
    """Count finished work and say how long the rest will take.

    Parameters
    ----------
    total : int
        How much there is to do.
    what : str
        What is counted.
    stream : file, optional
        Where to write; standard error by default.

    Examples
    --------
    >>> progress = Progress(4, "fits", stream=sys.stdout)
    >>> progress.advance()
    >>> progress.finish()
    fits 1/4...
    """

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        self.total, self.what = total, what
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.done = self.failed = 0
        self.start = self.last = time.monotonic()

    def advance(self, *, failed: bool = False) -> None:
        """Count one more piece of work as done."""
        self.done += 1
        self.failed += failed
        self.show()

    def show(self, running: Sequence[str] = ()) -> None:
        """Show the present state, if it is time to."""
        now = time.monotonic()
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r" + self.line(running)[:width].ljust(width))
            self.stream.flush()
        elif now - self.last >= EVERY:
            self.last = now
            print(self.line(running), file=self.stream, flush=True)

    def finish(self) -> None:
        """Write the last line."""
        if self.live:
            self.show()
            print(file=self.stream)
        else:
            print(self.line(), file=self.stream, flush=True)

    def line(self, running: Sequence[str] = ()) -> str:
        """Return the state in words."""
        elapsed = time.monotonic() - self.start
        parts = [f"{self.what} {self.done}/{self.total}"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.done and self.done < self.total:
            left = elapsed / self.done * (self.total - self.done)
            parts.append(f"{duration(left)} left")
        elif self.done == self.total:
            parts.append(duration(elapsed))
        if running:
            parts.append(", ".join(running))
        return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return seconds in words.

    Examples
    --------
    >>> duration(4.2), duration(75), duration(7300)
    ('4 s', '1 min 15 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
