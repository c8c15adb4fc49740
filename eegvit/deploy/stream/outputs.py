"""Where decisions go: lines of JSON, or a line of a terminal that changes."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

from eegvit.deploy.stream.decisions import Decision

_FULL, _EMPTY = "█", "░"


@dataclass(frozen=True)
class Lines:
    """A line of JSON for each decision, written at once."""

    file: TextIO

    def __call__(self, decision: Decision) -> None:
        """Write a decision."""
        self.file.write(decision.json() + "\n")
        self.file.flush()


class Live:
    """The latest decision in one line: a bar for each class."""

    def __call__(self, decision: Decision) -> None:
        """Show a decision."""
        line = shown(decision, shutil.get_terminal_size().columns)
        sys.stdout.write(f"\r\x1b[K{line}")
        sys.stdout.flush()


def shown(decision: Decision, width: int) -> str:
    """Return a decision as a line of so many characters at most.

    Examples
    --------
    >>> import numpy as np
    >>> said = Decision(2.5, "769", np.array([0.25, 0.75]), ("left", "right"), 0.0012)
    >>> print(shown(said, 60))
       2.5 s  left ███░░░░░░░░ 0.25  [right ████████░░░] 0.75
    """
    head = f"{decision.onset:6.1f} s"
    names = sum(len(name) + 10 for name in decision.classes)
    bar = min(12, (width - len(head) - names) // len(decision.classes))
    parts = [head]
    for name, p in zip(decision.classes, decision.probabilities.tolist(), strict=True):
        n = max(0, bar)
        drawn = f" {_FULL * round(p * n)}{_EMPTY * (n - round(p * n))}" if n > 2 else ""
        whole = f"{name}{drawn}"
        parts.append(f"{f'[{whole}]' if name == decision.label else whole} {p:.2f}")
    return "  ".join(parts)[:width]
