"""One index of all reports in a folder, with the best rows of each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from eegvit.report import words
from eegvit.report.render import breakable, render
from eegvit.report.tables.table import Body, Cell, Column, Row, Table
from eegvit.report.written.folder import protocol_of, read_csv
from eegvit.results.statistics.intervals import FEWEST
from eegvit.sealed import replacing

SIMULATED = Markup('<span class="badge">SIMULATED</span>')


@dataclass(frozen=True)
class Listed:
    """A report of the index: what its manifest and its leaderboard say.

    Parameters
    ----------
    folder : str
        Its name.
    about : mapping
        The manifest.
    best : sequence of mapping
        Of leaderboard.csv, the rows of rank 1 of each target use; a guesser is none.
    """

    folder: str
    about: Mapping[str, Any]
    best: Sequence[Mapping[str, str]]


def write_index(root: str | Path, *, command: str = "") -> Path:
    """Write `index.html` into a folder of reports and return its path.

    Parameters
    ----------
    root : str or Path
        The folder that holds a folder for each report.
    command : str
        What the user typed.
    """
    folder = Path(root)
    listed, left_out = found(folder)
    if not listed:
        why = f": {left_out[0]}" if left_out else ""
        raise ValueError(f"{folder} holds no folder of a report that can be read{why}")
    page = render(
        "index.html",
        n_studies=len(listed),
        table=_table(listed),
        left_out=left_out,
        command=command,
    )
    with replacing(folder / "index.html") as file:
        file.write(str(page).encode())
    return folder / "index.html"


def found(root: Path) -> tuple[list[Listed], list[str]]:
    """Return the reports in a folder by name, and what could not be read, in sentences."""
    listed, left_out = [], []
    for file in sorted(root.glob("*/manifest.json")):
        try:
            about = json.loads(file.read_text("utf-8"))
            rows = read_csv(file.parent / "leaderboard.csv")
            best = [row for row in rows if row["rank"] == "1" and row["branch"] != "chance"]
            _described(about)  # fails here where the manifest is that of something else
            listed.append(Listed(file.parent.name, about, best))
        except OSError as error:
            name = Path(error.filename or file).name
            left_out.append(f"{file.parent.name} could not be read: {name}: {error.strerror}.")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            left_out.append(f"{file.parent.name} could not be read: {error!r}.")
    return listed, left_out


def _table(listed: Sequence[Listed]) -> Table:
    columns = (
        Column("Study", "study", left=True),
        Column("Protocol", "protocol", left=True),
        Column("People", "people", first="descending"),
        Column("Target use", "target", left=True),
        Column("Best row", "model", left=True),
        Column("Score", "score", first="descending"),
        Column("95 % interval", "interval", first="descending"),
        Column("Chance", "chance"),
        Column("Written", "written", first="descending"),
    )
    bodies = []
    for title, simulated in (("Recorded people", False), ("Simulated people", True)):
        rows = [
            row for one in listed if bool(one.about["simulated"]) == simulated for row in _rows(one)
        ]
        about = "These say nothing about real people." if simulated else ""
        bodies += [Body(tuple(rows), title, about)] if rows else []
    return Table("Reports and the best rows of each", columns, "index", tuple(bodies))


def _rows(one: Listed) -> list[Row]:
    """Return a row for each target use of a report, or one that says that no model was ranked."""
    about, (protocol, people, data) = one.about, _described(one.about)
    link = Markup('<a href="{}/leaderboard.html">{}</a>').format(
        quote(one.folder), breakable(one.folder)
    )
    name = link + Markup(" ") + SIMULATED if about["simulated"] else link
    shared = (
        Cell(name, (data,), kind="name", value=one.folder, head=True),
        Cell(protocol, kind="name", value=protocol),
        Cell(people, value=people),
    )
    written = Cell(about["written"][:10], value=about["written"])
    if not one.best:
        none = [Cell(words.NOTHING, kind="name"), Cell("no model has a rank", kind="name")]
        return [Row((*shared, *none, *[Cell(words.NOTHING)] * 3, written))]
    return [Row((*shared, *_best(row), written)) for row in one.best]


def _best(row: Mapping[str, str]) -> list[Cell]:
    metric = row["metric"]
    mean, low, high, chance = (
        float(row[name]) if row[name] else math.nan
        for name in ("mean", "ci_low", "ci_high", "chance")
    )
    interval = f"{words.score(metric, low)}–{words.score(metric, high)}"
    known = not math.isnan(low) and int(row["n_subjects"]) >= FEWEST
    return [
        Cell(row["target"], kind="name", value=row["target"]),
        Cell(row["model"], (row["branch"],), kind="name", value=row["model"]),
        Cell(words.score(metric, mean), (words.METRIC_NAMES[metric],), kind="big", value=mean),
        Cell(interval if known else words.NOTHING, value=low if known else None),
        Cell(words.score(metric, chance), value=chance),
    ]


def _described(about: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return protocol, number of people and data of a report's study."""
    data = ", ".join(str(one["name"]) for one in about["data"])
    return protocol_of(about).replace("_", "-"), int(about["n_subjects"]), data
