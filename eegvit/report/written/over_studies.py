"""Models over several studies: mean ranks, combined tests, meta-analyses of differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from eegvit.report import words
from eegvit.report.written.folder import Written, protocol_of
from eegvit.results.families import Pair, Scored, pair
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.statistics.flips import holm
from eegvit.results.statistics.together import Pooled, pool, stouffer

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Entry:
    """A study on the board.

    Parameters
    ----------
    report : Written
    scores : mapping
        Of each model and its target use.
    why_not : str
        Why it is shown but not counted with the others; empty if it is counted.
    """

    report: Written
    scores: Mapping[tuple[str, str], Scored]
    why_not: str = ""

    def mean(self, model: str, target: str) -> float:
        """Return the mean over people of a model; nan if the study lacks it."""
        scored = self.scores.get((model, target))
        return float(np.nanmean(list(scored.subjects.values()))) if scored else NAN


@dataclass(frozen=True)
class Combined:
    """One model against another over studies.

    Parameters
    ----------
    first, other : str
    pairs : tuple of Pair
        Of each study that counts.
    p, p_holm : float
        Stouffer's of all studies, alone and after Holm's correction.
    pooled : Pooled or None
        The meta-analysis of the differences.
    """

    first: str
    other: str
    pairs: tuple[Pair, ...]
    p: float
    p_holm: float
    pooled: Pooled | None


@dataclass(frozen=True, eq=False)
class Group:
    """The models of one target use.

    Parameters
    ----------
    target : str
    ranks : mapping
        Mean rank over the studies that count, best first, of models that all of these have.
    others : tuple of str
        Models that some of these lack.
    against : str
        The model that others are compared with.
    combined : tuple of Combined
        Of each other model against it.
    n_tests : int
        Over how many tests Holm's correction runs.
    """

    target: str
    ranks: Mapping[str, float]
    others: tuple[str, ...]
    against: str
    combined: tuple[Combined, ...]
    n_tests: int


def entries(reports: Sequence[Written]) -> list[Entry]:
    """Return the studies of a board; those that repeat people or differ in kind are not counted."""
    first = reports[0]
    real = any(not report.about["simulated"] for report in reports)
    kind = next((protocol_of(r.about) for r in reports if not (real and r.about["simulated"])), "")
    seen: dict[str, str] = {}
    found = []
    for report in reports:
        again = sorted({seen[who] for who in report.people if who in seen})
        why = ""
        if report.metric != first.metric:
            why = f"ranked by {words.METRIC_NAMES[report.metric]}"
        elif real and report.about["simulated"]:
            why = "simulated"
        elif protocol_of(report.about) != kind:
            why = f"protocol {protocol_of(report.about).replace('_', '-')}"
        elif again:
            why = f"same people as {again[0]}"
        if not why:
            seen |= dict.fromkeys(report.people, report.name)
        told = report.scored() if report.metric == first.metric else {}
        rows = {model: report.row(model) for model in told}
        scores = {(m, rows[m]["target"]): s for m, s in told.items() if not rows[m].get("control")}
        found.append(Entry(report, scores, why))
    return found


def groups(shown: Sequence[Entry], reference: str | None = None) -> list[Group]:
    """Return the models by target use, each against the reference or the best of its group."""
    uses = dict.fromkeys(target for entry in shown for _, target in entry.scores)
    found = [_group(shown, target, reference) for target in uses]
    if reference is not None and not any(group.against == reference for group in found):
        raise ValueError(f"no model '{reference}' is in all studies that count")
    return found


def _group(shown: Sequence[Entry], target: str, reference: str | None) -> Group:
    counted = [entry for entry in shown if not entry.why_not]
    metric = shown[0].report.metric
    named = dict.fromkeys(m for entry in shown for m, use in entry.scores if use == target)
    common = [m for m in named if counted and all((m, target) in e.scores for e in counted)]
    ranks: dict[str, float] = {}
    if common:
        sign = 1.0 if metric in LOWER_IS_BETTER else -1.0
        means = np.array([[entry.mean(m, target) for m in common] for entry in counted])
        places = stats.rankdata(np.round(sign * means, 12), axis=1).mean(axis=0)
        ranks = {common[i]: float(places[i]) for i in np.argsort(places, kind="stable")}
    chosen = reference if reference in ranks else next(iter(ranks), "")
    if reference in ranks:
        pairs = [(m, chosen) for m in ranks if m != chosen]
    else:
        pairs = list(combinations(ranks, 2))
    made = [_combined(counted, first, other, target, metric) for first, other in pairs]
    corrected = holm([one.p for one in made])
    made = [replace(one, p_holm=p) for one, p in zip(made, corrected, strict=True)]
    beside = tuple(one for one in made if chosen in (one.first, one.other))
    others = tuple(m for m in named if m not in ranks)
    return Group(target, ranks, others, chosen, beside, len(made))


def _combined(
    counted: Sequence[Entry], first: str, other: str, target: str, metric: str
) -> Combined:
    pairs = [pair(e.scores[first, target], e.scores[other, target], metric) for e in counted]
    people = [one.n_subjects for one in pairs]
    p = stouffer([one.p for one in pairs], [one.difference for one in pairs], people)
    errors = [one.sd / math.sqrt(one.n_subjects) if one.n_subjects else NAN for one in pairs]
    pooled = pool([one.difference for one in pairs], errors)
    return Combined(first, other, tuple(pairs), p if len(pairs) > 1 else pairs[0].p, NAN, pooled)
