"""Scores by the number of labels: a table with paired tests, and the same as text."""

from __future__ import annotations

import math

from eegvit.config.pretraining import controls
from eegvit.report import words
from eegvit.report.markup import Markup, tag
from eegvit.results.few_labels import Efficiency, Gain, Point
from eegvit.results.results import Results

N_HUES = 8


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


def efficiency_table(results: Results) -> Markup:
    """Return mean, interval, and gain over the control of each model and amount."""
    efficiency, hues = found(results), hues_of(results)
    metric = results.study.evaluate.metric
    titles = [_head(results, amount, efficiency) for amount in efficiency.amounts]
    head = [tag("th", f"model{words.unit(metric)}", class_="name", scope="col")]
    head += [tag("th", title, scope="col") for title in titles]
    against = controls(results.study.models)
    rows = []
    for name, model in results.study.models.items():
        small = model.said + (f" · against {against[name]}" if name in against else "")
        key = tag("span", class_=f"key hue-{hues[name]}")
        cells = [
            tag("td", *_cell(results, efficiency.point(name, amount)))
            for amount in efficiency.amounts
        ]
        heading = tag("th", key, name, tag("small", small), class_="name", scope="row")
        rows.append(tag("tr", heading, *cells))
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="learned")


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


def efficiency_markdown(results: Results) -> list[str]:
    """Return the table as lines of Markdown."""
    efficiency = results.efficiency
    if efficiency is None:
        return []
    metric = results.study.evaluate.metric
    titles = [said_amount(results, amount) for amount in efficiency.amounts]
    head = f"| {words.METRIC_NAMES[metric]}{words.unit(metric)} by labels |"
    lines = [f"{head} {' | '.join(titles)} |", "|-|" + "-:|" * len(titles)]
    for name in results.study.models:
        points = [efficiency.point(name, amount) for amount in efficiency.amounts]
        shown = [_text(efficiency, point, metric) for point in points]
        lines.append(f"| {name.replace('|', '/')} | {' | '.join(shown)} |")
    return [
        *lines,
        "",
        f"In brackets: gain over the control from scratch; {tests(results)}",
    ]


def efficiency_terminal(results: Results) -> list[str]:
    """Return the means as lines for a terminal."""
    if results.efficiency is None:
        return []
    amounts = results.efficiency.amounts
    metric = results.study.evaluate.metric
    rows = [["labels", *(said_amount(results, amount) for amount in amounts)]]
    for name in results.study.models:
        means = [results.efficiency.point(name, amount).mean for amount in amounts]
        rows.append([name[:40], *(words.score(metric, mean) for mean in means)])
    width = max(len(row[0]) for row in rows)
    return ["  ".join([row[0].ljust(width), *(c.rjust(8) for c in row[1:])]) for row in rows]


def hues_of(results: Results) -> dict[str, int]:
    """Return the number of each model's colour; a control has that of a model it controls."""
    models = results.study.models
    against = controls(models)
    hues: dict[str, int] = {}
    for name in models:
        if name not in against.values():
            hues[name] = len(hues) % N_HUES
    for name, control in against.items():
        hues.setdefault(control, hues[name])
    return {name: hues.get(name, len(hues) % N_HUES) for name in models}


def _cell(results: Results, point: Point) -> list[object]:
    metric = results.study.evaluate.metric
    if math.isnan(point.mean):
        return [words.NOTHING, tag("small", point.reason, class_="reason")]
    low, high = words.score(metric, point.low), words.score(metric, point.high)
    said: list[object] = [words.score(metric, point.mean)]
    if not math.isnan(point.low):
        said.append(tag("small", f"{low}–{high}"))
    gain = _gain(found(results), point)
    if gain is not None and not math.isnan(gain.difference):
        said.append(tag("small", _gained(gain, metric)))
    return said


def _text(efficiency: Efficiency, point: Point, metric: str) -> str:
    gain = _gain(efficiency, point)
    shown = words.score(metric, point.mean)
    if gain is None or math.isnan(gain.difference):
        return shown
    return f"{shown} ({_gained(gain, metric)})"


def _gained(gain: Gain, metric: str) -> str:
    shown = words.signed(metric, gain.difference)
    if math.isnan(gain.p):
        return shown
    return f"{shown}, p {words.p_value(gain.p)} (Holm {words.p_value(gain.p_holm)})"


def _gain(efficiency: Efficiency, point: Point) -> Gain | None:
    own = [g for g in efficiency.gains if (g.model, g.amount) == (point.model, point.amount)]
    return own[0] if own else None


def found(results: Results) -> Efficiency:
    """Return what a study of few labels found."""
    assert results.efficiency is not None
    return results.efficiency


def said_amount(results: Results, amount: float) -> str:
    """Return an amount of labels as a share or a number."""
    fraction = results.study.evaluate.label_fraction is not None
    return f"{100 * amount:g} %" if fraction else f"{amount:g} a class"


def _of(results: Results, efficiency: Efficiency) -> str:
    most = efficiency.amounts[-1]
    several = any(row["draw"] for row in efficiency.rows if row["labels"] == most)
    return said_amount(results, most) + (", first draw" if several else "")


def _head(results: Results, amount: float, efficiency: Efficiency) -> list[object]:
    n = next(p.n_labels for p in efficiency.points if p.amount == amount)
    return [said_amount(results, amount), tag("small", f"{n:,.0f} labels")]
