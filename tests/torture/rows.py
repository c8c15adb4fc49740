"""What a kind of torture came to: one line of the table of reliability."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """How often something was tried, how often it ended well, and what did not."""

    kind: str
    tried: int
    handled: int
    wrong: tuple[str, ...] = ()
