"""The critical-difference diagram: mean ranks on a line, bars over what is not told apart."""

from __future__ import annotations

from markupsafe import Markup

from eegvit.report.figures.axes import Scale
from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element, shortened
from eegvit.results.families import Family

SIDE = 210.0  # for the names on each side
LINE = 19.0  # height of a name
BAR = 7.0  # and of a bar


def critical_difference(family: Family) -> Markup | None:
    """Return the diagram of a family [1]_; none for fewer than three rows or few people.

    References
    ----------
    .. [1] Demšar, Statistical comparisons of classifiers over multiple data sets, Journal of
       Machine Learning Research 7, 2006.
    """
    found = family.friedman
    if found is None:
        return None
    n_rows = len(family.models)
    scale = Scale(1.0, float(n_rows), SIDE, WIDTH - SIDE)
    bars = found.bars()
    axis, first = 58.0, 58.0 + 16 + BAR * len(bars) + 14
    parts = [element("line", x1=scale.start, x2=scale.end, y1=axis, y2=axis, class_="rule")]
    step = 1 + (n_rows - 1) // 20
    for rank in range(1, n_rows + 1, step):
        at = {"x1": scale(rank), "x2": scale(rank)}
        parts.append(element("line", **at, y1=axis - 5, y2=axis, class_="rule"))
        parts.append(element("text", rank, x=scale(rank), y=axis - 10, class_="mid"))
    length = min(scale(1 + found.critical), scale.end)
    parts.append(element("line", x1=scale.start, x2=length, y1=22.0, y2=22.0, class_="interval"))
    said = f"critical difference {found.critical:.2f}"
    parts.append(element("text", said, x=scale.start, y=14.0, class_="start note"))
    for number, (low, high) in enumerate(bars):
        y = axis + 14 + BAR * number
        ends = {"x1": scale(low) - 4, "x2": scale(high) + 4}
        parts.append(element("line", **ends, y1=y, y2=y, class_="joins"))
    order = sorted(range(n_rows), key=lambda i: found.mean_ranks[i])
    half = (n_rows + 1) // 2
    for place, row in enumerate(order):
        left = place < half
        y = first + LINE * (place if left else n_rows - 1 - place)
        parts += _name(family.models[row], found.mean_ranks[row], scale, axis, y, left)
    label = "Critical-difference diagram: mean rank of each model over people"
    return drawing(WIDTH, first + LINE * half, *parts, label=label)


def _name(model: str, rank: float, scale: Scale, axis: float, y: float, left: bool) -> list[Markup]:
    at, end = scale(rank), SIDE - 12 if left else WIDTH - SIDE + 12
    points = f"{at:.1f},{axis:.1f} {at:.1f},{y:.1f} {end:.1f},{y:.1f}"
    whole = element("title", f"{model}: mean rank {rank:.2f}")
    said = f"{shortened(model, 22)} {rank:.2f}" if left else f"{rank:.2f} {shortened(model, 22)}"
    text = {"x": end - 4 if left else end + 4, "y": y + 4, "class_": "end" if left else "start"}
    return [
        element("polyline", points=points, class_="leader"),
        element("text", whole, said, **text),
    ]
