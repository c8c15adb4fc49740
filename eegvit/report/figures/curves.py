"""Curves of the score against the number of labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from eegvit.config.pretraining import is_scratch
from eegvit.report import words
from eegvit.report.amounts import found, hues_of, said_amount
from eegvit.report.figures.axes import Scale, apart, round_steps, spanning
from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element, shortened, tick
from eegvit.results.few_labels import Efficiency, Point
from eegvit.results.results import Results

HEIGHT, TOP, LEFT, RIGHT, FLOOR = 420.0, 20.0, 64.0, WIDTH - 200, 366.0


def curves(results: Results) -> Markup | None:
    """Return the score of each model against the number of labels, on a logarithmic axis."""
    efficiency = found(results)
    known = [point for point in efficiency.points if not math.isnan(point.mean)]
    if not known:
        return None
    metric = results.study.evaluate.metric
    powers = [math.log10(amount) for amount in efficiency.amounts]
    x = spanning(powers, LEFT, RIGHT, 0.05)
    chance = results.board[0].chance
    ends = [v for p in known for v in (p.mean, p.low, p.high)]
    y = spanning([*ends, chance], FLOOR, TOP)
    parts = _axes(results, efficiency, x, y)
    if not math.isnan(chance):
        level = {"y1": y(chance), "y2": y(chance)}
        parts.append(element("line", x1=LEFT, x2=RIGHT, **level, class_="chance"))
        parts.append(element("text", "chance", x=RIGHT, y=y(chance) - 5, class_="note end"))
    hues = hues_of(results)
    own = {name: [p for p in known if p.model == name] for name in hues}
    lines = {name: points for name, points in own.items() if points}
    for name, points in lines.items():
        parts += _band(points, x, y, hues[name])
    for name, points in lines.items():
        dashed = is_scratch(results.study.models[name])
        parts += _line(points, x, y, hues[name], dashed, metric)
    wanted = [y(points[-1].mean) for points in lines.values()]
    for (name, points), at in zip(
        lines.items(), apart(wanted, 15, TOP + 6, FLOOR - 4), strict=True
    ):
        px, py = x(math.log10(points[-1].amount)), y(points[-1].mean)
        bend = f"{px + 6:.1f},{py:.1f} {RIGHT + 6:.1f},{at:.1f} {RIGHT + 12:.1f},{at:.1f}"
        parts.append(element("polyline", points=bend, class_="leader"))
        key = {"x": RIGHT + 16, "y": at + 4, "class_": f"start hue-{hues[name]} named"}
        parts.append(element("text", element("title", name), shortened(name), **key))
    return drawing(WIDTH, HEIGHT, *parts, label="Score against the number of labels")


def _axes(results: Results, efficiency: Efficiency, x: Scale, y: Scale) -> list[Markup]:
    metric = results.study.evaluate.metric
    parts = []
    for value in round_steps(y, 8):
        at = {"y1": y(value), "y2": y(value)}
        parts.append(element("line", x1=LEFT, x2=RIGHT, **at, class_="grid"))
        parts.append(element("text", tick(metric, value), x=LEFT - 8, y=y(value) + 4, class_="end"))
    for amount in efficiency.amounts:
        at_x = x(math.log10(amount))
        parts.append(element("line", x1=at_x, x2=at_x, y1=TOP, y2=FLOOR, class_="grid"))
        n = next(p.n_labels for p in efficiency.points if p.amount == amount)
        parts.append(
            element("text", said_amount(results, amount), x=at_x, y=FLOOR + 16, class_="mid")
        )
        if not math.isnan(n):
            parts.append(element("text", f"{n:,.0f}", x=at_x, y=FLOOR + 31, class_="mid note"))
    title = f"{words.METRIC_NAMES[metric]}{words.unit(metric)}"
    parts.append(element("text", title, x=LEFT, y=TOP - 8, class_="start"))
    known = not any(math.isnan(point.n_labels) for point in efficiency.points)
    below = f"labels{', and how many that is in all' if known else ''} (logarithmic)"
    parts.append(element("text", below, x=(LEFT + RIGHT) / 2, y=FLOOR + 49, class_="axis"))
    return parts


def _band(points: Sequence[Point], x: Scale, y: Scale, hue: int) -> list[Markup]:
    known = [point for point in points if not math.isnan(point.low)]
    if len(known) < 2:
        return []
    there = [(x(math.log10(p.amount)), y(p.high)) for p in known]
    back = [(x(math.log10(p.amount)), y(p.low)) for p in reversed(known)]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in [*there, *back])
    return [element("polygon", points=path, class_=f"area hue-{hue}")]


def _line(
    points: Sequence[Point], x: Scale, y: Scale, hue: int, dashed: bool, metric: str
) -> list[Markup]:
    places = [(x(math.log10(p.amount)), y(p.mean)) for p in points]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    style = f"line hue-{hue}" + (" dashed" if dashed else "")
    parts = [element("polyline", points=path, class_=style)]
    for point, (px, py) in zip(points, places, strict=True):
        n = "" if math.isnan(point.n_labels) else f", {point.n_labels:,.0f} labels"
        said = f"{point.model}{n}: {words.score(metric, point.mean)}"
        place = {"cx": px, "cy": py, "r": 4, "class_": f"spot hue-{hue}"}
        parts.append(element("circle", element("title", said), **place))
    return parts
