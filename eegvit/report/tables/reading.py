"""Trials that were read and left out, per person and session."""

from __future__ import annotations

from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.results import Results


def reading_table(results: Results) -> Table | None:
    """Return what was read of each recording, or nothing where that is not known."""
    columns = (
        Column("person", "person", left=True),
        Column("session", "session", left=True),
        Column("data", "data", left=True),
        Column("trials read", "read", first="descending"),
        Column("left out", "left_out", first="descending"),
        Column("why", left=True),
    )
    rows = [
        named(
            one.subject,
            Cell(one.session, kind="name", value=one.session),
            Cell(one.data, kind="name", value=one.data),
            Cell(f"{one.read:,}", value=one.read),
            Cell(f"{one.left_out:,}", value=one.left_out),
            Cell(one.why, kind="name long"),
        )
        for one in results.reading
    ]
    about = "Trials read and left out of each person and session"
    return Table(about, columns, "orders").of(rows) if rows else None
