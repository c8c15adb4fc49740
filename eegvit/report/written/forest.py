"""A meta-analysis drawn: the difference in each study, over all, and in the next one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.svg import drawing, element, shortened, tick
from eegvit.report.written.over_studies import Combined

WIDTH, LABELS, ROW = 760.0, 210.0, 24.0


def forest(one: Combined, names: Sequence[str], metric: str) -> Markup:
    """Return a line for each study, a diamond for all, a line for the next data set.

    Parameters
    ----------
    one : Combined
        A model against another.
    names : sequence of str
        Of the studies.
    metric : str
    """
    pooled = one.pooled
    values = [v for p in one.pairs for v in (p.difference, p.low, p.high)]
    if pooled is not None:
        values += [pooled.low, pooled.high, pooled.next_low, pooled.next_high]
    scale = spanning([*values, 0.0], LABELS + 12, WIDTH - 130, 0.05)
    n_lines = len(names) + (0 if pooled is None else 1 + (not math.isnan(pooled.next_low)))
    bottom = 10 + ROW * n_lines
    parts = _axis(scale, bottom, metric)
    for number, (name, pair) in enumerate(zip(names, one.pairs, strict=True)):
        y = 10 + ROW * (number + 0.5)
        said = f"{shortened(name)} ({pair.n_subjects})"
        parts.append(element("text", said, x=LABELS, y=y + 4, class_="end"))
        parts += _line(scale, pair.low, pair.high, y)
        parts.append(element("circle", cx=scale(pair.difference), cy=y, r=4.5, class_="mean"))
        parts.append(_figure(words.signed(metric, pair.difference), y))
    if pooled is not None:
        y = 10 + ROW * (len(names) + 0.5)
        parts.append(element("text", "all studies", x=LABELS, y=y + 4, class_="end group"))
        corners = ((pooled.low, 0), (pooled.mean, -7), (pooled.high, 0), (pooled.mean, 7))
        points = " ".join(f"{scale(v):.1f},{y + dy:.1f}" for v, dy in corners)
        parts.append(element("polygon", points=points, class_="mean"))
        parts.append(_figure(words.signed(metric, pooled.mean), y))
        if not math.isnan(pooled.next_low):
            parts.append(element("text", "next data set", x=LABELS, y=y + ROW + 4, class_="end"))
            parts += _line(scale, pooled.next_low, pooled.next_high, y + ROW)
    title = f"{one.first} minus {one.other}{words.unit(metric)}"
    middle = (scale.start + scale.end) / 2
    parts.append(element("text", title, x=middle, y=bottom + 36, class_="axis"))
    return drawing(WIDTH, bottom + 44, *parts, label=title)


def _axis(scale: Scale, bottom: float, metric: str) -> list[Markup]:
    parts = []
    for value in round_steps(scale, 7):
        at = scale(value)
        line = {"x1": at, "x2": at, "y1": 6.0, "y2": bottom}
        parts.append(element("line", **line, class_="grid" if value else "chance"))
        parts.append(element("text", tick(metric, value), x=at, y=bottom + 16, class_="mid"))
    return parts


def _line(scale: Scale, low: float, high: float, y: float) -> list[Markup]:
    if math.isnan(low):
        return []
    return [element("line", x1=scale(low), x2=scale(high), y1=y, y2=y, class_="interval")]


def _figure(said: str, y: float) -> Markup:
    return element("text", said, x=WIDTH - 118, y=y + 4, class_="start")
