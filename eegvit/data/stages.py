"""Where the CPU seconds of making trials go: reading, filtering, alignment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class _Meter:
    """CPU seconds by stage; the innermost open stage is the one that is spending."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.open: list[str] = []
        self.since = time.process_time()

    def count(self) -> None:
        """Add what was spent since the last count to the innermost open stage."""
        now = time.process_time()
        if self.open:
            name = self.open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.since
        self.since = now


_METER: ContextVar[_Meter | None] = ContextVar("_METER", default=None)


@contextmanager
def measured(name: str) -> Iterator[dict[str, float]]:
    """Collect the CPU seconds of a block by stage; what belongs to no other is `name`'s.

    Examples
    --------
    >>> with measured("read") as seconds:
    ...     with stage("filter"):
    ...         _ = sum(range(10))
    >>> sorted(seconds)
    ['filter', 'read']
    """
    meter = _Meter()
    token = _METER.set(meter)
    try:
        with stage(name):
            yield meter.seconds
    finally:
        _METER.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what a block spends for this stage, and not for the one around it."""
    meter = _METER.get()
    if meter is None:
        yield
        return
    meter.count()
    meter.open.append(name)
    try:
        yield
    finally:
        meter.count()
        meter.open.pop()
