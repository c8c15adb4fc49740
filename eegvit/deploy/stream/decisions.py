"""What is said of a window, and an account of a stream: what was decided, lost, late."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Decision:
    """What a decoder says of a window.

    Parameters
    ----------
    onset : float
        Second of the stream of its cue, or at which a window without a cue begins.
    mark : str
        The mark that it belongs to, "" for a window without one.
    probabilities : array, shape (classes,)
    classes : tuple of str
    took : float
        Seconds from the arrival of its last sample to the probabilities.

    Examples
    --------
    >>> said = Decision(2.5, "769", np.array([0.25, 0.75]), ("left", "right"), 0.0012)
    >>> print(said.json())
    {"onset": 2.5, "mark": "769", "class": "right", "p": {"left": 0.25, "right": 0.75}, "ms": 1.2}
    """

    onset: float
    mark: str
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]
    took: float

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    def json(self) -> str:
        """Return it as a line of JSON."""
        told = (round(p, 6) for p in self.probabilities.tolist())
        return json.dumps(
            {
                "onset": round(self.onset, 4),
                "mark": self.mark,
                "class": self.label,
                "p": dict(zip(self.classes, told, strict=True)),
                "ms": round(1000 * self.took, 3),
            },
            ensure_ascii=False,
        )


@dataclass
class Account:
    """What became of a stream so far.

    Parameters
    ----------
    samples : int
        That arrived.
    lost : int
        That never did: gaps in the sender's clock.
    gaps, clock_jumps, late_chunks : int
        How often samples were missing, the sender's clock went back, and a chunk came later than
        it should.
    took : list of float
        Seconds that each decision took.
    left_out : Counter
        Windows without a decision, by reason.
    """

    samples: int = 0
    lost: int = 0
    gaps: int = 0
    clock_jumps: int = 0
    late_chunks: int = 0
    took: list[float] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return a line for each that is not nothing.

        Examples
        --------
        >>> print(Account(samples=2500, gaps=1, lost=20, took=[0.001, 0.002, 0.009]))
        3 decisions, in 2.0 ms (median), 8.9 ms (99 of 100)
        2500 samples; 20 lost in 1 gap
        """
        ms = 1000 * np.array(self.took)
        speed = f", in {np.median(ms):.1f} ms (median), {np.quantile(ms, 0.99):.1f} ms (99 of 100)"
        said = [f"{len(ms)} decision{'' if len(ms) == 1 else 's'}{speed if len(ms) else ''}"]
        lost = f"; {self.lost} lost in {_times(self.gaps, 'gap')}" if self.gaps else ""
        said.append(f"{self.samples} samples{lost}")
        if self.clock_jumps:
            said.append(f"the sender's clock went back {_times(self.clock_jumps, 'time')}")
        if self.late_chunks:
            said.append(f"{_times(self.late_chunks, 'chunk')} came late")
        said += [f"left out: {_times(n, 'window')}, {why}" for why, n in self.left_out.items()]
        return "\n".join(said)


def _times(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
