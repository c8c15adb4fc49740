"""Ensembles on the page: what was learned, who errs alike, and a bound that is no result."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Ensemble
from eegvit.report import terminal
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.tables.ensembles import NO_RESULT, bound_table, learned_table, selection_table
from eegvit.report.text.csv_files import board_csv, scores_csv
from eegvit.report.text.markdown import markdown
from eegvit.results.results import Results, tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
MEMBERS = ("fbcsp", "tangent-space", "eegnet")
ENSEMBLES = {
    "vote of three": Ensemble(of=MEMBERS, rule="vote"),
    "weighted": Ensemble(of=MEMBERS, rule="weighted", calibrate="temperature"),
    "stacked": Ensemble(of=MEMBERS, rule="meta"),
    "few": Ensemble(of=("fbcsp", "eegnet", "csp+lda"), select="greedy"),
    "with one that failed": Ensemble(of=("mdm", "fbcsp"), rule="max"),
}


@pytest.fixture
def combined(make_study, make_outcomes) -> Results:
    """Return made-up results of models and ensembles, with made-up inner predictions."""
    study = make_study().model_copy(update={"ensembles": ENSEMBLES})
    outer = make_outcomes(study, n_subjects=5)
    inner = [
        replace(o, split=f"{own}, {o.split}", outer=own, key=f"{o.key}/{own}")
        for own in dict.fromkeys(o.split for o in outer)
        for o in outer
        if o.split != own
    ]
    return tabulate(study, CLASSES, [*outer, *inner])


def text_of(markup: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(markup).replace("<wbr>", "")))


def test_the_page_has_a_section_and_only_where_there_are_ensembles(combined, results) -> None:
    text = page(combined, manifest(combined))
    assert 'href="#ensembles"' in text and 'id="ensembles"' in text
    section = text[text.index('id="ensembles"') : text.index('id="models"')]
    assert "Not a result." in section and "nan" not in section
    for name in ENSEMBLES:
        assert f'data-model="{name}"' in text
    assert "ensemble: weighted (accuracy), temperature" in text
    without = page(results, manifest(results))
    assert "ensembles" not in re.sub(r"<style>.*?</style>", "", without, flags=re.S)


def test_weights_and_temperatures_are_those_learned(combined) -> None:
    own = [one for one in combined.ensembles.learned if one.ensemble == "weighted"]
    assert len(own) == 5 * 3
    mean = np.mean([one.weights["eegnet"] for one in own])
    sd = np.std([one.weights["eegnet"] for one in own], ddof=1)
    heat = np.mean([one.temperatures["eegnet"] for one in own])
    said = text_of(learned_table(combined))
    assert f"{mean:.2f} ± {sd:.2f}" in said and f"temperature {heat:.2f}" in said
    assert "vote of three" not in said and "stacked" in said
    assert sum(own[0].weights.values()) == pytest.approx(1.0)


def test_selection_says_which_and_where(combined) -> None:
    said = text_of(selection_table(combined))
    orders = {one.chosen for one in combined.ensembles.learned if one.ensemble == "few"}
    for order in orders:
        assert " → ".join(order) in said
    assert "1 left out, seed 0" in said and "of 15" in said


def test_the_bound_is_marked_and_stands_beside_results(combined) -> None:
    said = text_of(bound_table(combined))
    n_sets = 2  # one model of the third failed
    assert said.count(NO_RESULT) == n_sets * 3
    bounds = [b for b in combined.ensembles.bounds if b.members == MEMBERS]
    board = {row.model: row for row in combined.board}
    assert np.mean([b.score for b in bounds]) >= max(board[m].mean for m in MEMBERS)
    assert all("oracle" not in name for name in board)
    text = markdown(combined)
    assert f"- oracle ({NO_RESULT}): each person's best of fbcsp, tangent-space, eegnet" in text
    assert "- stacked: meta (logistic) of fbcsp, tangent-space, eegnet" in text


def test_ensembles_stand_in_every_table(combined) -> None:
    for text in (scores_csv(combined), board_csv(combined), markdown(combined)):
        assert all(name in text for name in ENSEMBLES)
    said = terminal(combined)
    assert "Ensembles: vote of three, weighted" in said
    assert max(map(len, said.splitlines())) <= 100
    board = {row.model: row for row in combined.board}
    assert board["with one that failed"].status == "failed"
    assert "member mdm: LinAlgError" in board["with one that failed"].reason
    assert board["vote of three"].seconds_fit == pytest.approx(
        sum(board[m].seconds_fit for m in MEMBERS)
    )


def test_the_count_of_fits_is_said(combined) -> None:
    count = combined.ensembles.count
    # of rules that learn: three members that no seed changes, and EEGNet of three seeds
    assert count.naive == (3 + 3) * 5 * 5
    text = page(combined, manifest(combined))
    assert f"took {count.distinct:,} fits" in text and f"would have run {count.naive:,}" in text
