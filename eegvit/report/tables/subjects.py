"""The score of each subject under each model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Row, Table, named
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import Results

STRONGEST = 0.55  # share of the colour that the best score has


def subjects_table(results: Results) -> Table:
    """Return subjects as rows and models as columns, coloured by the score."""
    metric = results.study.evaluate.metric
    rows = [row for row in results.board if row.subjects]
    low, high = _limits(results, rows)
    kinds = dict.fromkeys(row.target for row in rows)
    above = [(words.target_title(t), len([r for r in rows if r.target == t])) for t in kinds]
    columns = (Column("subject", left=True), *(Column(row.model) for row in rows))
    body = [
        named(subject, *(_cell(results, rows, row, subject, low, high) for row in rows))
        for subject in results.subject_chance
    ]
    means = [Cell("mean", kind="name", head=True)]
    means += [Cell(words.score(metric, row.mean)) for row in rows]
    about = f"{words.METRIC_NAMES[metric]} of each subject under each model"
    shown = Table(about, columns, "heat", above=tuple(above) if len(above) > 1 else ())
    return shown.of([*body, Row(tuple(means), "mean")])


def _limits(results: Results, rows: Sequence[BoardRow]) -> tuple[float, float]:
    values = [v for row in rows for v in row.subjects.values() if not math.isnan(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    first = results.board[0].chance
    if results.study.evaluate.metric not in LOWER_IS_BETTER and not math.isnan(first):
        low = min(max(low, first), high)
    return low, high


def _cell(
    results: Results,
    rows: Sequence[BoardRow],
    row: BoardRow,
    subject: str,
    low: float,
    high: float,
) -> Cell:
    metric = results.study.evaluate.metric
    value = row.subjects.get(subject, math.nan)
    if math.isnan(value):
        return Cell(words.NOTHING, kind="faint")
    share = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    share = 1 - share if metric in LOWER_IS_BETTER else share
    group = [r for r in rows if r.target == row.target and not r.control]
    scores = [r.subjects.get(subject, math.nan) for r in group]
    known = [v for v in scores if not math.isnan(v)]
    best = (min if metric in LOWER_IS_BETTER else max)(known, default=math.nan)
    kinds = ["best"] if value == best and len(known) > 1 and not row.control else []
    bound = results.subject_chance[subject][1]
    if not math.isnan(bound) and value <= bound:
        kinds.append("under-chance")
    return Cell(words.score(metric, value), kind=" ".join(kinds), share=STRONGEST * share)
