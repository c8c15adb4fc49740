"""The latest samples of a stream."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Buffer:
    """Samples from some sample of a stream on; those that are let go of are overwritten later.

    Parameters
    ----------
    n_rows : int
    begin : int
        Sample of the stream that the first one will be.

    Examples
    --------
    >>> buffer = Buffer(1, begin=10)
    >>> for value in range(4):
    ...     buffer.append(np.full((1, 3), value))
    >>> buffer.forget(19)
    >>> buffer.begin, buffer.end, buffer[20:22].tolist()
    (19, 22, [[3.0, 3.0]])
    """

    def __init__(self, n_rows: int, begin: int) -> None:
        self.held = np.empty((n_rows, 1024))
        self.first = self.last = 0  # in `held`
        self.begin = begin

    @property
    def end(self) -> int:
        """Sample of the stream that comes next."""
        return self.begin + self.last - self.first

    @property
    def samples(self) -> Array:
        """All that is kept, (rows, samples)."""
        return self.held[:, self.first : self.last]

    def append(self, samples: Array) -> None:
        """Add the next samples."""
        n = samples.shape[1]
        if self.last + n > self.held.shape[1]:
            kept = self.samples
            room = self.held
            if 2 * (kept.shape[1] + n) > room.shape[1]:
                room = np.empty((len(room), 4 * (kept.shape[1] + n)))
            room[:, : kept.shape[1]] = kept  # where it overlaps itself, numpy copies first
            self.held, self.first, self.last = room, 0, kept.shape[1]
        self.held[:, self.last : self.last + n] = samples
        self.last += n

    def forget(self, before: int) -> None:
        """Let go of what came before a sample of the stream."""
        n = min(max(0, before - self.begin), self.last - self.first)
        self.first += n
        self.begin += n

    def __getitem__(self, span: slice) -> Array:
        """Return the samples from one of the stream to another, as far as they are kept."""
        start, stop = (max(0, at - self.begin) for at in (span.start, span.stop))
        return self.samples[:, start:stop]
