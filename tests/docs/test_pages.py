"""Every code block of the README and of the site runs, in the order of its page."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from eegvit.command import main
from eegvit.config import load_card, load_study, load_yaml

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BASE = {"name": "part", "data": "simulated", "models": {"csp": {"branch": "csp_lda"}}}
INSTALLS = ("python3 -m venv", ".venv/bin/pip")  # what CI itself runs, and docs/install.md measured
FLAGSHIP = ".venv/bin/python -m eegvit.run "  # a study of downloaded data: it is loaded only

sys.path.insert(0, str(ROOT / "docs" / "scripts"))

import pages  # noqa: E402

HAND = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MADE = [(path, text) for path, text in pages.made() if "```" in text]


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    title: str
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page that name a language."""
    assert text.count("\n```") % 2 == 0
    yield from (Block(*found) for found in BLOCK.findall(text))


def run_page(text: str, folder: Path, known: dict[str, Any]) -> int:
    """Run a page's blocks in a folder; return how many there were."""
    found = list(blocks(text))
    for block in found:
        if block.title:
            file = folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        RUN[block.language](block, folder, known)
    return len(found)


def python(block: Block, folder: Path, known: dict[str, Any]) -> None:
    exec(compile(block.text, f"<block of {folder.name}>", "exec"), known)


def shell(block: Block, folder: Path, known: dict[str, Any]) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if line.startswith(INSTALLS):
            continue
        if line.startswith(FLAGSHIP):
            assert load_study(ROOT / words[-1]).models
            continue
        assert words[0] == "eegvit", f"no test knows how to run `{line}`"
        assert main(words[1:]) == 0, line


def yaml(block: Block, folder: Path, known: dict[str, Any]) -> None:
    file = folder / "block.yaml"
    file.write_text(block.text, encoding="utf-8")
    said = load_yaml(file)
    if "source" in said:
        assert load_card(file).name == said["name"]
    else:
        assert load_study({**BASE, **said}).models


def toml(block: Block, folder: Path, known: dict[str, Any]) -> None:
    assert tomllib.loads(block.text)


def shown(block: Block, folder: Path, known: dict[str, Any]) -> None:
    """Output, which is not run."""


RUN = {"python": python, "sh": shell, "yaml": yaml, "toml": toml, "text": shown}


@pytest.mark.slow
@pytest.mark.parametrize("page", HAND, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, people: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    known: dict[str, Any] = {"__name__": "page"}
    if page.name == "README.md":
        known |= {"X": people.X, "y": people.labels, "subject": people.subject}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ran = run_page(text, tmp_path, known)
    assert ran or "```" not in text


@pytest.mark.parametrize(("path", "text"), MADE, ids=[path for path, _ in MADE])
def test_a_page_that_is_made_runs(
    path: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(text, tmp_path, {}) > 0


def test_sections_of_contributing_stand_in_their_page() -> None:
    text = pages.with_sections((ROOT / "docs" / "extend.md").read_text(encoding="utf-8"))
    assert "<!--" not in text and "class LogPowerClassifier" in text
    assert text.count("\n## ") == 4 and "eegvit.sources" in text


def test_the_menu_has_every_page() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    there = [file.relative_to(ROOT / "docs").as_posix() for file in HAND[1:]]
    there += [path for path, _ in pages.made()]
    there += [f"examples/{file.stem}.md" for file in (ROOT / "examples").glob("*.py")]
    assert [path for path in there if path not in menu] == []
