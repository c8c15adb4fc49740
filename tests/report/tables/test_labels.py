"""Few labels and embeddings on the page: numbers as they are, names escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eegvit.config import Evaluate, Model
from eegvit.plan.splits.split import Labels
from eegvit.report import terminal, write
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.sections import embeddings_section, labels_section
from eegvit.report.tables.labels import labels_under
from eegvit.report.text.labels import labels_markdown
from eegvit.report.words import protocol
from eegvit.results.embeddings import Representation
from eegvit.results.results import Results, tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
HOSTILE = "<b>who"
FIGURES = {
    "classes": 0.625, "neighbours": 0.5875, "class_chance": 0.25, "person": 0.912,
    "person_chance": 0.125, "person_share": 0.31, "alignment": 0.1234, "uniformity": -2.5, "d": 64,
}  # fmt: skip


@pytest.fixture
def few(make_study, make_outcomes) -> Results:
    """Return results of a study of few labels: tangent-space plays the control of eegnet."""
    study = make_study(names=("tangent-space", "eegnet", "fbcsp"))
    outcomes = [
        replace(o, labels=Labels(amount, draw, n), key=f"{o.key}/{amount}/{draw}")
        for o in make_outcomes(study)
        for amount, draw, n in ((0.1, 0, 64), (0.1, 1, 64), (1.0, 0, 640))
    ]
    models = {
        "tangent-space": Model(branch="eegnet", pretrain={"objective": "none"}),
        "eegnet": Model(branch="eegnet", pretrain={"objective": "masked"}),
        "fbcsp": Model(branch="fbcsp"),
    }
    evaluate = Evaluate(seeds=(0, 1, 2), label_fraction=(0.1, 1.0), draws=2)
    study = study.model_copy(update={"models": models, "evaluate": evaluate})
    return tabulate(study, CLASSES, outcomes)


@pytest.fixture
def held(few: Results) -> Results:
    rng = np.random.default_rng(0)
    one = Representation(
        ("eegnet",), 9, FIGURES, rng.normal(size=(40, 2)), CLASSES * 10,
        tuple(f"a/{HOSTILE}{i % 4}" for i in range(40)), (0.5, 0.2),
    )  # fmt: skip
    alone = {**FIGURES, **dict.fromkeys(("person", "person_chance", "person_share"), np.nan)}
    return replace(
        few, representations=(one, replace(one, models=("tangent-space", "fbcsp"), figures=alone))
    )


def text_of(markup: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(markup).replace("<wbr>", "")))


def test_the_table_and_the_curve_say_what_was_found(few: Results) -> None:
    found = str(labels_section(few))
    gain = next(g for g in few.efficiency.gains if g.amount == 0.1)
    said = text_of(found)
    point = few.efficiency.point("eegnet", 0.1)
    assert f"{100 * point.mean:.1f}" in said and "64 labels" in said and "640 labels" in said
    sign = "+" if gain.difference > 0 else "−"
    shown = f"{sign}{100 * abs(gain.difference):.1f}, p {gain.p:.3f} (Holm {gain.p_holm:.3f})"
    assert shown in said and "against tangent-space" in said
    assert "With 9 subjects no p can be below 0.004 before correction" in said
    svg = xml.etree.ElementTree.fromstring(found[found.index("<svg") : found.index("</svg>") + 6])
    lines = [e.get("class") for e in svg.iter("polyline") if "line" in e.get("class").split()]
    assert sorted(lines) == ["line hue-0", "line hue-0 dashed", "line hue-1"]
    assert len([e for e in svg.iter("circle")]) == 6
    assert shown in "\n".join(labels_markdown(few))
    assert "labels" in terminal(few) and "10 %" in terminal(few)


def test_the_page_says_whose_labels_are_given(few: Results) -> None:
    assert "2 draws of each amount, class by class, of the training trials." in labels_under(few)
    about = {"labels_per_class": (5, 1), "labels_from": "target", "draws": 3}
    evaluate = Evaluate(**about)
    target = replace(few, study=few.study.model_copy(update={"evaluate": evaluate}))
    assert "of the earliest trials of each person tested." in labels_under(target)
    assert "1, 5 trials of each class, drawn at random from the earliest 5" in protocol(evaluate)


def test_other_data_are_told_where_there_are_any(few: Results) -> None:
    assert "other data" not in labels_under(few)
    models = dict(few.study.models)
    models["eegnet"] = Model(branch="eegnet", pretrain={"data": few.study.data[0]})
    other = replace(few, study=few.study.model_copy(update={"models": models}))
    assert "or from other data where the table says so" in labels_under(other)


def test_embeddings_have_a_section_where_models_are_pretrained(held: Results, few: Results) -> None:
    found = str(embeddings_section(held))
    said = text_of(found)
    for shown in (
        "62.5",
        "58.8",
        "91.2",
        "31.0",
        "0.123",
        "−2.50",
        "64",
        "chance 25.0",
        "chance 12.5",
    ):
        assert shown in said, shown
    assert said.count("–") >= 2 and "nan" not in said.lower()
    assert "tangent-space, fbcsp" in said and "50 % and 20 %" in said
    assert found.count("<circle") == 2 * 2 * 40 and HOSTILE not in found
    assert embeddings_section(few) is None
    about = manifest(held, "c")
    whole = page(held, about)
    assert 'href="#embeddings"' in whole and 'id="embeddings"' in whole
    assert 'href="#embeddings"' not in page(few, about)


def test_every_draw_is_in_a_file(few: Results, tmp_path: Path) -> None:
    write(few, tmp_path)
    lines = (tmp_path / "label_efficiency.csv").read_text().splitlines()
    assert len(lines) == 1 + len(few.efficiency.rows) == 1 + 3 * 9 * 3 * 3
