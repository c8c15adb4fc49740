"""What MkDocs asks as it makes the site: pages that are made from the code, so that none drifts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import key_tables
import model_pages
import notebook_pages

from eegvit import registry

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"<!-- CONTRIBUTING: (.+) -->")


def made() -> Iterator[tuple[str, str]]:
    """Yield (path in the site, text) of each page that is made from the code."""
    yield "study/keys.md", key_tables.study_page()
    yield "study/cards.md", key_tables.card_page()
    yield "models/index.md", model_pages.index_page()
    for name in registry.BRANCHES:
        yield f"models/{name}.md", model_pages.model_page(name)
    yield "models/training.md", model_pages.training_page()
    yield "changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def with_sections(text: str) -> str:
    """Return a page's text with the sections of CONTRIBUTING.md that it asks for."""
    whole = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    def section(mark: re.Match[str]) -> str:
        return (
            "## "
            + re.split(rf"^## (?={re.escape(mark[1])}\n)", whole, flags=re.M)[1]
            .split("\n## ")[0]
            .rstrip()
        )

    return MARK.sub(section, text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    from mkdocs.structure.files import File

    for path, content in (*made(), *notebook_pages.pages(ROOT / "examples")):
        files.append(File.generated(config, path, content=content))
    return files


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show references as [1]: docstrings mark them as reStructuredText does."""
    return re.sub(r"\.\. (?=\[\d+\])", "", re.sub(r"(\[\d+\])_", r"\1", html))


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put sections of CONTRIBUTING.md where a page asks for them."""
    return with_sections(markdown)
