"""The page: one HTML file with everything in it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from eegvit.report.render import render
from eegvit.report.sections import facts, sections
from eegvit.results.results import Results


def page(results: Results, about: Mapping[str, Any], *, began: float = math.nan) -> str:
    """Return the whole page.

    Parameters
    ----------
    results : Results
        What to show.
    about : mapping
        The manifest.
    began : float
        CPU time of this process when it began to write the report; the manifest says what it took
        where it was written before.
    """
    seconds = about["cpu_seconds_per_stage"].get("report", time.process_time() - began)
    return render(
        "page.html",
        results=results,
        about=about,
        facts=facts(results, about),
        sections=sections(results, about, seconds),
    )
