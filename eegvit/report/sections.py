"""Sections that only some pages have, and the frame of all."""

from __future__ import annotations

from eegvit.report.curves import curves
from eegvit.report.efficiency import efficiency_table, labels_under, tests
from eegvit.report.embeddings import COLUMNS, UNDER, embeddings_table, maps
from eegvit.report.ensembles import (
    bound_table,
    correlation_table,
    ensembles_under,
    learned_table,
    selection_table,
)
from eegvit.report.fusion import UNDER as UNDER_FUSION
from eegvit.report.fusion import fusion_table
from eegvit.report.markup import Markup, tag
from eegvit.report.spikes import raster, spikes_table, spiking_rows
from eegvit.results.results import Results

NAVIGATION = {
    "labels": "Labels",
    "leaderboard": "Leaderboard",
    "subjects": "Subjects",
    "ensembles": "Ensembles",
    "fusion": "Fusion",
    "embeddings": "Embeddings",
    "models": "Models",
    "cost": "Cost",
    "spikes": "Spikes",
    "reading": "How to read this",
    "manifest": "Manifest",
}


def section(place: str, under: str | None, *children: object) -> Markup:
    """Return a section of the page with its heading."""
    said = tag("p", under, class_="under") if under else None
    return tag("section", tag("h2", NAVIGATION[place]), said, *children, id=place)


def labels_section(results: Results) -> Markup | None:
    """Return scores by the number of labels, in a study of few."""
    if results.efficiency is None:
        return None
    plot = curves(results)
    return section(
        "labels",
        labels_under(results),
        tag("div", plot, class_="figure") if plot else None,
        tag(
            "p",
            "Mean over subjects and its interval; below it, of pretrained models, the gain over"
            f" the control, {tests(results)}",
            class_="under",
            style="margin-top:22px",
        ),
        tag("div", efficiency_table(results), class_="scroll"),
    )


def embeddings_section(results: Results) -> Markup | None:
    """Return what networks hold before they see labels, where models are pretrained."""
    if not results.representations:
        return None
    meanings = "; ".join(f"{name}: {said}" for name, said in COLUMNS.items())
    return section(
        "embeddings",
        UNDER,
        tag("div", embeddings_table(results), class_="scroll"),
        tag("p", f"{meanings}.", class_="under", style="margin-top:14px"),
        tag("div", *maps(results), class_="cards"),
    )


def ensembles_section(results: Results) -> Markup | None:
    """Return what ensembles learned, where there are any."""
    if not results.study.ensembles:
        return None
    parts = [
        (
            "What the rules learned, mean and spread over splits and seeds: a member's weight, or"
            " its share of the meta-learner's absolute coefficients or gain. A temperature above 1"
            " says that the member is surer than it should be.",
            learned_table(results),
        ),
        ("Members that forward selection kept.", selection_table(results)),
        (
            "Correlation of the members' errors over test trials. Combining helps where members"
            " are good and their errors are not alike.",
            correlation_table(results),
        ),
        (
            "Each person's best member, picked by the labels of the very trials that are scored:"
            " what choosing one member a person could bring at most. Not a result.",
            bound_table(results),
        ),
    ]
    shown = [
        [
            tag("p", said, class_="under", style="margin-top:22px"),
            tag("div", table, class_="scroll"),
        ]
        for said, table in parts
        if table is not None
    ]
    return section("ensembles", ensembles_under(results), *shown)


def fusion_section(results: Results) -> Markup | None:
    """Return what fused models gain over their branches, where both are in the study."""
    table = fusion_table(results)
    return table and section("fusion", UNDER_FUSION, tag("div", table, class_="scroll"))


def spikes_section(results: Results) -> Markup | None:
    """Return what spiking layers do, where there are any."""
    rows = spiking_rows(results)
    if not rows:
        return None
    under = (
        "On 64 test trials. A spike costs an addition for each neuron that it reaches, its"
        " absence nothing; input that is not spikes, and the neurons' leak, cost"
        " multiply-accumulates. Energy is that of 32-bit arithmetic in 45 nm (0.9 pJ an addition,"
        " 4.6 pJ a multiply-accumulate), without moving numbers; beside it the same layers"
        " without spikes. Convolutions of other branches are not counted: of neurons in front of"
        " another network the table has what they take, not what their spikes save behind them."
    )
    drawn = [
        [
            tag("p", f"{row.model}: one trial, first spiking layer.", class_="under"),
            tag("div", raster(row), class_="figure"),
        ]
        for row in rows
    ]
    return section("spikes", under, tag("div", spikes_table(results), class_="scroll"), *drawn)
