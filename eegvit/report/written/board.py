"""One board over several studies: a page, Markdown, and a table for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.render import render
from eegvit.report.tables.pairs import interval_said
from eegvit.report.tables.table import Body, Cell, Column, Row, Table
from eegvit.report.text.markdown import pipes
from eegvit.report.written.folder import Written
from eegvit.report.written.forest import forest
from eegvit.report.written.over_studies import Combined, Entry, Group, entries, groups
from eegvit.sealed import replacing

HOW = (
    "Mean rank: over the studies that count, among the models that all of these have, within one"
    " target use. p: two-sided sign flips over people in each study, combined by Stouffer's rule"
    " with the square roots of the numbers of people as weights, corrected by Holm's. Difference:"
    " random effects over studies (DerSimonian and Laird), interval by Hartung and Knapp; I² is the"
    " share of the spread between studies that is not chance, and the last interval is where the"
    " difference of the next data set is expected. The p asks whether there is a difference in"
    " these studies, the interval how large it is in studies like these: few leave it wide."
)


def write_board(
    reports: Sequence[Written], out: str | Path, reference: str | None = None, *, command: str = ""
) -> tuple[Path, str]:
    """Write board.html and board.md into a folder; return the page's path and the Markdown.

    Parameters
    ----------
    reports : sequence of Written
        Two or more; the first ones count where several test the same people.
    out : str or Path
        The folder.
    reference : str or None
        The model that others are compared with; the best of each target use if None.
    command : str
        What the user typed.
    """
    shown = entries(reports)
    found = groups(shown, reference)
    text = _markdown(shown, found, command)
    page = render(
        "studies.html",
        words=words,
        table=_table(shown, found),
        left_out=_left_out(shown),
        how=HOW,
        tests=[_tests_said(group, reference) for group in found if group.combined],
        forests=_forests(shown, found),
        simulated=any(entry.report.about["simulated"] for entry in shown),
        command=command,
    )
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("board.md", text), ("board.html", str(page))):
        with replacing(folder / name) as file:
            file.write(content.encode())
    return folder / "board.html", text


def _table(shown: Sequence[Entry], found: Sequence[Group]) -> Table:
    metric = shown[0].report.metric
    columns = (
        Column("Mean rank", "rank"),
        Column("Model", "model", left=True),
        *(
            Column(e.report.name, f"set {i}", small=_small(e), first="descending")
            for i, e in enumerate(shown)
        ),
        Column(f"Difference{words.unit(metric)}", "difference", first="descending"),
        Column("95 % interval", "low"),
        Column("p (Holm)", "p"),
        Column("I²", "heterogeneity"),
        Column("Next data set", "next"),
    )
    bodies = []
    for group in found:
        rows = []
        for model in (*group.ranks, *group.others):
            means = [entry.mean(model, group.target) for entry in shown]
            cells = [Cell(_rank(group, model), kind="rank", value=group.ranks.get(model))]
            cells.append(Cell(model, kind="name", value=model, head=True))
            cells += [Cell(words.score(metric, mean), value=mean) for mean in means]
            cells += [Cell(said, value=value) for said, value in _differences(group, model, metric)]
            rows.append(Row(tuple(cells)))
        title, about = words.target_title(group.target), words.target_use(group.target)
        bodies.append(Body(tuple(rows), title, about, group.target))
    return Table("Models over studies", columns, "board", tuple(bodies))


def _markdown(shown: Sequence[Entry], found: Sequence[Group], command: str) -> str:
    metric = shown[0].report.metric
    header = ["rank", "model", *(entry.report.name for entry in shown)]
    header += [f"difference{words.unit(metric)}", "95 % CI", "p (Holm)", "I²", "next data set"]
    names = words.METRIC_NAMES[metric]
    parts = [f"# {names}{words.unit(metric)} over {len(shown)} studies", ""]
    for group in found:
        body = [
            [
                _rank(group, model),
                model.replace("|", "\\|"),
                *(words.score(metric, entry.mean(model, group.target)) for entry in shown),
                *(said for said, _ in _differences(group, model, metric)),
            ]
            for model in (*group.ranks, *group.others)
        ]
        parts += [f"## {words.target_title(group.target)}", "", pipes(header, body), ""]
    parts += [HOW, ""] + [line for said in _left_out(shown) for line in (said, "")]
    parts += ["Made by:", "", f"    {command}", ""] if command else []
    return "\n".join(parts)


def _differences(group: Group, model: str, metric: str) -> list[tuple[str, float]]:
    """Return difference, interval, p, I² and prediction interval, as text and as number."""
    own = next((one for one in group.combined if model in (one.first, one.other)), None)
    if model == group.against or own is None:
        said = "reference" if model == group.against and group.combined else words.NOTHING
        return [(said, math.nan), *[(words.NOTHING, math.nan)] * 4]
    sign = 1.0 if own.first == model else -1.0
    p = (words.p_value(own.p_holm), own.p_holm)
    if own.pooled is None:
        mean = sign * own.pairs[0].difference if len(own.pairs) == 1 else math.nan
        return [(words.signed(metric, mean), mean), (words.NOTHING, math.nan), p] + [
            (words.NOTHING, math.nan)
        ] * 2
    low, high = _turned(sign, own.pooled.low, own.pooled.high)
    ahead = _turned(sign, own.pooled.next_low, own.pooled.next_high)
    mean = sign * own.pooled.mean
    share = own.pooled.heterogeneity
    return [
        (words.signed(metric, mean), mean),
        (interval_said(low, high, metric), low),
        p,
        (f"{100 * share:.0f} %", share),
        (interval_said(*ahead, metric), ahead[0]),
    ]


def _turned(sign: float, low: float, high: float) -> tuple[float, float]:
    return (low, high) if sign > 0 else (-high, -low)


def _rank(group: Group, model: str) -> str:
    return f"{group.ranks[model]:.2f}" if model in group.ranks else words.NOTHING


def _small(entry: Entry) -> str:
    people = words.number_of(len(entry.report.people), "person", "people")
    return f"{people}, not counted" if entry.why_not else people


def _left_out(shown: Sequence[Entry]) -> list[str]:
    said = [f"{entry.report.name} ({entry.why_not})" for entry in shown if entry.why_not]
    return [f"Shown but not counted: {', '.join(said)}."] if said else []


def _tests_said(group: Group, reference: str | None) -> str:
    how = "named beforehand" if reference == group.against else "the best by mean rank"
    return (
        f"{words.target_title(group.target)}: differences to {group.against}, {how};"
        f" Holm's correction runs over {words.number_of(group.n_tests, 'test')}."
    )


def _forests(shown: Sequence[Entry], found: Sequence[Group]) -> list[dict[str, str | Markup]]:
    counted = [entry for entry in shown if not entry.why_not]
    names, metric = [entry.report.name for entry in counted], shown[0].report.metric
    return [
        {
            "title": f"{one.first} against {one.other}",
            "plot": forest(one, names, metric),
            "said": _said(one, metric),
        }
        for group in found
        for one in group.combined
        if len(counted) > 1
    ]


def _said(one: Combined, metric: str) -> str:
    said = f"p {words.p_value(one.p)} (Holm {words.p_value(one.p_holm)})"
    if one.pooled is None:
        return said
    spread = words.score(metric, one.pooled.spread)
    return (
        f"{said}; I² {100 * one.pooled.heterogeneity:.0f} %, spread between studies"
        f" {spread}{words.unit(metric)}, one difference for all: p"
        f" {words.p_value(one.pooled.p_heterogeneity)}"
    )
