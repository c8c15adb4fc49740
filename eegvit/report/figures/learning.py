"""The losses of every fit of a network, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from eegvit.report.figures.axes import Scale, round_steps, spanning
from eegvit.report.figures.svg import drawing, element

WIDTH, HEIGHT = 460.0, 230.0
LEFT, RIGHT, TOP, FLOOR = 46.0, 448.0, 30.0, 190.0
NAMES = {"train_loss": "training", "valid_loss": "held-out people"}
MOST_EPOCHS = 60  # drawn of a line; of more, as many spread over all

History = Mapping[str, Sequence[float]]


def learning_curves(fits: Sequence[History], model: str, most: int) -> Markup | None:
    """Return a thin line for each fit and the median of those that reach an epoch.

    Parameters
    ----------
    fits : sequence of mapping
        Losses of each epoch, "train_loss" and, where people were held out, "valid_loss".
    model : str
        Whose they are.
    most : int
        Fits with a line; of more, as many spread over all.
    """
    longest = max((len(fit["train_loss"]) for fit in fits), default=0)
    if longest < 2:
        return None
    drawn = [fits[i] for i in _spread(len(fits), most)]
    every = [loss for fit in drawn for losses in fit.values() for loss in losses]
    x = Scale(1, longest, LEFT, RIGHT)
    y = spanning([*np.quantile(every, [0.0, 0.995]).tolist(), 0.0], FLOOR, TOP)
    parts = _axes(x, y, longest)
    for hue, (name, said) in enumerate(NAMES.items()):
        own = [fit[name] for fit in drawn if name in fit]
        parts += [_line(losses, x, y, f"line each hue-{hue}") for losses in own]
        if own:
            everyone = [fit[name] for fit in fits if name in fit]
            parts.append(_line(_medians(everyone), x, y, f"line hue-{hue}"))
            at = {"x": LEFT + 130 * hue, "y": 14, "class_": f"start named hue-{hue}"}
            parts.append(element("text", said, **at))
    return drawing(WIDTH, HEIGHT, *parts, label=f"Learning curves of {model}")


def _axes(x: Scale, y: Scale, longest: int) -> list[Markup]:
    parts = []
    for value in (v for v in round_steps(y, 5) if v >= 0):
        at = {"y1": y(value), "y2": y(value)}
        parts.append(element("line", x1=LEFT, x2=RIGHT, **at, class_="grid"))
        parts.append(element("text", f"{value:g}", x=LEFT - 8, y=y(value) + 4, class_="end"))
    for epoch in round_steps(x, 6):
        if epoch == int(epoch) and 1 <= epoch <= longest:
            parts.append(element("text", int(epoch), x=x(epoch), y=FLOOR + 16, class_="mid"))
    middle = (LEFT + RIGHT) / 2
    parts.append(element("text", "loss in each epoch", x=middle, y=FLOOR + 33, class_="axis"))
    return parts


def _line(losses: Sequence[float], x: Scale, y: Scale, kind: str) -> Markup:
    epochs = _spread(len(losses), MOST_EPOCHS)
    places = [(x(epoch + 1), max(y(losses[epoch]), TOP)) for epoch in epochs]
    path = " ".join(f"{px:.0f},{py:.0f}" for px, py in places)
    return element("polyline", points=path, class_=kind)


def _medians(fits: Sequence[Sequence[float]]) -> list[float]:
    table: NDArray[np.float64] = np.full((len(fits), max(map(len, fits))), np.nan)
    for row, losses in zip(table, fits, strict=True):
        row[: len(losses)] = losses
    medians: list[float] = np.nanmedian(table, axis=0).tolist()
    return medians


def _spread(n: int, most: int) -> list[int]:
    """Return at most so many of n, from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()
