"""Embeddings of trials on their two main axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eegvit.report.amounts import N_HUES
from eegvit.report.figures.axes import spanning
from eegvit.report.figures.svg import drawing, element
from eegvit.results.embeddings import Representation

SIDE, EDGE = 220.0, 8.0


@dataclass(frozen=True)
class Map:
    """A drawing of trials, coloured by what they are.

    Parameters
    ----------
    what : str
        What the colours mean.
    key : mapping
        The number of the colour of each name.
    drawing : Markup
    """

    what: str
    key: dict[str, int]
    drawing: Markup


def maps(one: Representation) -> list[Map]:
    """Return the trials of one split by class and by person."""
    people = [who.rpartition("/")[2] for who in one.people]
    return [_map(one, one.classes, "class"), _map(one, people, "person")]


def _map(one: Representation, names: Sequence[str], what: str) -> Map:
    x = spanning([float(v) for v in one.places[:, 0]], EDGE, SIDE - EDGE)
    y = spanning([float(v) for v in one.places[:, 1]], SIDE - EDGE, EDGE)
    hue = {name: i % N_HUES for i, name in enumerate(sorted(set(names)))}
    parts = [element("rect", x=0.5, y=0.5, width=SIDE - 1, height=SIDE - 1, class_="frame")]
    for (px, py), name in zip(one.places.tolist(), names, strict=True):
        place = {"cx": x(px), "cy": y(py), "r": 2.6, "class_": f"point hue-{hue[name]}"}
        parts.append(element("circle", element("title", name), **place))
    return Map(what, hue, drawing(SIDE, SIDE, *parts, label=f"Embeddings by {what}"))
