"""Information transfer: what the selections of each model carry."""

from __future__ import annotations

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.members import spread
from eegvit.results.responses.information import information_rates
from eegvit.results.responses.signals import paradigm_of
from eegvit.results.results import Results

COLUMNS = {
    "window": "how long a selection takes, pauses left out",
    "accuracy %": "mean over people",
    "bits": "of a selection, mean over people of the bits of each person's accuracy",
    "bits a minute": "the same times 60 over the seconds of the window",
    "SD": "of bits a minute, over people",
    "least": "bits a minute of the person with the fewest",
    "most": "bits a minute of the person with the most",
}


def information_table(results: Results) -> Table | None:
    """Return the bits a minute of each row, where people select by looking at flicker."""
    if paradigm_of(results.study) != "ssvep":
        return None
    rates = information_rates(results.study, results.predictions, len(results.classes))
    columns = [Column(title, title, about) for title, about in COLUMNS.items()]
    rows = []
    for row in results.board:
        if row.status != "ok":
            continue
        rate = rates[row.model]
        each = list(rate.per_minute.values())
        mean, sd = spread(each)
        shown = [(mean, f"{mean:.1f}"), (sd, words.NOTHING if sd != sd else f"{sd:.1f}")]
        shown += [(end(each), f"{end(each):.1f}") for end in (min, max)]
        bits = spread(list(rate.bits.values()))[0]
        cells = [
            Cell(f"{rate.seconds:g} s", value=rate.seconds),
            Cell(words.score("accuracy", row.others["accuracy"]), value=row.others["accuracy"]),
            Cell(f"{bits:.2f}", value=bits),
            *(Cell(text, value=value) for value, text in shown),
        ]
        rows.append(named(row.model, *cells))
    about = "Information transfer of each model"
    return Table(about, (Column("model", "model", left=True), *columns)).of(rows) if rows else None
