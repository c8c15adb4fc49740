"""All pairs of rows of one target use: difference, interval and tests, and what they mean."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.tables.table import Body, Cell, Column, Row, Table
from eegvit.results.families import Family, Pair
from eegvit.results.results import Results
from eegvit.results.statistics.power import AT


def pairs_table(results: Results) -> Table | None:
    """Return a row for each pair, a body for each target use; nothing where no two are ranked."""
    metric = results.study.evaluate.metric
    seeds = any(not math.isnan(p.both_low) for one in results.families for p in one.pairs)
    columns = (
        Column("better", "first", left=True),
        Column("other", "other", left=True),
        Column(f"difference{words.unit(metric)}", "difference", first="descending"),
        Column("95 % interval", "low", "bootstrap over people", first="descending"),
        *([Column("people and seeds", "both", "bootstrap over both")] if seeds else []),
        Column("won / tied / lost", "wins", "people", first="descending"),
        Column("d", "effect", "mean over spread of the paired differences", first="descending"),
        Column("p", "p", "sign flips over people, two-sided"),
        Column("p (Wilcoxon)", "wilcoxon", "signed ranks, two-sided"),
        Column("p (Holm)", "holm", "sign flips, corrected for all pairs of the group"),
    )
    bodies = [
        Body(
            tuple(_row(pair, metric, seeds) for pair in family.pairs),
            words.target_title(family.target),
            _family_said(family),
            family.target,
        )
        for family in results.families
        if family.pairs
    ]
    about = "Every pair of rows of one target use"
    return Table(about, columns, "pairs", tuple(bodies)) if bodies else None


def power_said(results: Results) -> list[str]:
    """Return what a study like this one could have shown, a sentence for each target use."""
    metric = results.study.evaluate.metric
    several = sum(bool(family.pairs) for family in results.families) > 1
    said = []
    for family in results.families:
        if not family.pairs or math.isnan(family.spread):
            continue
        n_people = min(pair.n_subjects for pair in family.pairs)
        whose = f"{words.target_title(family.target)}: w" if several else "W"
        people = words.number_of(n_people, "person", "people")
        if math.isnan(family.detectable):
            said.append(
                f"{whose}ith {people} no difference can be told from chance at"
                f" {100 * AT:g} %, however large: even if all go the same way, p is"
                f" {words.p_value(2.0 ** (1 - n_people))}."
            )
            continue
        alone = f"{words.score(metric, family.detectable)}{words.unit(metric)}"
        spread = f"{words.score(metric, family.spread)}{words.unit(metric)}"
        n_pairs = words.number_of(len(family.pairs), "pair")
        first = f", and after correction for {n_pairs} none, however large"
        if not math.isnan(family.detectable_first):
            corrected = f"{words.score(metric, family.detectable_first)}{words.unit(metric)}"
            first = f", {corrected} after correction for {n_pairs}"
        said.append(
            f"{whose}ith {people} and differences that spread by {spread} over them (SD, median"
            f" of the pairs), 80 % of such studies would find a difference of {alone} by one"
            f" test{'' if len(family.pairs) == 1 else first}; smaller ones are easily missed."
        )
    return said


def interval_said(low: float, high: float, metric: str) -> str:
    """Return an interval of differences, or a dash.

    Examples
    --------
    >>> interval_said(-0.012, 0.034, "accuracy")
    '−1.2 to +3.4'
    """
    if math.isnan(low):
        return words.NOTHING
    return f"{words.signed(metric, low)} to {words.signed(metric, high)}"


def _family_said(family: Family) -> str:
    n_pairs, n_rows = len(family.pairs), len(family.models)
    return (
        f"Holm's correction runs over the {words.number_of(n_pairs, 'pair')}"
        f" of {words.number_of(n_rows, 'row')}."
    )


def _row(pair: Pair, metric: str, seeds: bool) -> Row:
    counts = f"{pair.wins} / {pair.ties} / {pair.losses}"
    effect = words.NOTHING if math.isnan(pair.effect) else words.signed("kappa", pair.effect)[:-1]
    both = interval_said(pair.both_low, pair.both_high, metric)
    cells = (
        Cell(pair.first, kind="name", value=pair.first, head=True),
        Cell(pair.other, kind="name", value=pair.other),
        Cell(words.signed(metric, pair.difference), value=pair.difference),
        Cell(interval_said(pair.low, pair.high, metric), value=pair.low),
        *([Cell(both, value=pair.both_low)] if seeds else []),
        Cell(counts, value=pair.wins),
        Cell(effect, value=pair.effect),
        Cell(words.p_value(pair.p), value=pair.p),
        Cell(words.p_value(pair.p_wilcoxon), value=pair.p_wilcoxon),
        Cell(words.p_value(pair.p_holm), value=pair.p_holm),
    )
    return Row(cells, "told" if pair.p_holm <= AT else "")
