"""The page shows what pruning left, and only where something was pruned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eegvit.report.figures.front import fronts
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.tables.units import pruned_rows, units_table
from eegvit.study import run_study

MODEL = {"branch": "eegnet", "kernel_length": 16, "epochs": 2, "batch_size": 8}


def test_the_page_shows_what_is_left(people: Any, tmp_path: Any) -> None:
    study = {
        "name": "small",
        "models": {"whole": MODEL, "small": MODEL | {"prune": {"to": 0.4, "rounds": 1}}},
    }
    data = {"X": people.X, "y": people.labels, "subject": people.subject, "sfreq": people.sfreq}
    results = run_study(study, data, jobs=0, cache=tmp_path).details
    (row,) = pruned_rows(results)
    assert row.model == "small"
    told = {one["role"]: one for one in row.units}
    assert told["filters"]["units"] == 8 and told["features"]["units"] == 16
    assert 1 <= told["filters"]["left"] < 8
    n_units = sum(one["units"] for one in row.units)
    mean = sum(one["units"] * one["importance"] for one in row.units) / n_units
    assert abs(mean - 1) < 1e-6
    table = str(units_table(row))
    assert f"{told['filters']['left']} of 8" in table
    drawn = dict(fronts(results))
    assert list(drawn) == ["parameters", "multiply-accumulates of a trial", "time of a trial"]
    assert all(str(one).count("<circle") == 2 for one in drawn.values())
    shown = page(results, manifest(results))
    assert 'id="units"' in shown and "Pruned units" in shown
    whole = replace(results, board=tuple(replace(row, units=[]) for row in results.board))
    assert 'id="units"' not in page(whole, manifest(whole))
