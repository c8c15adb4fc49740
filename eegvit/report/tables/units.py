"""What pruning left of a network, and how much each stage and role mattered: a heat map."""

from __future__ import annotations

from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results


def pruned_rows(results: Results) -> list[BoardRow]:
    """Return the models that were pruned."""
    return [row for row in results.board if row.units]


def units_table(row: BoardRow) -> Table:
    """Return a row for each stage and a column for each role of units in a pruned model."""
    roles = list(dict.fromkeys(one["role"] for one in row.units))
    stages = list(dict.fromkeys(one["stage"] for one in row.units))
    known = {(one["stage"], one["role"]): one for one in row.units}
    most = max(one["importance"] for one in row.units) or 1.0
    rows = []
    for stage in stages:
        cells = []
        for role in roles:
            one = known.get((stage, role))
            if one is None:
                cells.append(Cell())
                continue
            matters = one["importance"]
            text = f"{one['left']} {'of' if one['left'] <= one['units'] else 'for'} {one['units']}"
            cells.append(Cell(text, (f"{matters:.2g} ×",), share=matters / most))
        rows.append(named(stage, *cells))
    columns = (Column("where", left=True), *map(Column, roles))
    return Table(f"Units of {row.model}", columns).of(rows)
