"""What each model costs to use and to fit, and where the study's time went."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eegvit.report import words
from eegvit.report.render import render
from eegvit.report.tables.table import Cell, Column, Row, Table, named
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import STAGES, Results

TOGETHER = "together"  # where a report's folder does not tell the stages of a row apart
STAGE_NAMES = {
    "read": "reading",
    "filter": "filtering and cutting",
    "align": "alignment",
    "features": "features",
    "fit": "training",
    "predict": "prediction",
    "report": "report",
    TOGETHER: "all stages",
}
USE = {
    "MACs": "multiply-accumulates for one trial, attention included",
    "1 trial": "wall time from the signals of one trial to its probabilities, on one thread",
    "64 trials": "the same for 64 trials at once",
}


def times_table(results: Results) -> Table:
    """Return what each model costs to use, and the CPU seconds of all its fits by stage."""
    names = {stage: STAGE_NAMES[stage] for stage in STAGES}
    key = render("stages_key.html", stages=names)
    columns = [Column("model", "model", left=True)]
    columns += [Column(title, title, about) for title, about in USE.items()]
    columns += [Column("fits", "fits"), *(Column(said, stage) for stage, said in names.items())]
    columns += [Column("total", "total"), Column(key, left=True)]
    shared = _shared(results)
    rows = [_model(row, shared.get(row.model, [])) for row in results.board]
    return Table("Costs of each model", tuple(columns), "times").of(rows)


def stages_table(results: Results, report: float) -> Table:
    """Return the CPU seconds of each stage of the study, from reading to this report."""
    spent = results.view_stages | results.stages | {"report": report}
    columns = tuple(Column(STAGE_NAMES[stage]) for stage in spent)
    cells = tuple(Cell(words.seconds(seconds)) for seconds in spent.values())
    return Table("CPU time of each stage of the study", columns, "stages").of([Row(cells)])


def _shared(results: Results) -> dict[str, list[str]]:
    """Return the models whose fits each model shares."""
    found: dict[str, list[str]] = {}
    for fit in results.fits:
        models = [fit["model"], *fit["shared_with"]]
        for model in models if len(models) > 1 else ():
            known = found.setdefault(model, [])
            known += [other for other in models if other != model and other not in known]
    return found


def _model(row: BoardRow, shared: Sequence[str]) -> Row:
    whole = row.seconds_total or 1.0
    spents = [row.stages.get(stage, math.nan) for stage in STAGES]
    bar = render(
        "stages_bar.html", shares={s: row.stages[s] / whole for s in STAGES if s in row.stages}
    )
    return named(
        row.model,
        Cell(words.macs(row.macs), value=row.macs),
        Cell(words.latency(row.seconds_1), value=row.seconds_1),
        Cell(words.latency(row.seconds_64), value=row.seconds_64),
        Cell(words.count(row.n_fits), value=row.n_fits),
        *(Cell(words.seconds(spent), value=spent) for spent in spents),
        Cell(words.seconds(row.seconds_total), value=row.seconds_total),
        Cell(bar, kind="name stack"),
        small=f"fits shared with {', '.join(shared)}" if shared else "",
    )
