"""Models in a study file: a branch, or a list of branches that are fused, with parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit import registry
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.models import Model
from eegvit.config.pretraining import read_pretrain
from eegvit.config.signature import complaints, read_parameters

COMMON = (
    "align",
    "view",
    "recentre",
    "pretrain",
)  # keys of a model that are no parameters of its branch
FUSED = "fusion"  # what a list of branches is


def read_model(
    document: Document, path: KeyPath, item: Any, file: Path, errors: list[str]
) -> Model | None:
    """Return the model that a study describes at a path, or add to the errors."""
    if isinstance(item, str):
        item = {"branch": "pipeline", "file": item}
    if not isinstance(item, dict) or "branch" not in item:
        errors.append(document.error(path, "expected a mapping with 'branch'"))
        return None
    before = len(errors)
    own = {key: value for key, value in item.items() if key not in COMMON}
    read = _branch(document, path, own, file, errors, extra=("branch", *COMMON))
    if read is None:
        return None
    branch, parameters = read
    common = {key: item[key] for key in COMMON if item.get(key) is not None}
    if "pretrain" in common:
        cls = registry.lookup(registry.BRANCHES, branch)
        common["pretrain"] = read_pretrain(
            document, (*path, "pretrain"), common["pretrain"], cls, errors
        )
    try:
        model = Model.model_validate({"branch": branch, "parameters": parameters, **common})
    except ValidationError as error:
        errors += [document.error((*path, *at), text) for at, text in complaints(error, Model)]
        return None
    return model if len(errors) == before else None


def _branch(
    document: Document, path: KeyPath, item: Mapping[str, Any], file: Path, errors: list[str],
    extra: tuple[str, ...] = ("branch",), here: KeyPath = (),
) -> tuple[str, dict[str, Any]] | None:  # fmt: skip
    """Return a branch's name and its parameters, checked; a list of branches is a fused one."""
    branch = item["branch"]
    given = {key: value for key, value in item.items() if key != "branch"}
    here = here or (*path, "branch")
    if isinstance(branch, list):
        given, branch = {"branches": branch, **given}, FUSED
        if "branches" in item:
            errors.append(document.error((*path, "branches"), "the list is given as 'branch'"))
            return None
    elif branch == FUSED and isinstance(given.get("branches"), list):
        here = (*path, "branches")
    if not isinstance(branch, str) or branch not in registry.BRANCHES:
        hint = registry.suggest(str(branch), registry.BRANCHES)
        errors.append(document.error(here, f"unknown branch '{branch}'{hint}"))
        return None
    if branch == "pipeline" and isinstance(given.get("file"), str):
        try:
            given = {"steps": _moabb_steps(given["file"], file)}
        except StudyErrors as error:
            errors.append(document.error((*path, "file"), str(error)))
            return None
    cls = registry.lookup(registry.BRANCHES, branch)
    missing = [package for package in getattr(cls, "needs", ()) if not registry.installed(package)]
    if missing:
        errors.append(document.error(here, f"branch '{branch}': {registry.absence(missing[0])}"))
        return None
    before = len(errors)
    members = given.get("branches")
    if branch == FUSED and isinstance(members, list):
        given["branches"] = _members(document, here, members, file, errors)
    checked = read_parameters(document, cls, given, path, errors, extra)
    if branch == FUSED and len(errors) == before:
        try:
            cls(**checked).members()
        except ValueError as error:
            errors.append(document.error(here, str(error)))
    return branch, checked


def _members(
    document: Document, path: KeyPath, given: Sequence[Any], file: Path, errors: list[str]
) -> list[dict[str, Any]]:
    """Return branches that are fused, each a mapping with 'branch' and its own parameters."""
    members = []
    for i, item in enumerate(given):
        here = (*path, i) if isinstance(item, str) else (*path, i, "branch")
        item = {"branch": item} if isinstance(item, str) else item
        if not isinstance(item, dict) or "branch" not in item:
            sentence = f"expected a branch's name or a mapping with 'branch', got {item!r}"
            errors.append(document.error((*path, i), sentence))
            continue
        for key in COMMON:
            if key in item:
                sentence = f"'{key}' is one for all branches: it stands beside the list"
                errors.append(document.error((*path, i, key), sentence))
        own = {key: value for key, value in item.items() if key not in COMMON}
        read = _branch(document, (*path, i), own, file, errors, here=here)
        if read is not None:
            members.append({"branch": read[0], **read[1]})
    return members


def _moabb_steps(name: str, file: Path) -> list[Any]:
    found = find("pipelines", name, file)
    content = Document.read(found).value
    if not isinstance(content, dict) or "pipeline" not in content:
        raise StudyErrors([f"{found}: no MOABB pipeline file: it has no key 'pipeline'"])
    return list(content["pipeline"])
