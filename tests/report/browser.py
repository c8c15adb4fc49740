"""A real Chromium for the tests of pages, which notes every error and every request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "BROWSER MISSING: {}. No page is tested in a browser"
SERIOUS = ("serious", "critical")


@dataclass(frozen=True)
class Browser:
    """A browser that runs.

    Parameters
    ----------
    chromium : playwright's browser
    axe : axe_playwright_python's checker
    """

    chromium: Any
    axe: Any

    @contextmanager
    def page(self, file: Path, width: int = 1440, *, dark: bool = False) -> Iterator[Any]:
        """Open a file; no error of its console and no request to the network may come of it."""
        noted = Noted()
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            offline=True,
            accept_downloads=True,
        )
        page = context.new_page()
        page.on("console", noted.console)
        page.on("pageerror", lambda error: noted.errors.append(str(error)))
        page.on("request", noted.request)
        page.goto(file.as_uri())
        yield page
        context.close()
        assert noted.errors == [] and noted.requests == []

    def serious(self, page: Any) -> list[str]:
        """Return what the accessibility checker finds serious, and where."""
        found = self.axe.run(page).response["violations"]
        return [
            f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]


@dataclass
class Noted:
    """Errors, and addresses that were asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def console(self, message: Any) -> None:
        """Note what a page complains of."""
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def request(self, request: Any) -> None:
        """Note a request that leaves the machine."""
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)


@contextmanager
def started() -> Iterator[Browser]:
    """Start the Chromium of this machine, or skip and say so."""
    reason = "install eegvit[test]: playwright, axe-playwright-python"
    playwright = pytest.importorskip("playwright.sync_api", reason=MISSING.format(reason))
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason=MISSING.format(reason)
    )
    path = os.environ.get("EEGVIT_TEST_BROWSER") or next(filter(None, map(shutil.which, NAMES)), "")
    if not path:
        pytest.skip(MISSING.format(f"none of {', '.join(NAMES)}; set EEGVIT_TEST_BROWSER"))
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Browser(chromium, axe.Axe())
        chromium.close()
