"""What networks hold before they see labels: a table of probes."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.embeddings import Representation
from eegvit.results.results import Results

UNDER = (
    "What networks hold before they see labels: those from scratch as they are built, the others"
    " as pretraining left them. Measured on training trials alone, after all fits, so that nothing"
    " could be chosen by it; all labels of these trials are used, also those that the fits were"
    " not given. Means over splits and seeds."
)
COLUMNS = {
    "class, linear": "accuracy of a logistic regression for people left out (of one person: for"
    " trials left out), in percent",
    "class, neighbours": "accuracy of the 15 nearest embeddings of other people (of one person:"
    " of other trials), in percent",
    "person, linear": "how often a logistic regression names the person of unseen trials",
    "between people": "share of the variance that lies between people",
    "alignment": "mean squared distance of two views of a trial on the sphere: lower is closer",
    "uniformity": "log of the mean Gaussian potential of pairs: lower is more spread out",
    "width": "numbers in an embedding",
}


def embeddings_table(results: Results) -> Table:
    """Return what probes find in the networks of each model."""
    columns = (Column("model", left=True), *(Column(n, about=said) for n, said in COLUMNS.items()))
    rows = [
        named(", ".join(one.models), *_cells(one), small=results.study.models[one.models[0]].said)
        for one in results.representations
    ]
    return Table("What networks hold before they see labels", columns, "learned").of(rows)


def _cells(one: Representation) -> list[Cell]:
    figures = one.figures
    classes = f"chance {_percent(figures['class_chance'])}"
    person = f"chance {_percent(figures['person_chance'])}"
    several = not math.isnan(figures["person"])
    return [
        Cell(_percent(figures["classes"]), (classes,)),
        Cell(_percent(figures["neighbours"]), (classes,)),
        Cell(_percent(figures["person"]), (person,) if several else ()),
        Cell(_percent(figures["person_share"])),
        Cell(f"{figures['alignment']:.3f}"),
        Cell(f"{figures['uniformity']:.2f}".replace("-", "−")),
        Cell(f"{figures['d']:.0f}"),
    ]


def _percent(share: float) -> str:
    return words.score("accuracy", share)
