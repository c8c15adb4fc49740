"""The sections of the page: what each template is given; none where there is nothing to show."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from eegvit.config import Card
from eegvit.report import words
from eegvit.report.details import details
from eegvit.report.figures.cost import cost_plot
from eegvit.report.figures.curves import curves
from eegvit.report.figures.diagrams import confusion_matrix, reliability_diagram
from eegvit.report.figures.embeddings import maps
from eegvit.report.figures.front import fronts
from eegvit.report.figures.ranks import critical_difference
from eegvit.report.figures.raster import raster
from eegvit.report.figures.subjects import subject_dots
from eegvit.report.render import render
from eegvit.report.signals import signals_values
from eegvit.report.tables.audit import left_out, saw_table
from eegvit.report.tables.board import board_table, scores_of_each
from eegvit.report.tables.costs import stages_table, times_table
from eegvit.report.tables.embeddings import COLUMNS, UNDER, embeddings_table
from eegvit.report.tables.ensembles import (
    bound_table,
    correlation_table,
    ensembles_under,
    learned_table,
    selection_table,
)
from eegvit.report.tables.fusion import fusion_table, fusion_under
from eegvit.report.tables.labels import labels_table, labels_under, tests
from eegvit.report.tables.pairs import pairs_table, power_said
from eegvit.report.tables.reading import reading_table
from eegvit.report.tables.spikes import spikes_table, spiking_rows
from eegvit.report.tables.subjects import subjects_table
from eegvit.report.tables.units import pruned_rows, units_table
from eegvit.report.text.notes import notes, patterns
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results

MANY = 30  # pairs from which on their table is folded
ON_CARDS = ("macro_f1", "log_loss", "brier", "calibration_error")


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Parameters
    ----------
    place : str
        Its name in links, and that of its template.
    title : str
        The heading.
    values : mapping
        What the template is given.
    """

    place: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __html__(self) -> Markup:
        """Return its markup: what a template takes."""
        return render(f"sections/{self.place}.html", section=self, **self.values)

    def __str__(self) -> str:
        return str(self.__html__())


def sections(results: Results, about: Mapping[str, Any], seconds: float) -> list[Section]:
    """Return the sections of the page in their order.

    Parameters
    ----------
    results : Results
        What to show.
    about : mapping
        The manifest.
    seconds : float
        CPU seconds that the report has taken so far.
    """
    found = [
        labels_section(results),
        _leaderboard(results),
        _subjects(results),
        _pairs(results),
        _signals(results),
        _ensembles(results),
        _fusion(results),
        embeddings_section(results),
        _models(results),
        _cost(results, seconds),
        _spikes(results),
        _units(results),
        _audit(results),
        _trials(results),
        Section("reading", "How to read this", {"notes": notes(results)}),
        _manifest(about),
    ]
    return [section for section in found if section is not None]


def facts(results: Results, about: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Return what the study is: data, trials, protocol, alignment, how rows are ranked."""
    study = results.study
    per_class = ", ".join(f"{name} {n:,}" for name, n in results.class_counts.items())
    metric = words.METRIC_NAMES[study.evaluate.metric]
    seeds = ", ".join(map(str, study.evaluate.seeds))
    sources = [{"card": card, "details": _details(card)} for card in study.data]
    then = about.get("remade", {})  # of old reports, whose manifest has no whole cards
    trials = then["trials"] if "trials" in then else words.preprocessing(study)
    said = [
        ("Data", render("sources.html", sources=sources)),
        ("Tested", f"{words.number_of(results.n_subjects, 'subject')}, {per_class} trials"),
        ("Trials", trials),
        ("Protocol", words.protocol(study.evaluate)),
        ("Alignment", words.alignment(study.align) + _exceptions(results)),
        ("Ranked by", f"{metric}, mean over subjects; seeds {seeds}"),
        ("Files", _files(results)),
        ("Command", Markup("<code>{}</code>").format(about["command"]) if about["command"] else ""),
        ("Page", results.again),
    ]
    return [(name, value) for name, value in said if value]


def _files(results: Results) -> Markup:
    """Return links to what lies beside the page."""
    names = ["leaderboard.csv", "scores.csv", "pairs.csv", "predictions.npz", "manifest.json"]
    names += ["label_efficiency.csv"] if results.efficiency is not None else []
    return Markup(" · ").join(Markup('<a href="{0}">{0}</a>').format(name) for name in names)


def labels_section(results: Results) -> Section | None:
    """Return scores by the number of labels, in a study of few."""
    if results.efficiency is None:
        return None
    values = {"under": labels_under(results), "tests": tests(results)}
    return Section(
        "labels", "Labels", {**values, "plot": curves(results), "table": labels_table(results)}
    )


def embeddings_section(results: Results) -> Section | None:
    """Return what networks hold before they see labels, where models are pretrained."""
    if not results.representations:
        return None
    meanings = "; ".join(f"{name}: {said}" for name, said in COLUMNS.items())
    cards = [
        {
            "models": ", ".join(one.models),
            "n": len(one.places),
            "axes": " and ".join(f"{100 * share:.0f} %" for share in one.axes),
            "maps": maps(one),
        }
        for one in results.representations
    ]
    values = {"under": UNDER, "table": embeddings_table(results), "meanings": meanings}
    return Section("embeddings", "Embeddings", {**values, "cards": cards})


def _details(card: Card) -> str:
    licence = f"licence: {card.licence}" if card.licence else ""
    return " · ".join(part for part in (f"source: {card.source}", licence, card.citation) if part)


def _exceptions(results: Results) -> str:
    own = [name for name, model in results.study.models.items() if model.align is not None]
    return f" Set differently for {', '.join(own)}, see the table." if own else ""


def _leaderboard(results: Results) -> Section:
    row = results.board[0]
    metric = results.study.evaluate.metric
    chance = f"{words.score(metric, row.chance)}{words.unit(metric)}"
    bound = f"{words.score(metric, row.chance_bound)}{words.unit(metric)}"
    known = not math.isnan(row.chance_bound)
    tables = {"table": board_table(results), "scores": scores_of_each(results)}
    power = power_said(results)
    values = {"chance": chance, "bound": bound if known else "", "power": power, **tables}
    return Section("leaderboard", "Leaderboard", {**values, "details": details(results)})


def _subjects(results: Results) -> Section | None:
    if not any(row.subjects for row in results.board):
        return None
    metric = words.METRIC_NAMES[results.study.evaluate.metric]
    values = {"metric": metric, "plot": subject_dots(results), "table": subjects_table(results)}
    return Section("subjects", "Subjects", values)


def _pairs(results: Results) -> Section | None:
    table = pairs_table(results)
    if table is None:
        return None
    n_pairs = sum(len(family.pairs) for family in results.families)
    drawn = [
        {
            "title": words.target_title(family.target),
            "plot": critical_difference(family),
            "n_people": family.friedman.n_people,
            "p": words.p_value(family.friedman.p),
        }
        for family in results.families
        if family.friedman
    ]
    values = {"table": table, "families": drawn, "n_pairs": n_pairs, "long": n_pairs > MANY}
    return Section("pairs", "Pairs", {**values, "flips": f" ({patterns(results.n_subjects)})"})


def _signals(results: Results) -> Section | None:
    values = signals_values(results)
    return Section("signals", "Signals", values) if values else None


def _ensembles(results: Results) -> Section | None:
    if not results.study.ensembles:
        return None
    tables = {
        "learned": learned_table(results),
        "selection": selection_table(results),
        "correlation": correlation_table(results),
        "bounds": bound_table(results),
    }
    return Section("ensembles", "Ensembles", {"under": ensembles_under(results), **tables})


def _fusion(results: Results) -> Section | None:
    table = fusion_table(results)
    values = {"under": fusion_under(results), "table": table}
    return Section("fusion", "Fusion", values) if table else None


def _models(results: Results) -> Section | None:
    cards = [
        {"row": row, "figures": figures, "also": _also(row)}
        for row in results.board
        if any(figures := _figures(results, row))
    ]
    return Section("models", "Models", {"cards": cards}) if cards else None


def _figures(results: Results, row: BoardRow) -> list[Markup | None]:
    return [confusion_matrix(results, row.model), reliability_diagram(results, row.model)]


def _also(row: BoardRow) -> str:
    if row.status != "ok":
        return ""
    return ", ".join(
        f"{words.METRIC_NAMES[m]} {words.score(m, row.others[m])}{words.unit(m)}" for m in ON_CARDS
    )


def _cost(results: Results, seconds: float) -> Section:
    tables = {"by_model": times_table(results), "by_stage": stages_table(results, seconds)}
    return Section("cost", "Cost", {"plot": cost_plot(results), **tables})


def _spikes(results: Results) -> Section | None:
    drawn = [(row.model, raster(row)) for row in spiking_rows(results)]
    if not drawn:
        return None
    return Section("spikes", "Spikes", {"table": spikes_table(results), "drawn": drawn})


def _units(results: Results) -> Section | None:
    tables = [(row.model, units_table(row)) for row in pruned_rows(results)]
    if not tables:
        return None
    return Section("units", "Pruned units", {"tables": tables, "fronts": fronts(results)})


def _audit(results: Results) -> Section | None:
    if results.audit is None:
        return None
    values = {"checks": results.audit.checks, "left_out": left_out(results)}
    return Section("audit", "Audit", {**values, "table": saw_table(results.audit)})


def _trials(results: Results) -> Section | None:
    table = reading_table(results)
    if table is None and not results.warnings:
        return None
    return Section("trials", "Trials and warnings", {"warnings": results.warnings, "table": table})


def _manifest(about: Mapping[str, Any]) -> Section:
    short = {
        name: value for name, value in about.items() if name not in ("study_text", "asked", "fits")
    }
    values = {
        "said": json.dumps(short, indent=1, ensure_ascii=False),
        "fits": [_fit_line(fit) for fit in about["fits"]],
        "study_text": about["study_text"],
    }
    return Section("manifest", "Manifest", values)


def _fit_line(fit: Mapping[str, Any]) -> str:
    seeds = ",".join(map(str, fit["seeds"]))
    models = ", ".join((fit["model"], *fit.get("shared_with", ())))
    return f"{fit['status']:7} {models} | {fit['split']} | seeds {seeds} | {fit['key']}"
