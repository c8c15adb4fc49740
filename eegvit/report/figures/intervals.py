"""Mean and interval of each row of the leaderboard, on a scale that all share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.svg import drawing, element, tick
from eegvit.results.leaderboard import BoardRow

WIDTH, HEIGHT = 124.0, 24.0


def shared_scale(board: Sequence[BoardRow]) -> Scale:
    """Return the scale on which the intervals of all rows fit."""
    ends = [v for row in board for v in (row.ci_low, row.ci_high, row.mean, row.chance)]
    return spanning(ends, 8, WIDTH - 8)


def interval_axis(scale: Scale, metric: str) -> Markup:
    """Return the scale with its numbers, for the head of the column."""
    parts = [element("line", x1=2.0, x2=WIDTH - 2, y1=21.5, y2=21.5, class_="rule")]
    for value in round_steps(scale, 4):
        at = scale(value)
        parts.append(element("line", x1=at, x2=at, y1=17.0, y2=22.0, class_="rule"))
        parts.append(element("text", tick(metric, value), x=at, y=13.0, class_="mid"))
    return drawing(WIDTH, HEIGHT, *parts, label="scale of the intervals", kind="bar")


def interval_bar(row: BoardRow, scale: Scale, metric: str) -> Markup:
    """Return mean and interval, with chance behind and the scale's steps."""
    middle = HEIGHT / 2
    parts = [
        element("line", x1=scale(v), x2=scale(v), y1=0, y2=HEIGHT, class_="grid")
        for v in round_steps(scale, 4)
    ]
    if not math.isnan(row.chance):
        parts += chance_band(scale, row.chance, row.chance_bound, 0, HEIGHT)
    if not math.isnan(row.ci_low):
        ends = {"x1": scale(row.ci_low), "x2": scale(row.ci_high)}
        parts.append(element("line", **ends, y1=middle, y2=middle, class_="interval"))
    if not math.isnan(row.mean):
        parts.append(element("circle", cx=scale(row.mean), cy=middle, r=4, class_="mean"))
    said = f"{row.model}: {words.score(metric, row.mean)}{words.unit(metric)}"
    return drawing(WIDTH, HEIGHT, *parts, label=said, kind="bar")


def chance_band(
    scale: Scale, level: float, bound: float, top: float, bottom: float
) -> list[Markup]:
    """Return a line at chance, and a band up to its bound if there is one."""
    if math.isnan(level):
        return []
    parts = []
    if not math.isnan(bound):
        left, right = sorted((scale(level), scale(bound)))
        box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        parts.append(element("rect", **box, class_="band"))
    at = scale(level)
    parts.append(element("line", x1=at, x2=at, y1=top, y2=bottom, class_="chance"))
    return parts
