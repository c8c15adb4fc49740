"""The spikes of one trial."""

from __future__ import annotations

from markupsafe import Markup

from eegvit.report.figures.subjects import WIDTH
from eegvit.report.figures.svg import drawing, element
from eegvit.results.leaderboard import BoardRow

ROW = 9.0
LEFT, BOTTOM = 64.0, 34.0


def raster(row: BoardRow) -> Markup:
    """Return the spikes of one trial: a line a neuron, time from left to right."""
    neurons, seconds = row.spiking["raster"], row.spiking["seconds"]
    height = ROW * len(neurons) + BOTTOM + 8
    per_second = (WIDTH - LEFT - 16) / seconds
    strokes = "".join(
        f"M{LEFT + time * per_second:.1f} {8 + ROW * place + 1:.0f}v{ROW - 2:.0f}"
        for place, times in enumerate(neurons)
        for time in times
    )
    parts: list[Markup] = [element("path", d=strokes, class_="spike")]
    base = height - BOTTOM
    for second in range(int(seconds) + 1):
        at = LEFT + second * per_second
        parts.append(element("line", x1=at, x2=at, y1=base, y2=base + 5, class_="interval thin"))
        parts.append(element("text", f"{second} s", x=at, y=base + 18, class_="mid"))
    parts.append(element("text", "neuron", x=LEFT - 10, y=16, class_="end"))
    layer = row.spiking["layers"][0]["name"]
    said = f"Spikes of {row.model}, layer {layer}, in one test trial"
    return drawing(WIDTH, height, *parts, label=said)
