"""One page that leads to all reports in a folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from report.browser import Browser

from eegvit.command import start
from eegvit.report import write
from eegvit.report.written.index import found, write_index
from eegvit.results.results import tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")


@pytest.fixture
def root(make_study: Callable, make_outcomes: Callable, tmp_path: Path) -> Path:
    """Return a folder of two reports, one simulated, and of what is none."""
    for name, simulated in (("of people", False), ("made up", True)):
        study = make_study(simulated=simulated)
        write(tabulate(study, CLASSES, make_outcomes(study)), tmp_path / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{}", "utf-8")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_index_leads_to_every_page_and_marks_what_is_simulated(
    browser: Browser, root: Path
) -> None:
    for width in (1440, 390):
        with browser.page(write_index(root, command="eegvit report index"), width) as page:
            for name in ("of people", "made up"):
                rows = page.locator("tbody tr", has=page.get_by_role("link", name=name))
                assert rows.count() == 3  # target uses
                page.get_by_role("link", name=name).first.click()
                assert page.title() == "made_up: leaderboard"
                page.go_back()
            body = page.locator("tbody", has_text="Simulated people")
            assert body.locator(".badge").count() == 3 == page.locator(".badge").count()
            assert body.get_by_role("link", name="of people").count() == 0
            assert (
                "broken could not be read: leaderboard.csv: No such"
                in page.locator("main").inner_text()
            )
            assert browser.serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_best_rows_are_those_of_the_leaderboards(browser: Browser, root: Path) -> None:
    with (root / "made up" / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        best = {r["target"]: r for r in csv.DictReader(file) if r["rank"] == "1"}
    with browser.page(write_index(root)) as page:
        body = page.locator("tbody", has_text="Simulated people")
        for row in body.locator("tr:not(.group)").all():
            target, model, score = (
                row.locator(f'[data-column="{name}"]').inner_text().split("\n")[0]
                for name in ("target", "model", "score")
            )
            assert model == best[target]["model"]
            assert score == f"{100 * float(best[target]['mean']):.1f}"


def test_the_command_writes_it_or_says_what_is_missing(root: Path, capsys) -> None:
    assert start("report", ["index", str(root)]) == 0
    assert capsys.readouterr().out.strip() == str(root / "index.html")
    assert start("report", ["index", str(root / "empty")]) == 1
    assert "holds no folder of a report" in " ".join(capsys.readouterr().err.split())
    assert start("report", ["index"]) == 1


def test_the_committed_index_has_every_committed_report(root: Path) -> None:
    reports = Path(__file__).resolve().parents[3] / "reports"
    listed, left_out = found(reports)
    assert left_out == [] and len(listed) > 10
    text = (reports / "index.html").read_text(encoding="utf-8")
    for one in listed:
        assert f'href="{one.folder}/leaderboard.html"' in text, (
            "run `eegvit report index reports`, after a report was added"
        )
        assert json.dumps(one.about["written"]) in text.replace("data-value=", "")
