"""Score against what it costs, one mark for each model."""

from __future__ import annotations

import math

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.labels import HEIGHT, Box, place_labels
from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element, shortened, tick
from eegvit.report.rows import targets
from eegvit.results.results import Results

RIGHT = WIDTH - 190  # where the axis ends and names begin that have no room beside their mark
MARKS = ("circle", "square", "diamond", "triangle")
CORNERS = {
    "square": ((-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)),
    "diamond": ((0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)),
    "triangle": ((0, -6), (6, 5), (-6, 5)),
}


def cost_plot(results: Results) -> Markup | None:
    """Return mean score against CPU seconds of a fit, one mark for each model."""
    metric = results.study.evaluate.metric
    rows = [r for r in results.board if not math.isnan(r.mean) and r.seconds_fit > 0]
    if len(rows) < 2:
        return None
    height, top = max(380.0, 96 + HEIGHT * len(rows)), 34.0
    powers = [math.log10(row.seconds_fit) for row in rows]
    x = spanning(powers, 64, RIGHT, 0.06)
    ends = [v for row in rows for v in (row.ci_low, row.ci_high, row.mean)]
    y = spanning([*ends, rows[0].chance], height - 54, top)
    parts: list[Markup] = []
    for value in round_steps(y, 8):
        line = {"x1": 64, "x2": RIGHT, "y1": y(value), "y2": y(value)}
        parts.append(element("line", **line, class_="grid"))
        shown = tick(metric, value)
        parts.append(element("text", shown, x=56, y=y(value) + 4, class_="end"))
    for power, shown in _cost_ticks(x):
        parts.append(element("text", shown, x=x(power), y=height - 34, class_="mid"))
        at = {"x1": x(power), "x2": x(power), "y1": height - 54, "y2": height - 49}
        parts.append(element("line", **at, class_="interval thin"))
    if not math.isnan(rows[0].chance):
        at = {"y1": y(rows[0].chance), "y2": y(rows[0].chance)}
        parts.append(element("line", x1=64, x2=RIGHT, **at, class_="chance"))
        note = {"x": 68, "y": y(rows[0].chance) + 13}
        parts.append(element("text", "chance", **note, class_="note"))
    kinds = targets(results)
    marks = [(x(power), y(row.mean)) for row, power in zip(rows, powers, strict=True)]
    names = [shortened(row.model) for row in rows]
    lines = [
        Box(px - 3, y(row.ci_high), px + 3, y(row.ci_low))
        for row, (px, _) in zip(rows, marks, strict=True)
        if not math.isnan(row.ci_low)
    ]
    for one in lines:
        at = {"x1": one.left + 3, "x2": one.left + 3, "y1": one.bottom, "y2": one.top}
        parts.append(element("line", **at, class_="interval thin"))
    labels = place_labels(marks, names, Box(66, top - 6, RIGHT, height - 60), lines)
    for label in labels:
        if label.leader is not None:
            (x1, y1), (x2, y2) = label.leader
            parts.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="leader"))
    for row, name, (px, py), label in zip(rows, names, marks, labels, strict=True):
        said = (
            f"{row.model}: {words.score(metric, row.mean)}{words.unit(metric)},"
            f" {words.seconds(row.seconds_fit)} of CPU per fit"
        )
        parts.append(_mark(kinds.index(row.target), px, py, said))
        edge = label.box.left if label.to_right else label.box.right
        place = {
            "x": edge,
            "y": label.box.bottom - 3,
            "class_": "start" if label.to_right else "end",
        }
        parts.append(element("text", name, **place))
    across = 64.0
    for number, target in enumerate(kinds):
        parts.append(_mark(number, across + 5, 12, target))
        parts.append(element("text", target, x=across + 15, y=16, class_="start"))
        across += 34 + 6.4 * len(target)
    title = "CPU time per fit (features, training and prediction), logarithmic"
    parts.append(element("text", title, x=(64 + RIGHT) / 2, y=height - 12, class_="axis"))
    return drawing(WIDTH, height, *parts, label="Score against CPU time")


def _cost_ticks(scale: Scale) -> list[tuple[float, str]]:
    first, last = math.floor(scale.low), math.ceil(scale.high)
    ticks: list[tuple[float, str]] = []
    for factors in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        values = [f * 10.0**p for p in range(first, last + 1) for f in factors]
        known = [(math.log10(value), words.seconds(value)) for value in values]
        ticks = [(power, said) for power, said in known if scale.low <= power <= scale.high]
        if len(ticks) > 2:
            break
    return ticks


def _mark(kind: int, x: float, y: float, said: str) -> Markup:
    shape = MARKS[kind % len(MARKS)]
    title = element("title", said)
    if shape == "circle":
        return element("circle", title, cx=x, cy=y, r=5, class_="mean")
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in CORNERS[shape])
    return element("polygon", title, points=path, class_="mean")
