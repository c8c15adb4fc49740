"""How far the work is and how long it will take: a live line on a terminal, else now and then."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from tqdm import tqdm

EVERY = 30.0  # seconds between plain lines


class TimeLeft:
    """Estimate how long pieces of work of several kinds still take.

    Parameters
    ----------
    kinds : sequence of str
        The kind of each piece.
    known : mapping
        Seconds that a piece of a kind took before, where that is known.
    jobs : int
        How many pieces are done at a time.

    Examples
    --------
    >>> left = TimeLeft(["network", "network", "csp"], {"network": 60.0}, jobs=2)
    >>> left.said()
    'at least 1 min 00 s left'
    >>> left.done("csp", 2.0)
    >>> left.done("network", 80.0)
    >>> left.said()
    'about 1 min 10 s left'
    """

    def __init__(self, kinds: Sequence[str], known: Mapping[str, float], jobs: int) -> None:
        self.left = Counter(kinds)
        self.seconds = {kind: (value, 1) for kind, value in known.items()}
        self.jobs = max(1, jobs)

    def done(self, kind: str, seconds: float) -> None:
        """Count a piece as done, and how long it took."""
        self.left[kind] -= 1
        mean, n = self.seconds.get(kind, (0.0, 0))
        self.seconds[kind] = ((mean * n + seconds) / (n + 1), n + 1)

    def said(self) -> str:
        """Return the time left in words; empty if nothing of what is left was ever done."""
        left = {kind: n for kind, n in self.left.items() if n > 0}
        known = [n * self.seconds[kind][0] for kind, n in left.items() if kind in self.seconds]
        if not known:
            return ""
        jobs = min(self.jobs, sum(left.values()))
        what = "about" if len(known) == len(left) else "at least"
        return f"{what} {duration(sum(known) / jobs)} left"


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
    left : callable, optional
        Says how long the rest will take; by default as long a piece as those before.

    Examples
    --------
    >>> progress = Progress(4, "fits", stream=sys.stdout)
    >>> progress.advance()
    >>> progress.finish()
    fits 1/4...
    """

    def __init__(
        self,
        total: int,
        what: str,
        stream: TextIO | None = None,
        left: Callable[[], str] | None = None,
    ) -> None:
        self.total, self.what, self.left = total, what, left or self._as_before
        self.stream = stream or sys.stderr
        self.done = self.failed = 0
        self.start = self.last = time.monotonic()
        about = {"bar_format": "{desc}", "dynamic_ncols": True}
        self.bar = tqdm(total=total, file=self.stream, **about) if self.stream.isatty() else None

    def advance(self, *, failed: bool = False) -> None:
        """Count one more piece of work as done."""
        self.done += 1
        self.failed += failed
        self.show()

    def show(self, running: Sequence[str] = ()) -> None:
        """Show the present state, if it is time to."""
        if self.bar is not None:
            self.bar.set_description_str(self.line(running))
        elif time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            print(self.line(running), file=self.stream, flush=True)

    def finish(self) -> None:
        """Write the last line."""
        if self.bar is not None:
            self.show()
            self.bar.close()
        else:
            print(self.line(), file=self.stream, flush=True)

    def line(self, running: Sequence[str] = ()) -> str:
        """Return the state in words."""
        parts = [f"{self.what} {self.done}/{self.total}"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.done == self.total:
            parts.append(duration(time.monotonic() - self.start))
        elif said := self.left():
            parts.append(said)
        if running:
            parts.append(", ".join(running))
        return " · ".join(parts)

    def _as_before(self) -> str:
        if not self.done:
            return ""
        elapsed = time.monotonic() - self.start
        return f"{duration(elapsed / self.done * (self.total - self.done))} left"


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
