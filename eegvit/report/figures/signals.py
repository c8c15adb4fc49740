"""Mean signals of each class: amplitude spectra, or averages over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from eegvit.report.amounts import N_HUES
from eegvit.report.figures.axes import Scale, apart, round_steps, spanning
from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element, shortened
from eegvit.results.responses.signals import Curve, Signals, stimulus_frequency

TOP, LEFT, RIGHT, GAP = 40.0, 64.0, WIDTH - 150, 15.0
AXES = {"ssvep": "Hz", "p300": "seconds from the stimulus"}


def signals_plot(signals: Signals) -> Markup:
    """Return the curve of each class with its interval over people."""
    floor = TOP + max(290.0, GAP * len(signals.curves))
    ends = [v for c in signals.curves for part in (c.mean, c.low, c.high) for v in part.tolist()]
    x = Scale(float(signals.axis[0]), float(signals.axis[-1]), LEFT, RIGHT)
    y = spanning([*ends, 0.0], floor, TOP)
    if signals.paradigm == "ssvep":  # an interval of few people may reach below nothing
        y = Scale(0.0, y.high, floor, TOP)
    parts = _axes(signals, x, y, floor)
    parts += _flicker(signals.curves, x, floor) if signals.paradigm == "ssvep" else _stimulus(x, y)
    hues = {curve.name: number % N_HUES for number, curve in enumerate(signals.curves)}
    parts += [_band(signals, c, x, y, hues[c.name]) for c in signals.curves if c.n_people > 1]
    for curve in signals.curves:
        points = _points(signals.axis.tolist(), curve.mean.tolist(), x, y)
        said = f"{curve.name}: {curve.n_trials:,} trials of {curve.n_people} people"
        style = f"line hue-{hues[curve.name]}"
        parts.append(element("polyline", element("title", said), points=points, class_=style))
    wanted = [y(float(curve.mean[-1])) for curve in signals.curves]
    for curve, at in zip(signals.curves, apart(wanted, GAP, TOP + 6, floor - 4), strict=True):
        key = {"x": RIGHT + 12, "y": at + 4, "class_": f"start hue-{hues[curve.name]} named"}
        parts.append(
            element("text", element("title", curve.name), shortened(curve.name, 18), **key)
        )
    return drawing(WIDTH, floor + 52, *parts, label=f"Mean signals, {AXES[signals.paradigm]}")


def _axes(signals: Signals, x: Scale, y: Scale, floor: float) -> list[Markup]:
    parts = []
    for value in round_steps(y, 6):
        at = {"y1": y(value), "y2": y(value)}
        parts.append(element("line", x1=LEFT, x2=RIGHT, **at, class_="grid"))
        shown = f"{value:g}".replace("-", "−")
        parts.append(element("text", shown, x=LEFT - 8, y=y(value) + 4, class_="end"))
    for value in round_steps(x, 10):
        shown = f"{value:g}".replace("-", "−")
        parts.append(element("text", shown, x=x(value), y=floor + 16, class_="mid"))
    what = "amplitude" if signals.paradigm == "ssvep" else f"mean at {signals.electrodes[0]}"
    title = f"{what}, {signals.unit or 'as recorded'}"
    parts.append(element("text", title, x=LEFT, y=14, class_="start"))
    middle = {"x": (LEFT + RIGHT) / 2, "y": floor + 38, "class_": "axis"}
    return [*parts, element("text", AXES[signals.paradigm], **middle)]


def _flicker(curves: Sequence[Curve], x: Scale, floor: float) -> list[Markup]:
    """Mark the frequencies that the names of classes say, and their second harmonics."""
    parts = []
    for number, curve in enumerate(curves):
        frequency = stimulus_frequency(curve.name)
        for times in (1, 2) if frequency is not None else ():
            at = x((frequency or math.nan) * times)
            if LEFT <= at <= RIGHT:
                style = f"line each dashed hue-{number % N_HUES}"
                parts.append(element("line", x1=at, x2=at, y1=TOP, y2=floor, class_=style))
                shown = curve.name if times == 1 else f"{times} × {curve.name}"
                place = {"x": at, "y": TOP - 6, "class_": f"mid note named hue-{number % N_HUES}"}
                parts.append(element("text", shown, **place))
    return parts


def _stimulus(x: Scale, y: Scale) -> list[Markup]:
    """Mark nothing measured, and the moment of the stimulus."""
    level = {"x1": LEFT, "x2": RIGHT, "y1": y(0.0), "y2": y(0.0)}
    parts = [element("line", **level, class_="rule")]
    if x.low <= 0 <= x.high:
        at = x(0.0)
        parts.append(element("line", x1=at, x2=at, y1=y.end, y2=y.start, class_="rule"))
    return parts


def _band(signals: Signals, curve: Curve, x: Scale, y: Scale, hue: int) -> Markup:
    axis = signals.axis.tolist()
    least = max(y.low, float(curve.low.min()))
    low = [max(least, value) for value in curve.low.tolist()]
    there = _points(axis, curve.high.tolist(), x, y)
    back = _points(axis[::-1], low[::-1], x, y)
    return element("polygon", points=f"{there} {back}", class_=f"area hue-{hue}")


def _points(axis: Sequence[float], values: Sequence[float], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(a):.1f},{y(v):.1f}" for a, v in zip(axis, values, strict=True))
