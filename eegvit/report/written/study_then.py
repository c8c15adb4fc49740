"""The study of a report, from its manifest alone: what it names is neither looked up nor built."""

from __future__ import annotations

import html
import re
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit.config import Card, Study
from eegvit.config.branches import COMMON, FUSED
from eegvit.config.document import Document, dotted
from eegvit.report.written.folder import Written


def study_then(report: Written) -> tuple[Study, list[str]]:
    """Return the study that a report is of, and its keys that mean nothing today.

    Parameters of models are as they were given, and are not checked: a parameter, a branch or a
    preset that is gone since changes nothing. Where the manifest has no whole cards, as those of
    format 1, a card has what the manifest says of it and no more: neither window nor band.
    """
    about = report.about
    values = dict(about["asked"]) if "asked" in about else _of_text(report)
    values |= {"path": about["study_file"], "source_text": about["study_text"]}
    gone: list[str] = []
    while True:
        try:
            return Study.model_validate(values), gone
        except ValidationError as error:
            told = error.errors(include_url=False)
            unknown = [one["loc"] for one in told if one["type"] == "extra_forbidden"]
            if not unknown:
                first = f"{dotted(told[0]['loc'])}: {told[0]['msg']}"
                raise ValueError(
                    f"{report.folder}/manifest.json: its study cannot be understood today: {first}"
                ) from None
            values = deepcopy(values)
            gone += [_taken_out(values, place) for place in unknown]


def trials_then(report: Written) -> str | None:
    """Return how trials were cut where the manifest does not tell: in the words of the old page.

    It is empty where no page tells either, and None where the manifest has whole cards.
    """
    if "asked" in report.about:
        return None
    return _fact(report, "Trials") or report.about.get("remade", {}).get("trials", "")


def _of_text(report: Written) -> dict[str, Any]:
    """Return what a manifest without values says of its study: the file, changed as typed."""
    about = report.about
    document = Document.of_text(about["study_text"], Path(about["study_file"]))
    for change in _changes(about["command"]):
        document.override(change)
    values = {str(key): value for key, value in document.value.items()}
    models = {str(name): _model(item) for name, item in values["models"].items()}
    return values | {"name": about["study"], "data": _cards(report), "models": models}


def _changes(command: str) -> list[str]:
    """Return what was given to `--set`.

    Examples
    --------
    >>> _changes("python -m eegvit.run x --set name=y --set=evaluate.seeds='[0, 1]'")
    ['name=y', 'evaluate.seeds=[0, 1]']
    """
    typed = shlex.split(command)
    apart = [after for word, after in zip(typed, typed[1:], strict=False) if word == "--set"]
    return apart + [word.removeprefix("--set=") for word in typed if word.startswith("--set=")]


def _model(item: Any) -> dict[str, Any]:
    """Return a model of a study file as values of `Model`.

    Examples
    --------
    >>> _model({"branch": ["fbcsp", "eegnet"], "fuse": "gated", "align": "none"})["parameters"]
    {'branches': ['fbcsp', 'eegnet'], 'fuse': 'gated'}
    """
    item = {"branch": "pipeline", "file": item} if isinstance(item, str) else item
    own = {str(key): value for key, value in item.items() if key not in ("branch", *COMMON)}
    branch = item["branch"]
    if isinstance(branch, list):
        branch, own = FUSED, {"branches": branch, **own}
    common = {key: item[key] for key in COMMON if item.get(key) is not None}
    return {"branch": branch, "parameters": own, **common}


def _cards(report: Written) -> list[Card]:
    titles = re.findall(r"<div>(?:<a [^>]*>)?([^<]+)", _markup(report, "Data"))
    known = report.about["data"]
    named = [html.unescape(title).strip() for title in titles if title.strip()]
    named = named if len(named) == len(known) else [""] * len(known)
    simulated = bool(report.about["simulated"])
    return [
        Card.model_construct(**one, title=title, classes=report.classes, simulated=simulated)
        for one, title in zip(known, named, strict=True)
    ]


def _fact(report: Written, name: str) -> str:
    """Return what the report's page says at its head under a name; nothing without a page."""
    return html.unescape(re.sub("<[^>]*>", "", _markup(report, name))).strip()


def _markup(report: Written, name: str) -> str:
    page = report.folder / "leaderboard.html"
    text = page.read_text("utf-8") if page.exists() else ""
    facts = text.partition('<dl class="facts">')[2].partition("</dl>")[0]
    found = re.search(rf"<dt>{name}</dt>\s*<dd>(.*?)</dd>", facts, re.DOTALL)
    return found[1] if found else ""


def _taken_out(values: Any, place: tuple[str | int, ...]) -> str:
    """Take a key out of values and return its name."""
    *path, last = place
    for part in path:
        values = values[part]
    del values[last]
    return dotted(place)
