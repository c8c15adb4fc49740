"""The score of every subject under every model."""

from __future__ import annotations

import math

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.intervals import chance_band
from eegvit.report.figures.svg import drawing, element, shortened, tick
from eegvit.report.rows import of_target, targets
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results

WIDTH = 900.0
LABELS = 190.0
ROW = 30.0


def subject_dots(results: Results) -> Markup:
    """Return a line of dots for each model, a dot a subject, grouped by target use."""
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
        parts.append(element("text", words.target_title(target), x=0, y=y + 8, class_="group"))
        y += 20
        for row in own:
            parts += _dots(row, scale, y + ROW / 2, metric)
            y += ROW
        y += 8
        bottom = y
    back = chance_band(scale, first.chance, first.chance_bound, 18, bottom)
    back += _grid(scale, 18, bottom, metric)
    if not math.isnan(first.chance):
        back.append(element("text", "chance", x=scale(first.chance), y=11, class_="note mid"))
    title = f"{words.METRIC_NAMES[metric]}{words.unit(metric)} of each subject"
    middle = (scale.start + scale.end) / 2
    parts.append(element("text", title, x=middle, y=bottom + 36, class_="axis"))
    return drawing(WIDTH, bottom + 44, *back, *parts, label=title)


def _grid(scale: Scale, top: float, bottom: float, metric: str) -> list[Markup]:
    parts = []
    for value in round_steps(scale, 8):
        at = scale(value)
        parts.append(element("line", x1=at, x2=at, y1=top, y2=bottom, class_="grid"))
        parts.append(element("text", tick(metric, value), x=at, y=bottom + 16, class_="mid"))
    return parts


def _dots(row: BoardRow, scale: Scale, y: float, metric: str) -> list[Markup]:
    whole = element("title", row.model)
    parts = [element("text", whole, shortened(row.model), x=LABELS, y=y + 4, class_="end")]
    parts.append(element("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="lane"))
    if not math.isnan(row.ci_low):
        ends = {"x1": scale(row.ci_low), "x2": scale(row.ci_high)}
        parts.append(element("line", **ends, y1=y, y2=y, class_="interval"))
    for subject, value in row.subjects.items():
        if not math.isnan(value):
            said = f"{row.model}, subject {subject}: {words.score(metric, value)}"
            place = {"cx": scale(value), "cy": y, "r": 5}
            parts.append(element("circle", element("title", said), **place, class_="dot"))
    if not math.isnan(row.mean):
        at = scale(row.mean)
        parts.append(element("line", x1=at, x2=at, y1=y - 9, y2=y + 9, class_="tick"))
    return parts
