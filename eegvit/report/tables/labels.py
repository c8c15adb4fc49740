"""Scores by the number of labels: a table with paired tests."""

from __future__ import annotations

import math

from eegvit.config.pretraining import controls
from eegvit.report import words
from eegvit.report.amounts import found, hues_of, said_amount
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.few_labels import Efficiency, Gain, Point
from eegvit.results.results import Results


def labels_under(results: Results) -> str:
    """Return what the curves are, and what the leaderboard is of."""
    evaluate = results.study.evaluate
    draws = words.number_of(evaluate.draws, "draw")
    whose = "earliest trials of each person tested"
    if evaluate.labels_from == "training":
        whose = "training trials"
    elsewhere = any((model.pretrain or {}).get("data") for model in results.study.models.values())
    said = (
        f"Every model is given the same labels: {draws} of each amount, class by class, of the"
        f" {whose}. Models that are pretrained also learn from the other training trials, without"
        " labels"
        + (", or from other data where the table says so" if elsewhere else "")
        + ". Controls (dashed) start from scratch, standardise signals by the same trials and take"
        " as many steps. Bands: 95 % interval over subjects and draws, a bootstrap of both."
    )
    efficiency = found(results)
    return f"{said} All else on this page is of the largest amount, {_of(results, efficiency)}."


def labels_table(results: Results) -> Table:
    """Return mean, interval, and gain over the control of each model and amount."""
    efficiency, hues = found(results), hues_of(results)
    metric = results.study.evaluate.metric
    columns = [Column(f"model{words.unit(metric)}", left=True)]
    for amount in efficiency.amounts:
        n = next(p.n_labels for p in efficiency.points if p.amount == amount)
        small = "" if math.isnan(n) else f"{n:,.0f} labels"
        columns.append(Column(said_amount(results, amount), small=small))
    against = controls(results.study.models)
    branches = {row.model: row.branch for row in results.board}
    rows = []
    for name in results.study.models:
        small = branches[name] + (f" · against {against[name]}" if name in against else "")
        cells = [_cell(results, efficiency.point(name, amount)) for amount in efficiency.amounts]
        rows.append(named(name, *cells, small=small, hue=hues[name]))
    return Table("Scores by the number of labels", tuple(columns), "learned").of(rows)


def tests(results: Results) -> str:
    """Return what the p-values of the table are."""
    said = (
        "p of two-sided sign flips over subjects, draws averaged, and after Holm's correction for"
        " all tests of this table."
    )
    n_subjects = max((gain.n_subjects for gain in found(results).gains), default=0)
    if n_subjects < 2:
        return said
    least = words.p_value(2.0 ** (1 - n_subjects))
    return f"{said} With {n_subjects} subjects no p can be below {least} before correction."


def gained(gain: Gain, metric: str) -> str:
    """Return a gain over the control and its test, in words."""
    shown = words.signed(metric, gain.difference)
    if math.isnan(gain.p):
        return shown
    return f"{shown}, p {words.p_value(gain.p)} (Holm {words.p_value(gain.p_holm)})"


def gain_of(efficiency: Efficiency, point: Point) -> Gain | None:
    """Return what a model gains over its control with so many labels."""
    own = [g for g in efficiency.gains if (g.model, g.amount) == (point.model, point.amount)]
    return own[0] if own else None


def _cell(results: Results, point: Point) -> Cell:
    metric = results.study.evaluate.metric
    if math.isnan(point.mean):
        return Cell(words.NOTHING, (point.reason,), kind="reason")
    small = []
    if not math.isnan(point.low):
        small.append(f"{words.score(metric, point.low)}–{words.score(metric, point.high)}")
    gain = gain_of(found(results), point)
    if gain is not None and not math.isnan(gain.difference):
        small.append(gained(gain, metric))
    return Cell(words.score(metric, point.mean), tuple(small))


def _of(results: Results, efficiency: Efficiency) -> str:
    most = efficiency.amounts[-1]
    several = any(row["draw"] for row in efficiency.rows if row["labels"] == most)
    return said_amount(results, most) + (", first draw" if several else "")
