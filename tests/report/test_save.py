"""What the page saves: figures as SVG and PDF, tables as CSV, LaTeX and Markdown."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report.browser import Browser

SVG = "{http://www.w3.org/2000/svg}"
BOARD = "Leaderboard"
PAIRS = "Every pair of rows of one target use"


@pytest.fixture
def page(browser: Browser, made_up: Path) -> Iterator[Any]:
    with browser.page(made_up, dark=True) as opened:
        yield opened


def saved(page: Any, kind: str, what: str) -> tuple[str, str]:
    """Return the name and the text of a file that a button saves.

    Of many downloads in a second Chromium loses one now and then: there are three tries.
    """
    from playwright.sync_api import TimeoutError as TooLong

    button = page.get_by_role("button", name=f"Save as {kind}: {what}", exact=True).first
    for tries_left in (2, 1, 0):
        try:
            with page.expect_download(timeout=5000) as download:
                button.click()
        except TooLong:
            if not tries_left:
                raise
        else:
            break
    file = download.value
    return file.suggested_filename, Path(file.path()).read_text(encoding="utf-8")


def test_every_figure_is_saved_by_itself(page: Any) -> None:
    buttons = page.locator(".save button", has_text=re.compile("^SVG$"))
    labels = [button.get_attribute("aria-label") for button in buttons.all()]
    assert len(labels) == 3 + 2 * 7 and len(set(labels)) == len(labels)
    for label in labels:
        name, text = saved(page, "SVG", label.removeprefix("Save as SVG: "))
        tree = xml.etree.ElementTree.fromstring(text)
        assert tree.tag == f"{SVG}svg" and re.fullmatch(r"made_up_[a-z]+(_\d+)?\.svg", name)
        assert "var(" not in text and "light-dark" not in text and " class=" not in text
        ink = {part.get("style") for part in tree.iter(f"{SVG}text")}
        assert ink and all("fill: rgb(" in style for style in ink)
        greys = [int(n) for style in ink for n in re.findall(r"fill: rgb\((\d+)", style)]
        assert max(greys) < 200, "dark on white, whatever the page looks like"


def test_a_pdf_is_one_page_as_large_as_its_figure(page: Any) -> None:
    page.evaluate("window.print = () => {}")
    page.get_by_role("button", name="Save as PDF: Score against CPU time").click()
    made = page.pdf(prefer_css_page_size=True)
    (box,) = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", made))
    assert [round(float(side) / 0.75) for side in box] == [900, 380]
    assert len(re.findall(rb"/Type /Page\b", made)) == 1
    assert page.locator(".sheet").count() == 0


def test_a_table_as_csv_has_its_numbers(page: Any) -> None:
    name, text = saved(page, "CSV", BOARD)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert name == "made_up_leaderboard.csv"
    assert [row["Model"] for row in rows[-3:]] == ["tangent-space", "eegnet", "fbcsp"]
    assert {row["group"] for row in rows} == {
        f"Target use: {use}" for use in ("none", "causal", "unlabelled")
    }
    assert all(float(row["SD"]) > 0 for row in rows if row["Model"] != "mdm")
    (failed,) = [row for row in rows if row["Model"] == "mdm"]
    assert failed["Accuracy %"] == "FAILED" and "fits failed" in failed["95 % interval"]
    _, pairs = saved(page, "CSV", PAIRS)
    first = next(csv.DictReader(io.StringIO(pairs)))
    assert float(first["difference %"]) > 0 and first["95 % interval"].startswith("'+")


def test_what_is_hidden_is_not_saved(page: Any) -> None:
    page.get_by_label("Show").fill("eegnet")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Kappa").uncheck()
    _, text = saved(page, "Markdown", BOARD)
    head, rule, group, row = text.strip().splitlines()
    assert "Kappa" not in head and "SD" in head and "**Target use: unlabelled**" in group
    assert "| eegnet |" in row and len({line.count("|") for line in (head, rule, group, row)}) == 1


def test_a_table_as_latex(page: Any, tmp_path: Path) -> None:
    name, text = saved(page, "LaTeX", PAIRS)
    assert name.endswith(".tex") and text.startswith(
        "% \\usepackage{booktabs}\n\\begin{tabular}{llr"
    )
    assert "\\toprule" in text and "\\midrule" in text and "\\bottomrule" in text
    assert "csp+lda & chance & +19.3" in text and " \\% " in text
    ends = [line for line in text.splitlines() if " & " in line]
    assert len({line.count("&") for line in ends}) == 1
    assert all(line.endswith(" \\\\") for line in ends)
    if shutil.which("pdflatex"):
        document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
        (tmp_path / "t.tex").write_text(f"{document}{text}\\end{{document}}", encoding="utf-8")
        command = ["pdflatex", "-interaction=batchmode", "t.tex"]
        assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
