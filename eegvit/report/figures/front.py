"""Score against what a model costs to use, and the front: nothing smaller is as good."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.labels import HEIGHT, Box, place_labels
from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element, shortened, tick
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import Results

LEFT, RIGHT, TOP, BOTTOM = 64.0, WIDTH - 190, 16.0, 54.0
COSTS: dict[str, tuple[Callable[[BoardRow], float], Callable[[float], str]]] = {
    "parameters": (lambda row: float(row.n_parameters or math.nan), lambda n: f"{n:,.0f}"),
    "multiply-accumulates of a trial": (lambda row: row.macs, lambda n: f"{n / 1e6:,.3g} M"),
    "time of a trial": (lambda row: row.seconds_1, words.seconds),
}


def fronts(results: Results) -> list[tuple[str, Markup]]:
    """Return a figure for each cost that two models or more have, with what it is."""
    found = []
    for name, (cost, said) in COSTS.items():
        rows = [r for r in results.board if not math.isnan(r.mean) and cost(r) > 0]
        if len(rows) > 1:
            found.append((name, _drawn(rows, [cost(r) for r in rows], name, said, results)))
    return found


def front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Return which points lie on the front, cheapest first: more score is better.

    Examples
    --------
    >>> front([1, 2, 3, 4], [0.5, 0.7, 0.6, 0.8])
    [0, 1, 3]
    """
    best, found = -math.inf, []
    for number in sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i])):
        if scores[number] > best:
            best = scores[number]
            found.append(number)
    return found


def _drawn(
    rows: Sequence[BoardRow],
    costs: Sequence[float],
    name: str,
    said: Callable[[float], str],
    results: Results,
) -> Markup:
    metric = results.study.evaluate.metric
    height = max(320.0, 96 + HEIGHT * len(rows))
    x = spanning([math.log10(cost) for cost in costs], LEFT, RIGHT, 0.06)
    y = spanning([row.mean for row in rows], height - BOTTOM, TOP + 10, 0.08)
    parts: list[Markup] = []
    for value in round_steps(y, 6):
        at = {"x1": LEFT, "x2": RIGHT, "y1": y(value), "y2": y(value)}
        parts.append(element("line", **at, class_="grid"))
        shown = tick(metric, value)
        parts.append(element("text", shown, x=LEFT - 8, y=y(value) + 4, class_="end"))
    for power in _powers(x):
        shown = said(10.0**power)
        parts.append(element("text", shown, x=x(power), y=height - 34, class_="mid"))
    marks = [(x(math.log10(c)), y(row.mean)) for row, c in zip(rows, costs, strict=True)]
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    on = front(costs, [sign * row.mean for row in rows])
    steps = [
        f"{'M' if i == 0 else 'L'}{marks[n][0]:.1f} {marks[n][1]:.1f}" for i, n in enumerate(on)
    ]
    parts.append(element("path", d=" ".join(steps), class_="leader"))
    names = [shortened(row.model) for row in rows]
    labels = place_labels(marks, names, Box(LEFT + 2, TOP, RIGHT, height - BOTTOM))
    for label in labels:
        if label.leader is not None:
            (x1, y1), (x2, y2) = label.leader
            parts.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="leader"))
    for row, cost, shown, (px, py), label in zip(rows, costs, names, marks, labels, strict=True):
        score = f"{words.score(metric, row.mean)}{words.unit(metric)}"
        title = element("title", f"{row.model}: {score}, {said(cost)}")
        parts.append(element("circle", title, cx=px, cy=py, r=5, class_="mean"))
        edge, side = (label.box.left, "start") if label.to_right else (label.box.right, "end")
        parts.append(element("text", shown, x=edge, y=label.box.bottom - 3, class_=side))
    axis = f"{name}, logarithmic"
    parts.append(element("text", axis, x=(LEFT + RIGHT) / 2, y=height - 12, class_="axis"))
    return drawing(WIDTH, height, *parts, label=f"Score against {name}")


def _powers(scale: Scale) -> list[float]:
    """Return the logarithms of round numbers on an axis."""
    first, last = math.floor(scale.low), math.ceil(scale.high)
    for factors in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        powers = [math.log10(f * 10.0**p) for p in range(first, last + 1) for f in factors]
        powers = [power for power in powers if scale.low <= power <= scale.high]
        if len(powers) > 2:
            break
    return powers
