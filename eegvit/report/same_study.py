"""Whether a folder holds the report of another study, which is never replaced unasked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from eegvit.config import Study

BY_NAME = ("models", "ensembles")  # of which more may come
BESIDE = ("description", "reference", "controls")  # which change no score of another row


def asked(study: Study) -> dict[str, Any]:
    """Return what a study asks for, defaults left out: the same whatever its file looks like."""
    left_out = {"path", "source_text"}
    said: dict[str, Any] = _placeless(
        study.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
    )
    return said


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the keys by which two studies differ; models that only one has are none.

    Examples
    --------
    >>> before = {"align": "none", "models": {"a": 1, "b": 2}}
    >>> changes(before, {"align": "none", "models": {"a": 1, "b": 3, "c": 4}})
    ['models.b']
    """
    found = []
    for key in dict.fromkeys((*before, *now)):
        here, there = before.get(key), now.get(key)
        if key in BY_NAME:
            here, there = here or {}, there or {}
            both = [name for name in here if name in there]
            found += [f"{key}.{name}" for name in both if here[name] != there[name]]
        elif key not in BESIDE and here != there:
            found += [f"{key}.{part}" for part in _parts(here, there)] or [key]
    return found


def refuse_another(folder: Path, study: Study) -> None:
    """Raise an error if the folder holds the report of another study.

    Another one has other data, another protocol, or a model of the same name that is another;
    a study that has gained models or ensembles is the same.
    """
    file = folder / "manifest.json"
    if not file.exists():
        return
    try:
        about = json.loads(file.read_text("utf-8"))
        told = about["study_text"], about.get("asked")
    except (ValueError, KeyError, TypeError, OSError):
        raise _refusal(folder, "its manifest.json cannot be read") from None
    text, before = told
    if before is None:  # written before studies were kept as values
        if text != study.source_text:
            raise _refusal(folder, "its study file says something else")
        return
    now = asked(study)
    different = changes(before, now)
    gone = [
        f"{key}.{name}"
        for key in BY_NAME
        for name in before.get(key, {})
        if name not in now.get(key, {})
    ]
    if different or gone:
        said = [f"{key} differs" for key in different] + [f"{name} is gone" for name in gone]
        more = f" and {len(said) - 4} more" if len(said) > 4 else ""
        raise _refusal(folder, ", ".join(said[:4]) + more)


def _placeless(value: Any) -> Any:
    """Return values without the folders that files were found in."""
    if isinstance(value, dict):
        kept = {key: _placeless(part) for key, part in value.items() if key != "origin"}
        if isinstance(kept.get("weights"), str):
            kept["weights"] = PurePath(kept["weights"]).name
        return kept
    return [_placeless(part) for part in value] if isinstance(value, list | tuple) else value


def _parts(here: Any, there: Any) -> list[str]:
    if not isinstance(here, dict) or not isinstance(there, dict):
        return []
    return [k for k in dict.fromkeys((*here, *there)) if here.get(k) != there.get(k)]


def _refusal(folder: Path, why: str) -> ValueError:
    return ValueError(
        f"{folder} holds the report of another study of this name: {why}. Give the study another"
        " `name`, choose another folder by --out, or replace the report with --overwrite"
        " (`overwrite=True` from Python)"
    )
