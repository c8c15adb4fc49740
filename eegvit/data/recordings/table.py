"""A table that says of which class each recording is."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eegvit.data.folders import RecordingFile, same_name
from eegvit.registry import suggest

_KEYS = ("file", "subject", "session", "run")


def with_labels(files: Sequence[RecordingFile], table: Path, root: Path) -> list[RecordingFile]:
    """Return the recordings with the label that the table's column `class` gives each.

    Its other columns, one or more of file, subject, session and run, say which recording a row
    is about. It is separated by tabs, if it is called .tsv, or by commas or semicolons.
    """
    rows = _rows(table)
    keys = [key for key in _KEYS if key in rows[0]]
    labelled = []
    for file in files:
        labels = {row["class"] for row in rows if all(_about(row, key, file, root) for key in keys)}
        if len(labels) != 1:
            found = f"several ({', '.join(sorted(labels))})" if labels else "none"
            raise ValueError(
                f"{table}: each recording needs one class, {file.path} has {found}; rows are"
                f" found by {', '.join(keys)}"
            )
        (label,) = labels
        labelled.append(replace(file, label=label))
    return labelled


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise FileNotFoundError(f"{table}: the table of classes is missing")
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{table}: is not a table of text in UTF-8: {error}") from None
    head = text.partition("\n")[0]
    mark = "\t" if table.suffix == ".tsv" else max(",;", key=head.count)
    reader = csv.DictReader(text.splitlines(), delimiter=mark, restval="")
    columns = [str(column).strip() for column in reader.fieldnames or []]
    reader.fieldnames = columns
    rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    if "class" not in columns or not set(_KEYS) & set(columns) or not rows:
        raise ValueError(
            f"{table}: a table of classes has rows, a column `class`, and one or more of"
            f" {', '.join(_KEYS)}; its columns are {', '.join(columns) or 'none'}"
            f"{suggest('class', columns) if columns and 'class' not in columns else ''}"
        )
    return rows


def _about(row: dict[str, str], key: str, file: RecordingFile, root: Path) -> bool:
    if key == "file":
        return row[key] in {file.path.name, file.path.relative_to(root).as_posix()}
    return same_name(row[key], [getattr(file, key)]) is not None
