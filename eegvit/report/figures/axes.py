"""Scales of figures: where a value lies, and round numbers along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A straight map from values to positions in a drawing.

    Examples
    --------
    >>> Scale(0.0, 1.0, 100.0, 300.0)(0.25)
    150.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def spanning(values: Sequence[float], start: float, end: float, margin: float = 0.04) -> Scale:
    """Return a scale on which all values fit, with a margin; nan is passed over."""
    known = [v for v in values if not math.isnan(v)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = margin * (high - low) or 0.5 * abs(high) or 0.5
    return Scale(low - room, high + room, start, end)


def round_steps(scale: Scale, most: int = 6) -> list[float]:
    """Return round values within a scale, at most so many.

    Examples
    --------
    >>> round_steps(Scale(0.43, 0.97, 0, 1))
    [0.5, 0.6, 0.7, 0.8, 0.9]
    """
    span = scale.high - scale.low
    step = 10.0 ** math.floor(math.log10(span / most))
    step *= next(f for f in (1, 2, 5, 10) if span / (step * f) <= most)
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions near the wanted ones that keep a gap and stay within limits.

    Examples
    --------
    >>> apart([10.0, 11.0, 40.0], 10.0, 0.0, 50.0)
    [10.0, 20.0, 40.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed
