"""What spiking layers do: how often they fire, and what that costs."""

from __future__ import annotations

from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results


def spiking_rows(results: Results) -> list[BoardRow]:
    """Return the models that have spiking layers."""
    return [row for row in results.board if row.spiking]


def spikes_table(results: Results) -> Table:
    """Return firing rates, operations of a trial and energies of each spiking model."""
    titles = (
        "model", "neurons", "spikes/s", "additions", "MACs left", "MACs without spikes",
        "energy", "energy without", "ratio",
    )  # fmt: skip
    rows = []
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
        rows.append(named(row.model, *map(Cell, cells)))
    columns = tuple(Column(title, left=title == "model") for title in titles)
    return Table("Spiking layers", columns).of(rows)


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
