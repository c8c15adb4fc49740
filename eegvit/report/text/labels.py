"""Scores by the number of labels, as Markdown and for a terminal."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.amounts import said_amount
from eegvit.report.tables.labels import gain_of, gained, tests
from eegvit.results.few_labels import Efficiency, Point
from eegvit.results.results import Results


def labels_markdown(results: Results) -> list[str]:
    """Return the table as lines of Markdown."""
    efficiency = results.efficiency
    if efficiency is None:
        return []
    metric = results.study.evaluate.metric
    titles = [said_amount(results, amount) for amount in efficiency.amounts]
    head = f"| {words.METRIC_NAMES[metric]}{words.unit(metric)} by labels |"
    lines = [f"{head} {' | '.join(titles)} |", "|-|" + "-:|" * len(titles)]
    for name in results.study.models:
        points = [efficiency.point(name, amount) for amount in efficiency.amounts]
        shown = [_shown(efficiency, point, metric) for point in points]
        lines.append(f"| {name.replace('|', '/')} | {' | '.join(shown)} |")
    return [
        *lines,
        "",
        f"In brackets: gain over the control from scratch; {tests(results)}",
    ]


def labels_terminal(results: Results) -> list[str]:
    """Return the means as lines for a terminal."""
    if results.efficiency is None:
        return []
    amounts = results.efficiency.amounts
    metric = results.study.evaluate.metric
    rows = [["labels", *(said_amount(results, amount) for amount in amounts)]]
    for name in results.study.models:
        means = [results.efficiency.point(name, amount).mean for amount in amounts]
        rows.append([name[:40], *(words.score(metric, mean) for mean in means)])
    width = max(len(row[0]) for row in rows)
    return ["  ".join([row[0].ljust(width), *(c.rjust(8) for c in row[1:])]) for row in rows]


def _shown(efficiency: Efficiency, point: Point, metric: str) -> str:
    gain = gain_of(efficiency, point)
    shown = words.score(metric, point.mean)
    if gain is None or math.isnan(gain.difference):
        return shown
    return f"{shown} ({gained(gain, metric)})"
