"""Names from outside on a terminal, in Markdown and in a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from eegvit.report.text.csv_files import board_csv, scores_csv
from eegvit.report.text.markdown import markdown
from eegvit.report.text.terminal import terminal
from eegvit.results.results import tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\u202etxt", "a\r\nb", "\x07", "=1+1", "+x", "-x", "@SUM(A1)", "a|b"]
)
def test_no_name_is_obeyed(hostile: str, make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "mdm"])
    models = {f"{hostile}{name}": model for name, model in study.models.items()}
    made = [
        replace(
            outcome,
            model=hostile + outcome.model,
            subject=np.full(len(outcome.y), hostile + outcome.subject[0]),
            reason=hostile,
        )
        for outcome in make_outcomes(study, n_subjects=3, n_trials=40)
    ]
    study = study.model_copy(update={"models": models, "description": hostile})
    results = tabulate(study, (f"{hostile}1", *CLASSES[1:]), made)
    for text in (terminal(results), markdown(results, hostile)):
        assert all(line.isprintable() for line in text.split("\n"))
    rows = [row for row in markdown(results).split("\n") if row.startswith("| ")]
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    for text in (board_csv(results), scores_csv(results)):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert all(cell.isprintable() for cell in cells)
        names = [cell for cell in cells if "csp" in cell]
        assert names and not any(name.startswith(("=", "+", "-", "@")) for name in names)
        assert not any(cell.startswith(hostile) for cell in cells if hostile[0] in "=+-@")


def test_numbers_stay_numbers(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda"], metric="log_loss")
    text = scores_csv(tabulate(study, CLASSES, make_outcomes(study, n_subjects=2, n_trials=40)))
    kappas = [float(row["kappa"]) for row in csv.DictReader(io.StringIO(text))]
    assert kappas and "'" not in text
