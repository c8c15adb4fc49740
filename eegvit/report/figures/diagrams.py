"""Figures of one model: what it confuses, and whether it is as sure as it is right."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from eegvit.report.figures.axes import Scale
from eegvit.report.figures.svg import drawing, element, shortened
from eegvit.results.metrics import N_BINS, confusion, reliability
from eegvit.results.results import Results


def confusion_matrix(results: Results, model: str) -> Markup | None:
    """Return the confusion matrix of a model over all its test trials and seeds."""
    counts = counts_of(results, model)
    if counts is None:
        return None
    n = len(results.classes)
    cell = min(62.0, 184.0 / n)
    left, top, side = 78.0, 52.0, cell * n
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    parts: list[Markup] = []
    for i, j in np.ndindex(n, n):
        x, y, percent = left + j * cell, top + i * cell, 100 * float(share[i, j])
        said = f"{results.classes[i]} taken for {results.classes[j]}: {int(counts[i, j])} trials"
        box = {"x": x, "y": y, "width": cell - 1.5, "height": cell - 1.5}
        shade = f"--share:{percent:.0f}%"
        parts.append(element("rect", element("title", said), **box, class_="heat", style=shade))
        if n <= 6:
            middle = {"x": x + cell / 2 - 0.75, "y": y + cell / 2 + 3.5}
            parts.append(element("text", f"{percent:.0f}", **middle, class_="cell"))
    if n <= 12:
        for i, name in enumerate(results.classes):
            whole, at = (element("title", name), shortened(name, 11)), i * cell + cell / 2
            beside = {"x": left - 6, "y": top + at + 3.5, "class_": "end"}
            parts.append(element("text", *whole, **beside))
            tilted = f"translate({left + at:g} {top - 6:g}) rotate(-32)"
            parts.append(element("text", *whole, transform=tilted))
    below = top + side + 14
    parts.append(
        element("text", "predicted, % of true class", x=left + side / 2, y=below, class_="mid")
    )
    label = f"Confusion matrix of {model}"
    return drawing(left + side + 34, below + 6, *parts, label=label)


def reliability_diagram(results: Results, model: str) -> Markup | None:
    """Return accuracy against confidence in bins of confidence."""
    trials, confidence, correct = np.zeros((3, N_BINS))
    for labels, probabilities in _done(results, model):
        found = reliability(labels, probabilities)
        trials, confidence, correct = trials + found[0], confidence + found[1], correct + found[2]
    if not trials.sum():
        return None
    x, y = Scale(0, 1, 30, 186), Scale(0, 1, 180, 24)
    parts = [element("rect", x=30, y=24, width=156, height=156, class_="frame")]
    parts.append(element("line", x1=30, y1=180, x2=186, y2=24, class_="ideal"))
    for value in (0.0, 0.5, 1.0):
        parts.append(element("text", f"{100 * value:.0f}", x=x(value), y=194, class_="mid"))
        parts.append(element("text", f"{100 * value:.0f}", x=25, y=y(value) + 3.5, class_="end"))
    points = []
    for n, sure, right in zip(trials, confidence, correct, strict=True):
        if n:
            points.append((x(sure / n), y(right / n), n, sure / n, right / n))
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py, *_ in points)
    parts.append(element("polyline", points=path, class_="curve"))
    for px, py, n, sure, right in points:
        said = f"{n:.0f} trials: confidence {100 * sure:.0f} %, correct {100 * right:.0f} %"
        radius = 2.0 + 5.0 * math.sqrt(n / trials.sum())
        parts.append(
            element("circle", element("title", said), cx=px, cy=py, r=radius, class_="mean")
        )
    parts.append(element("text", "confidence, %", x=108, y=208, class_="mid"))
    parts.append(element("text", "correct, %", x=30, y=14, class_="start"))
    return drawing(204, 214, *parts, label=f"Reliability diagram of {model}")


def _done(results: Results, model: str) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    return [
        (tested.y[tested.done], tested.probabilities[tested.done])
        for (name, _), tested in results.predictions.items()
        if name == model and tested.done.any()
    ]


def counts_of(results: Results, model: str) -> NDArray[np.int64] | None:
    n = len(results.classes)
    matrices = [
        confusion(y, probabilities.argmax(1), n) for y, probabilities in _done(results, model)
    ]
    return np.asarray(np.sum(matrices, axis=0)) if matrices else None
