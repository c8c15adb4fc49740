"""The section of signals: there where people looked at flicker or waited for an event."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Card, Evaluate, Model, Study
from eegvit.config.cards.card import Speller
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.signals import signals_values
from eegvit.report.tables.information import information_table
from eegvit.report.tables.spelling import spelling_table
from eegvit.results.outcomes import Outcome
from eegvit.results.responses.information import wolpaw_bits
from eegvit.results.responses.signals import Curve, Signals
from eegvit.results.results import Results, tabulate


def of_paradigm(results: Results, paradigm: str) -> Results:
    card = results.study.data[0].model_copy(update={"paradigm": paradigm})
    return replace(results, study=results.study.model_copy(update={"data": (card,)}))


@pytest.fixture
def signals() -> Signals:
    mean = np.array([1.0, 5.0, 2.0])
    curve = Curve("feet", 12, 2, mean, mean - 1, mean + 1)
    return Signals("ssvep", ("O1", "Oz"), "", np.array([12.0, 13.0, 14.0]), (curve,))


def test_a_page_without_signals_has_no_such_section(results: Results) -> None:
    assert signals_values(results) == {}
    assert 'id="signals"' not in page(results, manifest(results))


def test_a_page_of_flicker_has_the_figure_and_the_table(results, signals) -> None:
    shown = page(replace(of_paradigm(results, "ssvep"), signals=signals), manifest(results))
    section = shown.partition('<section id="signals">')[2].partition("</section>")[0]
    assert "mean over O1, Oz, in the units of the recordings" in section
    assert 'aria-label="Mean signals, Hz"' in section
    assert "Wolpaw" in section and "without pause" in section and "among 4 classes" in section
    assert "95 % interval over people" in section


def test_one_person_has_no_interval(results, signals) -> None:
    alone = replace(signals, curves=(replace(signals.curves[0], n_people=1),))
    assert "interval" not in str(signals_values(replace(results, signals=alone))["said"])


def test_a_spectrum_of_one_frequency_is_not_drawn(results, signals) -> None:
    short = replace(signals, axis=signals.axis[:1])
    assert signals_values(replace(results, signals=short)) == {}


def test_the_table_has_bits_of_each_persons_accuracy(results: Results) -> None:
    table = information_table(of_paradigm(results, "ssvep"))
    assert table is not None
    rows = {str(row.cells[0].text): row.cells[1:] for row in table.bodies[0].rows}
    assert set(rows) == {row.model for row in results.board if row.status == "ok"}
    for row in (row for row in results.board if row.model in rows):
        bits = [15 * wolpaw_bits(accuracy, 4) for accuracy in row.subjects.values()]  # of 4 s
        window, accuracy, _, mean, sd, least, most = rows[row.model]
        assert window.text == "4 s" and accuracy.value == pytest.approx(row.mean)
        told = [cell.value for cell in (mean, sd, least, most)]
        assert told == pytest.approx([np.mean(bits), np.std(bits, ddof=1), min(bits), max(bits)])
        assert re.fullmatch(r"\d+\.\d", str(mean.text))


def test_imagery_has_no_such_table(results: Results) -> None:
    assert information_table(results) is None


@pytest.fixture
def spelled() -> Results:
    """Return results of two people on a board; one model is sure and right, one guesses."""
    board = Speller(rows=6, columns=6, onset_to_onset=0.25, pause=1.0)
    about = {"paradigm": "p300", "classes": ("no", "yes"), "window": (0, 1), "speller": board}
    models = {name: Model(branch="csp_lda") for name in ("sure", "guess")}
    card = Card(name="k", source="files", **about)
    study = Study(name="s", data=(card,), evaluate=Evaluate(metric="roc_auc"), models=models)
    made = []
    for name in models:
        for who in ("ann", "bob"):
            y = np.tile([0, 0, 0, 0, 0, 1], 10)
            told = np.eye(2)[y] if name == "sure" else np.full((60, 2), 0.5)
            places = {
                "data": np.full(60, "k"),
                "subject": np.full(60, who),
                "session": np.full(60, "0"),
                "ids": np.array([f"{who}/{i}" for i in range(60)]),
            }
            key = f"{name}/{who}"
            made.append(Outcome(name, who, 0, key, "none", **places, y=y, probabilities=told))
    return tabulate(study, ("no", "yes"), made)


def test_the_table_has_what_would_be_spelled(spelled: Results) -> None:
    table = spelling_table(spelled)
    assert table is not None
    rows = {str(row.cells[0].text): row.cells[1:] for row in table.bodies[0].rows}
    assert [cell.value for cell in rows["sure"]] == [100.0, 100.0, 100.0, 15.0, 15.0]
    assert rows["sure"][3].small == ("after 1 repetition",)  # 12 flashes of 0.25 s, and 1 s
    shares = [cell.value for cell in rows["guess"][:3]]
    assert shares == pytest.approx([100 / 36] * 3)
    assert rows["guess"][3].value == pytest.approx(15 / 36)
    assert rows["guess"][4].text == "0.00" and rows["guess"][4].small == ()


def test_the_page_says_that_spelling_is_estimated(spelled: Results) -> None:
    shown = page(spelled, manifest(spelled))
    section = shown.partition('<section id="signals">')[2].partition("</section>")[0]
    assert "a board of 6 x 6" in section and "estimated, not measured" in section
    assert "independent of each other" in section and "1 s between characters" in section
    assert "Wolpaw" not in section
