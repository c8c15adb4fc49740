"""What was checked, what was left out, and what each row learned from."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.audit import Audit
from eegvit.results.results import Results


def saw_table(audit: Audit) -> Table:
    """Return what the fits of each model learned from."""
    columns = (
        Column("model", "model", left=True),
        Column("people", "people", "in training, fewest to most over fits", first="descending"),
        Column("trials", "trials", "in training", first="descending"),
        Column("labels", "labels", "given of these", first="descending"),
        Column("of the people tested", left=True),
    )
    rows = [
        named(
            one.model,
            *(Cell(_range(n), value=n[1]) for n in (one.people, one.trials, one.labels)),
            Cell(words.target_use(one.target), kind="name long"),
        )
        for one in audit.saw
    ]
    return Table("What each model learned from", columns, "orders").of(rows)


def left_out(results: Results) -> list[str]:
    """Return what is missing from the scores, and why, in sentences."""
    said = []
    if any(one.left_out for one in results.reading):
        n_out = sum(one.left_out for one in results.reading)
        n_read = sum(one.read for one in results.reading)
        said.append(f"{n_out:,} of {n_out + n_read:,} trials were left out when they were read.")
    elif results.reading:
        n_read = sum(one.read for one in results.reading)
        said.append(f"No trial of the {n_read:,} was left out when they were read.")
    lacking = [row for row in results.board if row.status != "ok"]
    for row in lacking:
        said.append(f"{row.model} has no score and no rank: {row.reason}.")
    if not lacking:
        said.append("Every fit that was asked for was made.")
    for row in results.board:
        if row.control and row.status == "ok" and math.isnan(row.ci_low):
            few = words.number_of(row.n_subjects, "person is", "people are")
            said.append(f"{row.model}: {few} too few to say whether it is at chance.")
    n_all = results.n_subjects
    for row in results.board:
        if row.status == "ok" and row.n_subjects < n_all:
            said.append(f"{row.model} is scored on {row.n_subjects} of {n_all} people.")
    if results.warnings:
        said.append(
            f"{words.number_of(len(results.warnings), 'warning')}: see Trials and warnings."
        )
    return said


def _range(counts: tuple[int, int]) -> str:
    low, high = counts
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
