"""Tables of the page: the leaderboard, subjects by models, models one by one, time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eegvit.report import words
from eegvit.report.axes import spanning
from eegvit.report.diagrams import confusion_matrix, reliability_diagram
from eegvit.report.figures import interval_bar
from eegvit.report.leaderboard import (
    above_chance,
    interval,
    of_target,
    p_against_best,
    rank,
    targets,
)
from eegvit.report.markup import Markup, tag
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import STAGES, Results

OTHERS = ("accuracy", "balanced_accuracy", "kappa", "roc_auc")
ON_CARDS = ("macro_f1", "log_loss", "calibration_error")
STAGE_NAMES = {
    "read": "reading",
    "filter": "filtering and cutting",
    "align": "alignment",
    "features": "features",
    "fit": "training",
    "predict": "prediction",
    "report": "report",
}


@dataclass(frozen=True)
class Column:
    """A column of the leaderboard; `first` is the order of the first click."""

    name: str
    title: str
    about: str = ""
    first: str = "ascending"


USE = {
    "MACs": "multiply-accumulates for one trial, attention included",
    "1 trial": "wall time from the signals of one trial to its probabilities, on one thread",
    "64 trials": "the same for 64 trials at once",
}


def board_table(results: Results) -> Markup:
    """Return the leaderboard, one body per kind of target use."""
    columns = _columns(results)
    head = [
        tag(
            "th",
            column.title,
            class_="name" if column.name == "model" else None,
            scope="col",
            title=column.about or None,
            data_sort=column.name or None,
            data_first=column.first,
            aria_sort="ascending" if column.name == "rank" else None,
        )
        for column in columns
    ]
    bodies = []
    for target in targets(results):
        rows = [_board_row(results, row, columns) for row in of_target(results, target)]
        said = [words.target_title(target), tag("small", words.target_use(target))]
        heading = tag("th", tag("div", *said), colspan=len(columns), scope="rowgroup")
        bodies.append(tag("tbody", tag("tr", heading, class_="group"), *rows))
    return tag("table", tag("thead", tag("tr", *head)), *bodies, class_="board")


def heat_table(results: Results) -> Markup:
    """Return the score of each subject (rows) under each model (columns)."""
    metric = results.study.evaluate.metric
    rows = [row for row in results.board if row.subjects]
    values = [v for row in rows for v in row.subjects.values() if not math.isnan(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    first = results.board[0].chance
    if metric not in LOWER_IS_BETTER and not math.isnan(first):
        low = min(max(low, first), high)
    kinds = [
        tag("th", words.target_title(t), colspan=len([r for r in rows if r.target == t]))
        for t in dict.fromkeys(row.target for row in rows)
    ]
    names = [tag("th", row.model, scope="col") for row in rows]
    head = [tag("tr", tag("th", "subject", class_="name", scope="col"), *names)]
    if len(kinds) > 1:
        head.insert(0, tag("tr", tag("th", "", class_="name"), *kinds, class_="kinds"))
    body = [
        tag(
            "tr",
            tag("th", subject, class_="name", scope="row"),
            *(_heat_cell(results, rows, row, subject, low, high) for row in rows),
        )
        for subject in results.subject_chance
    ]
    means = [tag("td", words.score(metric, row.mean)) for row in rows]
    body.append(tag("tr", tag("th", "mean", class_="name", scope="row"), *means, class_="mean"))
    return tag("table", tag("thead", *head), tag("tbody", *body), class_="heat")


def model_cards(results: Results) -> list[Markup]:
    """Return confusion matrix and reliability diagram of each model."""
    cards = []
    for row in results.board:
        figures = [confusion_matrix(results, row.model), reliability_diagram(results, row.model)]
        if any(figures):
            note = f" ({row.status})" if row.status != "ok" else ""
            heading = tag("h3", row.model, tag("span", f" {row.target}{note}", class_="faint"))
            also = ", ".join(
                f"{words.METRIC_NAMES[m]} {words.score(m, row.others[m])}{words.unit(m)}"
                for m in ON_CARDS
                if row.status == "ok"
            )
            under = tag("p", also, class_="faint small") if also else None
            cards.append(tag("div", heading, under, tag("div", *figures, class_="pair")))
    return cards


def times_table(results: Results) -> Markup:
    """Return what each model costs to use, and the CPU seconds of all its fits by stage."""
    keys = [[tag("span", class_=f"key stage-{stage}"), STAGE_NAMES[stage]] for stage in STAGES]
    head = ["model", *USE, "fits", *(STAGE_NAMES[s] for s in STAGES), "total"]
    titles = [
        tag(
            "th",
            title,
            class_="name" if title == "model" else None,
            scope="col",
            title=USE.get(title),
        )
        for title in head
    ]
    rows = []
    for row in results.board:
        stages, whole = row.stages, row.seconds_total or 1.0
        bar = [
            tag("span", class_=f"stage-{s}", style=f"width:{100 * stages[s] / whole:.2f}%")
            for s in STAGES
        ]
        use = (words.macs(row.macs), words.latency(row.seconds_1), words.latency(row.seconds_64))
        cells = [tag("td", shown) for shown in use]
        cells += [tag("td", words.count(row.n_fits))]
        cells += [tag("td", words.seconds(stages[s])) for s in STAGES]
        cells += [tag("td", words.seconds(row.seconds_total))]
        name = tag("th", row.model, class_="name", scope="row")
        rows.append(tag("tr", name, *cells, tag("td", *bar, class_="name stack")))
    head_row = tag("tr", *titles, tag("th", *keys, class_="name"))
    return tag("table", tag("thead", head_row), tag("tbody", *rows), class_="times")


def stages_table(results: Results, report: float) -> Markup:
    """Return the CPU seconds of each stage of the study, from reading to this report."""
    spent = results.view_stages | results.stages | {"report": report}
    head = [tag("th", STAGE_NAMES[stage], scope="col") for stage in spent]
    cells = [tag("td", words.seconds(seconds)) for seconds in spent.values()]
    body = tag("tbody", tag("tr", *cells))
    return tag("table", tag("thead", tag("tr", *head)), body, class_="stages")


def _columns(results: Results) -> list[Column]:
    metric = results.study.evaluate.metric
    best_first = "ascending" if metric in LOWER_IS_BETTER else "descending"
    columns = [
        Column("rank", "#"),
        Column("model", "Model"),
        Column("mean", f"{words.METRIC_NAMES[metric]}{words.unit(metric)}", "", best_first),
        Column("sd", "SD", "spread over subjects"),
        Column("", "", "mean and 95 % interval, chance in grey"),
        Column("ci", "95 % interval", "bootstrap over subjects", best_first),
        Column("p", "p (Holm)", "paired test against the best of the group"),
        Column("chance", "Chance", "chance level and the 95 % bound of its mean over subjects"),
    ]
    for other in OTHERS:
        if other != metric:
            first = "ascending" if other in LOWER_IS_BETTER else "descending"
            names = (words.SHORT_NAMES[other], words.METRIC_NAMES[other])
            columns.append(Column(other, *names, first))
    return [
        *columns,
        Column("seeds", "SD seeds", "spread over seeds of the mean over subjects"),
        Column("parameters", "Params", "learned numbers"),
        Column("seconds", "CPU / fit", "features, training and prediction, mean over fits"),
        Column("total", "CPU total", "all fits of the model"),
    ]


def _board_row(results: Results, row: BoardRow, columns: Sequence[Column]) -> Markup:
    metric = results.study.evaluate.metric
    small = row.branch if row.align == "none" else f"{row.branch} · {row.align}"
    name = [row.model, tag("small", small)]
    cells = [
        tag("td", rank(row), class_="rank", **_value("rank", row.rank)),
        tag("th", *name, class_="name", scope="row", **_value("model", row.model)),
    ]
    if row.status == "ok":
        cells += _scored(results, row, metric)
    else:
        why = tag("td", row.reason, class_="why", colspan=len(columns) - 6)
        status = tag("span", row.status.upper(), class_="failed")
        cells += [tag("td", status, **_value("mean", None)), why]
        cells += _costs(row)
    classes = "first" if row.rank == 1 else None
    return tag("tr", *cells, class_=classes, data_model=row.model)


def _scored(results: Results, row: BoardRow, metric: str) -> list[Markup]:
    ends = [v for r in results.board for v in (r.ci_low, r.ci_high, r.mean, r.chance)]
    scale = spanning(ends, 5, 115)
    mark = None if above_chance(row, metric) else tag("span", "*", title="not above chance")
    bound = tag("span", f" ({words.score(metric, row.chance_bound)})", class_="faint")
    p = next((c.p_holm for c in results.comparisons if c.other == row.model), 2.0)
    cells = [
        tag("td", words.score(metric, row.mean), mark, class_="big", **_value("mean", row.mean)),
        tag("td", words.score(metric, row.sd), **_value("sd", row.sd)),
        tag("td", interval_bar(row, scale, metric), class_="bar"),
        tag("td", interval(row, metric), **_value("ci", row.ci_low)),
        tag("td", p_against_best(results, row), **_value("p", p)),
        tag("td", words.score(metric, row.chance), bound, **_value("chance", row.chance)),
    ]
    for other in OTHERS:
        if other != metric:
            value = row.others[other]
            cells.append(tag("td", words.score(other, value), **_value(other, value)))
    spread = tag("td", words.score(metric, row.seed_sd), **_value("seeds", row.seed_sd))
    return [*cells, spread, *_costs(row)]


def _costs(row: BoardRow) -> list[Markup]:
    total = row.seconds_total
    return [
        tag("td", words.count(row.n_parameters), **_value("parameters", row.n_parameters)),
        tag("td", words.seconds(row.seconds_fit), **_value("seconds", row.seconds_fit)),
        tag("td", words.seconds(total), **_value("total", total)),
    ]


def _value(column: str, value: Any) -> dict[str, Any]:
    """Return the attributes by which the page sorts; what is unknown comes last."""
    known = value is not None and not (isinstance(value, float) and math.isnan(value))
    shown = (f"{value:.6g}" if isinstance(value, float) else str(value)) if known else ""
    return {"data_column": column, "data_value": shown}


def _heat_cell(
    results: Results,
    rows: Sequence[BoardRow],
    row: BoardRow,
    subject: str,
    low: float,
    high: float,
) -> Markup:
    metric = results.study.evaluate.metric
    value = row.subjects.get(subject, float("nan"))
    if math.isnan(value):
        return tag("td", words.NOTHING, class_="faint")
    share = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    share = 1 - share if metric in LOWER_IS_BETTER else share
    group = [r.subjects.get(subject, float("nan")) for r in rows if r.target == row.target]
    known = [v for v in group if not math.isnan(v)]
    best = min(known) if metric in LOWER_IS_BETTER else max(known)
    classes = ["best"] if value == best and len(known) > 1 else []
    bound = results.subject_chance[subject][1]
    if not math.isnan(bound) and value <= bound:
        classes.append("under-chance")
    return tag(
        "td",
        words.score(metric, value),
        class_=" ".join(classes) or None,
        style=f"--share:{55 * share:.0f}%",
    )
