"""What an opened row of the leaderboard shows: configuration, learning curves, recall, time."""

from __future__ import annotations

from typing import Any

import numpy as np

from eegvit.config import Study
from eegvit.config.reading import written
from eegvit.report import words
from eegvit.report.figures.diagrams import counts_of
from eegvit.report.figures.learning import learning_curves
from eegvit.report.same_study import asked
from eegvit.report.tables.costs import STAGE_NAMES
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results

CURVES = 400  # fits of a page whose learning curve is drawn, about
MOST, FEWEST = 45, 8  # of one model


def details(results: Results) -> list[dict[str, object]]:
    """Return what the template of an opened row is given, of each row."""
    most = max(FEWEST, min(MOST, CURVES // max(1, len(results.histories))))
    histories = {row.model: results.histories.get(row.model, []) for row in results.board}
    return [
        {
            "model": row.model,
            "about": "As it was asked for then:" if results.again else "To copy into a study:",
            "yaml": configuration(results.study, row.model),
            "curves": learning_curves(histories[row.model], row.model, most),
            "fits": _fits_said(len(histories[row.model]), most),
            "recall": recall_table(results, row.model),
            "time": _time_said(row),
        }
        for row in results.board
    ]


def configuration(study: Study, name: str) -> str:
    """Return a row as YAML that gives the same row in any study of the same data and protocol.

    Parameters
    ----------
    study : Study
    name : str
        A model or an ensemble, whose members are then written too.
    """
    said = asked(study)
    if name in study.ensembles:
        members = {each: _model(study, said, each) for each in study.ensembles[name].of}
        return written({"models": members, "ensembles": {name: said["ensembles"][name]}})
    control = study.models[name].control
    if control is not None:
        own = study.models[name].model_copy(update={"control": None})
        name = next(each for each, model in study.models.items() if model == own)
        return written({"models": {name: _model(study, said, name)}, "controls": [control]})
    return written({"models": {name: _model(study, said, name)}})


def recall_table(results: Results, model: str) -> Table | None:
    """Return how many trials of each class a model finds, over all test trials and seeds."""
    counts = counts_of(results, model)
    if counts is None:
        return None
    trials, found = counts.sum(1), np.diag(counts)
    columns = (Column("class", left=True), Column("recall %"), Column("trials, all seeds"))
    rows = [
        named(name, Cell(f"{100 * right / n:.1f}" if n else words.NOTHING), Cell(f"{n:,}"))
        for name, right, n in zip(results.classes, found, trials, strict=True)
    ]
    return Table(f"Recall of each class by {model}", columns).of(rows)


def _model(study: Study, said: dict[str, Any], name: str) -> dict[str, Any]:
    own = dict(said["models"][name])
    parameters = own.pop("parameters", {})
    whole = {"branch": own.pop("branch"), **parameters, **own}
    whole["align"] = (study.models[name].align or study.align).model_dump(mode="json")
    if "recentre" in said:
        whole.setdefault("recentre", said["recentre"])
    if "view" in said:
        whole["view"] = {**said["view"], **whole.get("view", {})}
    return whole


def _time_said(row: BoardRow) -> str:
    spent = [f"{STAGE_NAMES[stage]} {words.seconds(s)}" for stage, s in row.stages.items()]
    return f"CPU time of its {words.number_of(row.n_fits, 'fit')}: {', '.join(spent)}."


def _fits_said(n: int, most: int) -> str:
    thin = "a thin line each" if n <= most else f"{most} of them as thin lines"
    return f"Losses of {words.number_of(n, 'fit')}: {thin}, the median of all as a thick one."
