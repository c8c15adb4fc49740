"""The page: one HTML file with everything in it."""

from __future__ import annotations

import json
import math
import time
from importlib.resources import files
from typing import Any

from eegvit.config import Card
from eegvit.report import words
from eegvit.report.cost import cost_plot
from eegvit.report.figures import subject_dots
from eegvit.report.markup import Markup, tag
from eegvit.report.notes import notes
from eegvit.report.sections import (
    NAVIGATION,
    embeddings_section,
    ensembles_section,
    fusion_section,
    labels_section,
    section,
    spikes_section,
)
from eegvit.report.spikes import spiking_rows
from eegvit.report.tables import board_table, heat_table, model_cards, stages_table, times_table
from eegvit.results.results import Results

UNREAL = (
    "Simulated data. These signals were computed, not recorded: the scores show that the study"
    " runs and how the methods differ on the simulation, and say nothing about real people."
)


def page(results: Results, about: dict[str, Any], *, began: float = math.nan) -> str:
    """Return the whole page.

    Parameters
    ----------
    results : Results
        What to show.
    about : dict
        The manifest.
    began : float
        CPU time of this process when it began to write the report.
    """
    scores = [
        _introduction(results, about),
        labels_section(results),
        _leaderboard(results),
        _subjects(results),
        ensembles_section(results),
        fusion_section(results),
        embeddings_section(results),
        _models(results),
    ]
    body = tag(
        "main",
        *scores,
        _cost(results, began),
        spikes_section(results),
        _reading(results),
        _manifest(about),
        tag("footer", f"Written {about['written']} by eegvit {about['versions']['eegvit']}."),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{results.study.name}: leaderboard"),
        tag("style", _asset("page.css")),
    )
    script = tag("script", _asset("page.js"))
    document = tag("html", head, tag("body", _top(results), body, script), lang="en")
    return f"<!doctype html>\n{document}\n"


def _top(results: Results) -> Markup:
    links = [
        tag("a", name, href=f"#{place}")
        for place, name in NAVIGATION.items()
        if (place != "ensembles" or results.study.ensembles)
        and (place != "labels" or results.efficiency)
        and (place != "fusion" or fusion_section(results))
        and (place != "embeddings" or results.representations)
        and (place != "spikes" or spiking_rows(results))
    ]
    n_subjects = words.number_of(results.n_subjects, "subject")
    n_trials = words.number_of(results.n_trials, "test trial")
    return tag(
        "header",
        tag(
            "div",
            tag("strong", results.study.name),
            tag("span", "SIMULATED", class_="badge") if results.simulated else None,
            tag("span", f"{n_subjects} · {n_trials}", class_="counts more"),
            tag("nav", *links),
            tag("button", "Light / dark", class_="theme", type="button"),
            class_="bar-inner",
        ),
        class_="top",
    )


def _introduction(results: Results, about: dict[str, Any]) -> list[Markup | None]:
    study = results.study
    metric = study.evaluate.metric
    per_class = ", ".join(f"{name} {n:,}" for name, n in results.class_counts.items())
    seeds = ", ".join(map(str, study.evaluate.seeds))
    facts: list[tuple[str, Any]] = [
        ("Data", [_source(card) for card in study.data]),
        ("Tested", f"{words.number_of(results.n_subjects, 'subject')}, {per_class} trials"),
        ("Trials", words.preprocessing(study)),
        ("Protocol", words.protocol(study.evaluate)),
        ("Alignment", words.alignment(study.align) + _exceptions(results)),
        ("Ranked by", f"{words.METRIC_NAMES[metric]}, mean over subjects; seeds {seeds}"),
        ("Command", tag("code", about["command"]) if about["command"] else None),
    ]
    listed = [[tag("dt", name), tag("dd", value)] for name, value in facts if value]
    return [
        tag("p", UNREAL, class_="notice") if results.simulated else None,
        tag("h1", study.name),
        tag("p", study.description, class_="lead") if study.description else None,
        tag("dl", *listed, class_="facts"),
    ]


def _source(card: Card) -> Markup:
    name = card.title or card.name
    named = tag("a", name, href=card.url) if card.url.startswith(("http://", "https://")) else name
    details = [part for part in (f"source: {card.source}", _licence(card), card.citation) if part]
    return tag("div", named, " ", tag("span", "· ", " · ".join(details), class_="faint"))


def _licence(card: Card) -> str:
    return f"licence: {card.licence}" if card.licence else ""


def _exceptions(results: Results) -> str:
    own = [name for name, model in results.study.models.items() if model.align is not None]
    return f" Set differently for {', '.join(own)}, see the table." if own else ""


def _leaderboard(results: Results) -> Markup:
    row = results.board[0]
    metric = results.study.evaluate.metric
    under = (
        "Rows that used different things of the people they are tested on are not comparable;"
        " ranks and tests hold within a group."
    )
    chance = f"Chance is {words.score(metric, row.chance)}{words.unit(metric)}"
    if not math.isnan(row.chance_bound):
        bound = f"{words.score(metric, row.chance_bound)}{words.unit(metric)}"
        chance += f"; a guesser's mean exceeds {bound} in one study of twenty (grey band)"
    return section(
        "leaderboard",
        f"{under} {chance}. Select a column's head to sort.",
        tag("div", board_table(results), class_="scroll"),
    )


def _subjects(results: Results) -> Markup | None:
    if not any(row.subjects for row in results.board):
        return None
    metric = words.METRIC_NAMES[results.study.evaluate.metric]
    return section(
        "subjects",
        f"{metric} of each subject. Line: 95 % interval of the mean; mark: mean; grey: chance"
        " and its bound for the mean.",
        tag("div", subject_dots(results), class_="figure"),
        tag(
            "p",
            "The same as numbers. Bold: the best of a group for this subject; slanted: not above"
            " this subject's own chance bound.",
            class_="under",
            style="margin-top:22px",
        ),
        tag("div", heat_table(results), class_="scroll tall"),
    )


def _models(results: Results) -> Markup | None:
    cards = model_cards(results)
    if not cards:
        return None
    return section(
        "models",
        "Confusion and calibration over all test trials and seeds. Below the diagonal a model is"
        " surer than it should be; the size of a point shows how many trials it stands for.",
        tag("div", *cards, class_="cards"),
    )


def _cost(results: Results, began: float) -> Markup:
    plot = cost_plot(results)
    by_model = times_table(results)
    by_stage = stages_table(results, time.process_time() - began)
    return section(
        "cost",
        "CPU seconds, measured where each fit was run. A fit's are those it would take alone; in"
        " the totals, features and pretraining, which stand together, are counted once where"
        " several fits of a model share them. MACs are the"
        " multiply-accumulates of one trial; 1 trial and 64 trials are the wall times to predict"
        " them, from the signals on, measured once for each model.",
        tag("div", plot, class_="figure") if plot else None,
        tag("div", by_model, class_="scroll", style="margin-top:16px"),
        tag(
            "p",
            "All stages of the study. Reading, filtering and alignment are what they took when"
            " the trials were computed, also where they came from the cache since; "
            f"{words.NOTHING} where that is not known. The report's time ends at this table.",
            class_="under",
            style="margin-top:22px",
        ),
        tag("div", by_stage, class_="scroll"),
    )


def _reading(results: Results) -> Markup:
    points = [tag("li", note) for note in notes(results)]
    return section("reading", None, tag("ul", *points, class_="notes"))


def _manifest(about: dict[str, Any]) -> Markup:
    short = {name: value for name, value in about.items() if name not in ("study_text", "fits")}
    return section(
        "manifest",
        None,
        tag(
            "details",
            tag("summary", f"Versions, machine, commit, hashes ({len(about['fits'])} fits)"),
            tag("pre", json.dumps(short, indent=1, ensure_ascii=False)),
            tag("pre", "\n".join(_fit_line(fit) for fit in about["fits"])),
        ),
        tag("details", tag("summary", "Study file"), tag("pre", about["study_text"])),
    )


def _fit_line(fit: dict[str, Any]) -> str:
    seeds = ",".join(map(str, fit["seeds"]))
    return f"{fit['status']:7} {fit['model']} | {fit['split']} | seeds {seeds} | {fit['key']}"


def _asset(name: str) -> Markup:
    return Markup(files("eegvit.report").joinpath(name).read_text("utf-8"))
