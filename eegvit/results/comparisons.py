"""Paired tests between rows of a leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegvit.results.leaderboard import (
    NAN,
    BoardRow,
)
from eegvit.results.statistics import (
    holm,
    paired,
    sign_flip,
)


@dataclass(frozen=True)
class Comparison:
    """A paired test over subjects between the best model of a target use and another."""

    target: str
    best: str
    other: str
    difference: float  # mean over subjects, best minus other
    n_subjects: int
    p: float
    p_holm: float


def compare(board: Sequence[BoardRow]) -> list[Comparison]:
    """Return a paired two-sided test of the best of each target use against its others.

    Holm's correction runs over the tests of one target use.
    """
    comparisons = []
    for target in dict.fromkeys(row.target for row in board):
        ranked = [row for row in board if row.target == target and row.rank is not None]
        pairs = [(ranked[0], other) for other in ranked[1:]]
        differences = [paired(best.subjects, other.subjects) for best, other in pairs]
        p_values = [sign_flip(d) if len(d) > 1 else NAN for d in differences]
        for (best, other), d, p, p_holm in zip(
            pairs, differences, p_values, holm(p_values), strict=True
        ):
            mean = float(np.mean(d)) if d else NAN
            comparisons.append(Comparison(target, best.model, other.model, mean, len(d), p, p_holm))
    return comparisons
