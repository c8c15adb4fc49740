"""Figures of the page as SVG: they take their colours from the page, by day and by night."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.axes import Scale, round_steps, spanning
from eegvit.report.leaderboard import of_target, targets
from eegvit.report.markup import Markup, tag
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results

WIDTH = 900.0
LABELS = 190.0
ROW = 30.0


def svg(width: float, height: float, *children: object, label: str, class_: str = "") -> Markup:
    """Return a drawing with a name for readers who cannot see it."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=class_ or None,
    )


def interval_bar(row: BoardRow, scale: Scale, metric: str) -> Markup:
    """Return mean and interval on the scale that all rows share, with chance behind."""
    height, middle = 24.0, 12.0
    parts: list[Markup] = []
    if not math.isnan(row.chance):
        parts += _chance(scale, row.chance, row.chance_bound, 0, height)
    if not math.isnan(row.ci_low):
        ends = {"x1": scale(row.ci_low), "x2": scale(row.ci_high)}
        parts.append(tag("line", **ends, y1=middle, y2=middle, class_="interval"))
    if not math.isnan(row.mean):
        parts.append(tag("circle", cx=scale(row.mean), cy=middle, r=4, class_="mean"))
    said = f"{row.model}: {words.score(metric, row.mean)}{words.unit(metric)}"
    return svg(scale.start + scale.end, height, *parts, label=said, class_="bar")


def subject_dots(results: Results) -> Markup:
    """Return the score of every subject under every model."""
    metric = results.study.evaluate.metric
    rows = [row for row in results.board if row.subjects]
    values = [v for row in rows for v in row.subjects.values()]
    first = results.board[0]
    scale = spanning([*values, first.chance, first.chance_bound], LABELS + 12, WIDTH - 16, 0.03)
    parts: list[Markup] = []
    y, bottom = 26.0, 26.0
    for target in targets(results):
        own = [row for row in of_target(results, target) if row.subjects]
        if not own:
            continue
        parts.append(tag("text", words.target_title(target), x=0, y=y + 8, class_="group"))
        y += 20
        for row in own:
            parts += _dots(row, scale, y + ROW / 2, metric)
            y += ROW
        y += 8
        bottom = y
    back = _chance(scale, first.chance, first.chance_bound, 18, bottom)
    back += _grid(scale, 18, bottom, metric)
    if not math.isnan(first.chance):
        at = scale(first.chance)
        back.append(tag("text", "chance", x=at, y=11, class_="note", text_anchor="middle"))
    title = f"{words.METRIC_NAMES[metric]}{words.unit(metric)} of each subject"
    parts.append(tag("text", title, x=(scale.start + scale.end) / 2, y=bottom + 36, class_="axis"))
    return svg(WIDTH, bottom + 44, *back, *parts, label=title)


def tick(metric: str, value: float) -> str:
    return f"{100 * value:g}" if metric in words.IN_PERCENT else f"{value:g}"


def _chance(scale: Scale, level: float, bound: float, top: float, bottom: float) -> list[Markup]:
    if math.isnan(level):
        return []
    parts = []
    if not math.isnan(bound):
        left, right = sorted((scale(level), scale(bound)))
        box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        parts.append(tag("rect", **box, class_="band"))
    at = scale(level)
    parts.append(tag("line", x1=at, x2=at, y1=top, y2=bottom, class_="chance"))
    return parts


def _grid(scale: Scale, top: float, bottom: float, metric: str) -> list[Markup]:
    parts = []
    for value in round_steps(scale, 8):
        at = scale(value)
        parts.append(tag("line", x1=at, x2=at, y1=top, y2=bottom, class_="grid"))
        parts.append(tag("text", tick(metric, value), x=at, y=bottom + 16, class_="mid"))
    return parts


def _dots(row: BoardRow, scale: Scale, y: float, metric: str) -> list[Markup]:
    name = row.model if len(row.model) <= 26 else row.model[:25] + "…"
    parts = [tag("text", tag("title", row.model), name, x=LABELS, y=y + 4, class_="end")]
    parts.append(tag("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="lane"))
    if not math.isnan(row.ci_low):
        ends = {"x1": scale(row.ci_low), "x2": scale(row.ci_high)}
        parts.append(tag("line", **ends, y1=y, y2=y, class_="interval"))
    for subject, value in row.subjects.items():
        if not math.isnan(value):
            said = f"{row.model}, subject {subject}: {words.score(metric, value)}"
            place = {"cx": scale(value), "cy": y, "r": 5}
            parts.append(tag("circle", tag("title", said), **place, class_="dot"))
    if not math.isnan(row.mean):
        at = scale(row.mean)
        parts.append(tag("line", x1=at, x2=at, y1=y - 9, y2=y + 9, class_="tick"))
    return parts
