"""What spiking layers do: how often they fire, what that costs, and a raster of a trial."""

from __future__ import annotations

from eegvit.report.figures import WIDTH, svg
from eegvit.report.markup import Markup, tag
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results

ROW = 9.0
LEFT, BOTTOM = 64.0, 34.0


def spiking_rows(results: Results) -> list[BoardRow]:
    """Return the models that have spiking layers."""
    return [row for row in results.board if row.spiking]


def spikes_table(results: Results) -> Markup:
    """Return firing rates, operations of a trial and energies of each spiking model."""
    titles = (
        "model", "neurons", "spikes/s", "additions", "MACs left", "MACs without spikes",
        "energy", "energy without", "ratio",
    )  # fmt: skip
    head = [
        tag("th", title, class_="name" if title == "model" else None, scope="col")
        for title in titles
    ]
    body = []
    for row in spiking_rows(results):
        layers, done = row.spiking["layers"], row.spiking["operations"]
        cells = (
            " + ".join(str(layer["neurons"]) for layer in layers),
            " + ".join(f"{layer['rate']:.1f}" for layer in layers),
            thousands(done["synaptic"]),
            thousands(done["analogue"] + done["leak"]),
            thousands(done["dense"]),
            microjoules(done["energy"]),
            microjoules(done["dense_energy"]),
            f"{done['dense_energy'] / done['energy']:.1f}",
        )
        name = tag("th", row.model, class_="name", scope="row")
        body.append(tag("tr", name, *(tag("td", cell) for cell in cells)))
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))


def thousands(operations: float) -> str:
    """Return a number of operations in thousands.

    Examples
    --------
    >>> thousands(1_234_567)
    '1,235k'
    """
    return f"{operations / 1e3:,.0f}k"


def microjoules(picojoules: float) -> str:
    """Return an energy in microjoules.

    Examples
    --------
    >>> microjoules(12_340_000)
    '12.3 µJ'
    """
    return f"{picojoules / 1e6:.3g} µJ"


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
    parts: list[Markup] = [tag("path", d=strokes, class_="spike")]
    base = height - BOTTOM
    for second in range(int(seconds) + 1):
        at = LEFT + second * per_second
        parts.append(tag("line", x1=at, x2=at, y1=base, y2=base + 5, class_="interval thin"))
        parts.append(tag("text", f"{second} s", x=at, y=base + 18, class_="mid"))
    parts.append(tag("text", "neuron", x=LEFT - 10, y=16, class_="end"))
    layer = row.spiking["layers"][0]["name"]
    said = f"Spikes of {row.model}, layer {layer}, in one test trial"
    return svg(WIDTH, height, *parts, label=said)
