"""Families of paired tests: all pairs of rows of one target use, their ranks, what joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np

from eegvit.results.leaderboard import NAN, BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.statistics.flips import DIGITS, FloatArray, holm, paired, sign_flips, wilcoxon
from eegvit.results.statistics.intervals import bootstrap_intervals, crossed_interval
from eegvit.results.statistics.power import AT, detectable
from eegvit.results.statistics.ranks import Friedman, friedman, joined, letter, rank_intervals


class ScoredRow(Protocol):
    """What is compared: a row of a leaderboard, or a model of a report that was written."""

    @property
    def model(self) -> str: ...
    @property
    def n_seeds(self) -> int: ...
    @property
    def subjects(self) -> Mapping[str, float]: ...
    @property
    def by_seed(self) -> Mapping[int, Mapping[str, float]]: ...


@dataclass(frozen=True)
class Scored:
    """The scores of a model: of each person, over seeds and of each seed."""

    model: str
    n_seeds: int
    subjects: Mapping[str, float]
    by_seed: Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class Pair:
    """One row against another, over the people that both have.

    Parameters
    ----------
    first, other : str
        The models: the better one first, or the reference as `other`.
    difference, low, high : float
        Mean over people of first minus other, and its 95 % interval over people.
    both_low, both_high : float
        The interval over people and seeds; nan where there is one seed.
    sd : float
        Spread over people of the differences.
    n_subjects, wins, ties, losses : int
        People, and for how many of them the first is better, equal and worse.
    p, p_wilcoxon, p_holm : float
        Two-sided sign flips, Wilcoxon's signed ranks, and the first of them after Holm's
        correction for all tests of the family.
    """

    first: str
    other: str
    difference: float
    low: float
    high: float
    both_low: float
    both_high: float
    sd: float
    n_subjects: int
    wins: int
    ties: int
    losses: int
    p: float
    p_wilcoxon: float
    p_holm: float = NAN

    @property
    def effect(self) -> float:
        """Cohen's d of paired differences: their mean over their spread."""
        return self.difference / self.sd if self.sd > 0 else NAN


@dataclass(frozen=True)
class Standing:
    """How sure a row's rank is.

    Parameters
    ----------
    low, high : int or None
        The 95 % interval of its rank over people; None for too few of them.
    letters : str
        Rows that share a letter cannot be told apart at 5 % after correction.
    """

    low: int | None
    high: int | None
    letters: str


@dataclass(frozen=True)
class Family:
    """All pairs of the rows of one target use: Holm's correction runs over them.

    Parameters
    ----------
    target : str
        What its rows use of the target.
    pairs : tuple of Pair
        Of ranked rows, in the order of their ranks.
    standings : mapping
        Of each ranked row.
    friedman : Friedman or None
        Mean ranks and the critical difference; None for fewer than three rows or few people.
    models : tuple of str
        Ranked rows, best first: the order of `friedman`.
    spread : float
        Median over pairs of the spread of paired differences.
    detectable, detectable_first : float
        Smallest difference that 80 % of such studies would find by one test alone, and by the
        first step of Holm's correction.
    """

    target: str
    pairs: tuple[Pair, ...]
    standings: Mapping[str, Standing]
    friedman: Friedman | None
    models: tuple[str, ...]
    spread: float
    detectable: float
    detectable_first: float

    def against_first(self, model: str) -> Pair | None:
        """Return the pair of the best row and another."""
        found = (p for p in self.pairs if (p.first, p.other) == (self.models[0], model))
        return next(found, None)


def families(board: Sequence[BoardRow], metric: str) -> tuple[Family, ...]:
    """Return the family of each target use of a leaderboard."""
    uses = dict.fromkeys(row.target for row in board)
    return tuple(
        _family(use, [r for r in board if r.target == use and r.rank is not None], metric)
        for use in uses
    )


def against(board: Sequence[BoardRow], reference: str | None, metric: str) -> tuple[Pair, ...]:
    """Return every other row against the reference, which was chosen before: one family.

    Rows of another target use are compared as well; that they may use more is said beside them.
    """
    chosen = [row for row in board if row.model == reference and row.rank is not None]
    others = [row for row in board if row.model != reference and row.rank is not None]
    return _corrected(pairs([(row, chosen[0]) for row in others], metric)) if chosen else ()


def pair(first: ScoredRow, other: ScoredRow, metric: str) -> Pair:
    """Return one row against another."""
    return pairs([(first, other)], metric)[0]


def pairs(rows: Sequence[tuple[ScoredRow, ScoredRow]], metric: str) -> list[Pair]:
    """Return one row of each pair against the other."""
    differences = [np.array(paired(first.subjects, other.subjects)) for first, other in rows]
    told = zip(
        rows, differences, bootstrap_intervals(differences), sign_flips(differences), strict=True
    )
    return [_pair(*both, own, ends, p, metric) for both, own, ends, p in told]


def _pair(
    first: ScoredRow,
    other: ScoredRow,
    differences: FloatArray,
    ends: tuple[float, float],
    p: float,
    metric: str,
) -> Pair:
    several = len(differences) > 1
    both = crossed_interval(_by_seed(first, other))
    better = np.round(-differences if metric in LOWER_IS_BETTER else differences, DIGITS)
    return Pair(
        first=first.model,
        other=other.model,
        difference=float(differences.mean()) if len(differences) else NAN,
        low=ends[0],
        high=ends[1],
        both_low=both[0],
        both_high=both[1],
        sd=float(differences.std(ddof=1)) if several else NAN,
        n_subjects=len(differences),
        wins=int((better > 0).sum()),
        ties=int((better == 0).sum()),
        losses=int((better < 0).sum()),
        p=p if several else NAN,
        p_wilcoxon=wilcoxon(differences) if several else NAN,
    )


def _by_seed(first: ScoredRow, other: ScoredRow) -> FloatArray:
    """Return differences (people, seeds); without seeds where neither row depends on one."""
    if max(first.n_seeds, other.n_seeds) < 2:
        return np.empty((0, 0))
    seeds = [seed for seed in first.by_seed if seed in other.by_seed]
    columns = [
        {
            s: first.by_seed[k][s] - other.by_seed[k][s]
            for s in first.by_seed[k]
            if s in other.by_seed[k]
        }
        for k in seeds
    ]
    people = [s for s in first.subjects if all(not np.isnan(c.get(s, NAN)) for c in columns)]
    return np.array([[column[s] for column in columns] for s in people]).reshape(-1, len(seeds))


def _family(target: str, rows: Sequence[BoardRow], metric: str) -> Family:
    compared = _corrected(pairs(list(combinations(rows, 2)), metric))
    models = tuple(row.model for row in rows)
    scores = _common(rows, metric)
    spreads = [p.sd for p in compared if p.sd > 0]
    spread = float(np.median(spreads)) if spreads else NAN
    n_people = min((p.n_subjects for p in compared), default=0)
    return Family(
        target=target,
        pairs=compared,
        standings=_standings(models, compared, rank_intervals(scores) if len(rows) > 1 else None),
        friedman=friedman(scores),
        models=models,
        spread=spread,
        detectable=detectable(spread, n_people),
        detectable_first=detectable(spread, n_people, AT / max(1, len(compared))),
    )


def _corrected(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    corrected = holm([one.p for one in pairs])
    return tuple(replace(one, p_holm=p) for one, p in zip(pairs, corrected, strict=True))


def _common(rows: Sequence[BoardRow], metric: str) -> FloatArray:
    """Return scores (people, rows) of the people that all rows have, higher is better."""
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    people = list(rows[0].subjects) if rows else []
    shared = [s for s in people if not any(np.isnan(r.subjects.get(s, NAN)) for r in rows)]
    table = [[sign * row.subjects[s] for row in rows] for s in shared]
    return np.array(table, np.float64).reshape(len(shared), len(rows))


def _standings(
    models: Sequence[str], pairs: Sequence[Pair], ranks: Sequence[tuple[int, int]] | None
) -> dict[str, Standing]:
    place = {model: number for number, model in enumerate(models)}
    different = {(place[p.first], place[p.other]) for p in pairs if p.p_holm <= AT}
    groups = joined(len(models), different)
    found = {}
    for model, number in place.items():
        low, high = (None, None) if ranks is None else ranks[number]
        letters = [letter(i) for i, group in enumerate(groups) if number in group]
        said = ("" if all(len(one) == 1 for one in letters) else " ").join(letters)
        found[model] = Standing(low, high, said)
    return found
