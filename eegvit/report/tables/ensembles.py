"""Ensembles on the page: what they learned, how alike their members err, and the bound."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.ensembles import Learned
from eegvit.results.members import spread
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import Results

NO_RESULT = "not a result: knows the labels"


def ensembles_under(results: Results) -> str:
    """Return what the rules learned from, and how many fits that took."""
    said = (
        "An ensemble combines the probabilities that its members give a test trial. What a rule"
        " learns (weights, a meta-learner, temperatures, which members to keep) it learns from"
        " predictions for trials of the split's training side by members that were fitted without"
        " them. Its costs are the sums of its members'."
    )
    count = results.ensembles.count
    if count is None:
        return said
    return (
        f"{said} The members of rules that learn took {count.distinct:,} fits, shared between"
        f" splits and ensembles; each split on its own would have run {count.naive:,}"
        f" ({100 * count.ratio:.0f} %)."
    )


def learned_table(results: Results) -> Table | None:
    """Return the weight and temperature of each member: mean and spread over splits and seeds."""
    members = results.ensembles.members
    rows = []
    for name, ensemble in results.study.ensembles.items():
        own = [one for one in results.ensembles.learned if one.ensemble == name]
        if ensemble.learns and own:
            selected = ensemble.select is not None
            cells = [_learned(own, m, selected) if m in ensemble.of else Cell() for m in members]
            rows.append(named(name, *cells, small=ensemble.said))
    columns = (Column("ensemble", left=True), *map(Column, members))
    return Table("What ensembles learned", columns, "learned").of(rows) if rows else None


def selection_table(results: Results) -> Table | None:
    """Return the orders in which members were selected, and in which splits."""
    rows = []
    for name, ensemble in results.study.ensembles.items():
        own = [one for one in results.ensembles.learned if one.ensemble == name]
        if not ensemble.select or not own:
            continue
        orders: dict[tuple[str, ...], list[str]] = {}
        for one in own:
            orders.setdefault(one.chosen, []).append(_place(results, one))
        for order, places in sorted(orders.items(), key=lambda item: -len(item[1])):
            share = Cell(f"{len(places)} of {len(own)}")
            where = Cell("; ".join(places), kind="name faint")
            rows.append(named(name, Cell(" → ".join(order), kind="name"), share, where))
    titles = ("ensemble", "members in the order of their selection", "splits", "which")
    columns = tuple(Column(title, left=title != "splits") for title in titles)
    return Table("Members that were selected", columns, "orders").of(rows) if rows else None


def correlation_table(results: Results) -> Table | None:
    """Return the correlation of the members' errors as a matrix."""
    matrix, members = results.ensembles.correlation, results.ensembles.members
    if matrix is None:
        return None
    columns = (Column("", left=True), *map(Column, members))
    rows = [
        named(member, *map(_correlation, values))
        for member, values in zip(members, matrix.tolist(), strict=True)
    ]
    return Table("Correlation of the members' errors", columns, "heat").of(rows)


def bound_table(results: Results) -> Table | None:
    """Return the oracle of each set of members and seed, beside the best that is a result."""
    if not results.ensembles.bounds:
        return None
    metric = results.study.evaluate.metric
    unit = words.unit(metric)
    titles = ("members", "seed", f"best member{unit}", f"best ensemble{unit}", f"oracle{unit}")
    columns = [Column(title, left=title == "members") for title in titles]
    columns.append(Column("best member of how many people", left=True))
    rows = []
    for bound in results.ensembles.bounds:
        chosen = ", ".join(f"{name} {n}" for name, n in bound.subjects.items() if n)
        cells = [Cell(bound.seed), _best(results, bound.members), _best(results, bound.ensembles)]
        cells += [Cell(words.score(metric, bound.score), (NO_RESULT,)), Cell(chosen, kind="name")]
        small = f"combined by {', '.join(bound.ensembles)}"
        rows.append(named(", ".join(bound.members), *cells, small=small))
    return Table("The oracle, which is no result", tuple(columns), "bounds").of(rows)


def _correlation(value: float) -> Cell:
    if math.isnan(value):
        return Cell(words.NOTHING, share=0.0)
    return Cell(f"{value:.2f}", share=0.55 * max(0.0, value))


def _learned(own: Sequence[Learned], member: str, select: bool) -> Cell:
    """Return a member's weight, and below it its temperature and how often it was chosen."""
    chosen = [one for one in own if member in one.chosen]
    weighed = any(one.weights for one in own)
    weight = _spread([one.weights.get(member, 0.0) for one in own]) if weighed else ""
    small = []
    heats = [one.temperatures[member] for one in chosen if one.temperatures]
    if heats:
        small.append(f"temperature {_spread(heats)}")
    if select:
        small.append(f"chosen in {len(chosen)} of {len(own)}")
    return Cell(weight, tuple(small))


def _spread(values: Sequence[float]) -> str:
    mean, sd = spread(values)
    return f"{mean:.2f}" if math.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def _place(results: Results, one: Learned) -> str:
    several = len(results.study.evaluate.seeds) > 1
    return one.split + (f", seed {one.seed}" if several else "")


def _best(results: Results, names: Sequence[str]) -> Cell:
    """Return the best mean of some rows of the leaderboard and whose it is."""
    metric = results.study.evaluate.metric
    rows = [row for row in results.board if row.model in names and not math.isnan(row.mean)]
    if not rows:
        return Cell(words.NOTHING)
    best = (min if metric in LOWER_IS_BETTER else max)(rows, key=lambda row: row.mean)
    return Cell(words.score(metric, best.mean), (best.model,))
