"""The page in a real Chromium: what it does, that it can be read, and that its table is right."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report.browser import Browser

PRINTED = 1039  # pixels between the margins of A4, landscape
MODELS = "table.board tr[data-model]"


@pytest.fixture
def page(browser: Browser, made_up: Path) -> Iterator[Any]:
    with browser.page(made_up) as opened:
        yield opened


def names(page: Any, use: str = "unlabelled") -> list[str]:
    """Return the models of a group that are seen, from top to bottom."""
    rows = page.locator(f'tbody[data-group="{use}"] tr[data-model]')
    return [row.get_attribute("data-model") for row in rows.all() if row.is_visible()]


def shown(page: Any, model: str, column: str) -> str:
    return page.locator(f'{MODELS}[data-model="{model}"] [data-column="{column}"]').inner_text()


def test_the_table_is_what_scores_csv_gives(page: Any, made_up: Path) -> None:
    correct: dict[Any, float] = defaultdict(float)
    counted: dict[Any, int] = defaultdict(int)
    with (made_up.parent / "scores.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            place = line["model"], line["subject"], line["seed"]
            correct[place] += float(line["accuracy"]) * int(line["n_trials"])
            counted[place] += int(line["n_trials"])
    people: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for model, person, seed in correct:
        score = 100 * correct[model, person, seed] / counted[model, person, seed]
        people[model][person].append(score)
    rows = page.locator(MODELS).all()
    assert len(rows) == 7
    for row in rows:
        model = row.get_attribute("data-model")
        if model == "mdm":  # lacks two people
            assert "FAILED" in row.inner_text()
            continue
        means = [float(np.mean(seeds)) for seeds in people[model].values()]
        assert shown(page, model, "mean").rstrip("*") == f"{np.mean(means):.1f}"
        assert shown(page, model, "sd") == f"{np.std(means, ddof=1):.1f}"


def test_a_column_sorts_by_pointer_and_by_keyboard(page: Any) -> None:
    assert names(page) == ["tangent-space", "eegnet", "fbcsp"]
    head = page.locator('table.board thead th[data-column="model"]')
    head.get_by_role("button").click()
    assert names(page) == ["eegnet", "fbcsp", "tangent-space"]
    assert head.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the button has the focus
    assert names(page) == ["tangent-space", "fbcsp", "eegnet"]
    sd = page.locator('table.board thead th[data-column="sd"]')
    sd.get_by_role("button").focus()
    page.keyboard.press(" ")
    spread = [float(shown(page, name, "sd")) for name in names(page)]
    assert spread == sorted(spread) and head.get_attribute("aria-sort") is None


def test_every_table_sorts(page: Any) -> None:
    page.locator("table.pairs thead th[data-column=effect] button").click()
    bodies = page.locator("table.pairs tbody").all()
    values = [
        [
            float(c.get_attribute("data-value"))
            for c in body.locator('td[data-column="effect"]').all()
        ]
        for body in bodies
    ]
    assert max(map(len, values)) == 3
    assert all(own == sorted(own, reverse=True) for own in values)


def test_rows_are_filtered(page: Any) -> None:
    page.get_by_label("Show").fill("tangent caus")
    assert names(page) == [] and names(page, "causal") == ["tangent-causal"]
    assert page.get_by_role("status").inner_text() == "1 of 7 rows"
    page.get_by_label("Show").fill("")
    page.locator(".tools select").select_option("unlabelled")
    assert len(names(page)) == 3 and names(page, "causal") == []
    page.locator(".tools select").select_option("")
    assert page.get_by_role("status").inner_text() == ""


def test_columns_are_chosen(page: Any) -> None:
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Kappa").uncheck()
    assert not any(cell.is_visible() for cell in page.locator('[data-column="kappa"]').all())
    page.get_by_label("Kappa").check()
    assert page.locator('th[data-column="kappa"]').is_visible()


def test_a_row_opens_by_keyboard(page: Any, made_up: Path) -> None:
    button = page.locator(f'{MODELS}[data-model="eegnet"] button')
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    lines = page.locator("tr.details table").first.locator("tbody tr").all()
    assert len(lines) == 9 * 2
    with (made_up.parent / "scores.csv").open(encoding="utf-8", newline="") as scores:
        of_one = [
            float(line["accuracy"])
            for line in csv.DictReader(scores)
            if (line["model"], line["subject"], line["session"]) == ("eegnet", "1", "0train")
        ]
    told = lines[0].inner_text().split()
    assert told == [
        "1",
        "0train",
        *(f"{100 * s:.1f}" for s in of_one),
        f"{100 * np.mean(of_one):.1f}",
    ]
    page.keyboard.press("Enter")
    assert page.locator("tr.details").count() == 0


def test_the_colours_can_be_turned(page: Any) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate(paper) != before


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_and_can_be_read(browser: Browser, made_up: Path, width: int, dark: bool) -> None:
    with browser.page(made_up, width, dark=dark) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for summary in page.locator("summary").all():
            summary.click()
        page.locator(f'{MODELS}[data-model="eegnet"] th button').click()
        assert browser.serious(page) == []
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_it_prints_whole(browser: Browser, made_up: Path) -> None:
    with browser.page(made_up, PRINTED, dark=True) as page:
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= PRINTED
        cut = """[...document.querySelectorAll("table, svg")]
            .filter((one) => one.checkVisibility())
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 80))"""
        assert page.evaluate(cut) == []
        assert not page.locator("nav").is_visible() and not page.locator(".tools").is_visible()
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
