"""Pieces of a recording as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Chunk:
    """Samples that arrived together, and marks that arrived with them.

    Parameters
    ----------
    samples : array, shape (channels, n)
        In the sender's unit.
    clock : float
        The sender's time of the first of them, in seconds.
    marks : tuple of (float, str)
        The sender's time of each mark, and what it says. It may lie before the samples or after.
    delay : float
        Seconds from the sender's time of the last sample to its arrival, as far as clocks tell.
    """

    samples: NDArray[np.float64]
    clock: float
    marks: tuple[tuple[float, str], ...] = ()
    delay: float = 0.0


class Source(Protocol):
    """Where chunks come from."""

    @property
    def ch_names(self) -> tuple[str, ...]:
        """Channels, in the order of the samples."""

    @property
    def sfreq(self) -> float:
        """Sampling rate."""

    @property
    def to_microvolts(self) -> float:
        """Factor from its unit to microvolts."""

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks as they arrive, until the sender is gone."""
