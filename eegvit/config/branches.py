"""Models in a study file: a branch, or a list of branches that are fused, with parameters."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit import registry
from eegvit.config.around import read_adapt, read_distill, read_prune
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.imports import ALLOWED, find_class
from eegvit.config.models import Model
from eegvit.config.presets import read_preset
from eegvit.config.pretraining import read_pretrain
from eegvit.config.signature import complaints, read_parameters
from eegvit.config.steps import read_steps

COMMON = (
    "align",
    "view",
    "recentre",
    "seeds",
    "trained_on",
    "pretrain",
    "prune",
    "distill",
    "adapt",
)  # keys of a model that are no parameters of its branch
FUSED = "fusion"  # what a list of branches is
OF_PRESETS = "efficientvit"  # the branch whose preset may be a file


def read_model(
    document: Document, path: KeyPath, item: Any, file: Path, errors: list[str],
    allowed: Collection[str] = ALLOWED,
) -> Model | None:  # fmt: skip
    """Return the model that a study describes at a path, or add to the errors.

    Parameters
    ----------
    document : Document
        The study file.
    path : tuple
        Where it says so.
    item : str or mapping
        What it says.
    file : Path
        The study file's path, near which other files are looked for.
    errors : list of str
        Where mistakes are noted.
    allowed : collection of str
        Packages whose classes it may name.
    """
    if isinstance(item, str):
        item = {"branch": "pipeline", "file": item}
    if not isinstance(item, dict) or "branch" not in item:
        errors.append(document.error(path, "expected a mapping with 'branch'"))
        return None
    before = len(errors)
    own = {key: value for key, value in item.items() if key not in COMMON}
    read = _branch(document, path, own, file, errors, allowed, extra=("branch", *COMMON))
    if read is None:
        return None
    branch, parameters = read
    common = {key: item[key] for key in COMMON if item.get(key) is not None}
    if "pretrain" in common:
        cls = registry.branch_class(branch)
        common["pretrain"] = read_pretrain(
            document, (*path, "pretrain"), common["pretrain"], cls, parameters, errors
        )
    if "prune" in common:
        cls = registry.branch_class(branch)
        common["prune"] = read_prune(document, (*path, "prune"), common["prune"], cls, errors)
    if "distill" in common:
        cls = registry.branch_class(branch)
        common["distill"] = read_distill(
            document, (*path, "distill"), common["distill"], cls, errors
        )
        if "pretrain" in common:
            text = "a pretrained model is not distilled: give one of the two"
            errors.append(document.error((*path, "distill"), text))
    if "adapt" in common:
        cls = registry.branch_class(branch)
        common["adapt"] = read_adapt(document, (*path, "adapt"), common["adapt"], cls, errors)
    try:
        model = Model.model_validate({"branch": branch, "parameters": parameters, **common})
    except ValidationError as error:
        errors += [document.error((*path, *at), text) for at, text in complaints(error, Model)]
        return None
    return model if len(errors) == before else None


def _branch(
    document: Document, path: KeyPath, item: Mapping[str, Any], file: Path, errors: list[str],
    allowed: Collection[str], extra: tuple[str, ...] = ("branch",), here: KeyPath = (),
) -> tuple[str, dict[str, Any]] | None:  # fmt: skip
    """Return a branch's name and its parameters, checked; a list of branches is a fused one."""
    branch = item["branch"]
    given = {str(key): value for key, value in item.items() if key != "branch"}
    here = here or (*path, "branch")
    if isinstance(branch, list):
        given, branch = {"branches": branch, **given}, FUSED
        if "branches" in item:
            errors.append(document.error((*path, "branches"), "the list is given as 'branch'"))
            return None
    elif branch == FUSED and isinstance(given.get("branches"), list):
        here = (*path, "branches")
    cls = _class(branch, document, here, errors, allowed)
    if cls is None:
        return None
    if branch == "pipeline" and given.get("file") is not None:
        if "steps" in given:
            errors.append(document.error((*path, "file"), "give either steps or a file"))
            return None
        try:
            given["steps"] = read_steps(find("pipelines", str(given.pop("file")), file))
        except StudyErrors as error:
            errors += [document.error((*path, "file"), line) for line in error.lines]
            return None
    before = len(errors)
    if branch == OF_PRESETS:
        given = read_preset(document, path, given, file, errors)
    missing = [package for package in getattr(cls, "needs", ()) if not registry.installed(package)]
    if missing:
        errors.append(document.error(here, f"branch '{branch}': {registry.absence(missing[0])}"))
        return None
    members = given.get("branches")
    if branch == FUSED and isinstance(members, list):
        given["branches"] = _members(document, here, members, file, errors, allowed)
    checked = read_parameters(document, cls, given, path, errors, extra)
    if len(errors) == before and branch in registry.BRANCHES:
        errors += [
            document.error((*path, *at), text)
            for at, text in _mistakes(cls, checked, here[len(path) :], allowed)
        ]
    return branch, checked


def _class(
    branch: Any, document: Document, here: KeyPath, errors: list[str], allowed: Collection[str]
) -> Any:
    """Return the class of a name or of an import path, or add to the errors."""
    if isinstance(branch, str) and branch in registry.BRANCHES:
        return registry.lookup(registry.BRANCHES, branch)
    if isinstance(branch, str) and ":" in branch:
        try:
            return find_class(branch, allowed)
        except ValueError as error:
            errors.append(document.error(here, str(error)))
            return None
    others = registry.registered(registry.BRANCHES)
    if not isinstance(branch, str) or branch not in others:
        hint = registry.suggest(str(branch), [*registry.BRANCHES, *others])
        errors.append(document.error(here, f"unknown branch '{branch}'{hint}"))
        return None
    try:
        found = registry.resolve(others[branch])
    except Exception as error:  # whatever the package of an entry point raises
        said = f"'{branch}' is registered by another package: {error}"
        errors.append(document.error(here, said))
        return None
    if not inspect.isclass(found) or not callable(getattr(found, "fit", None)):
        errors.append(document.error(here, f"'{branch}' is registered, but is no class with 'fit'"))
        return None
    return found


def _mistakes(
    cls: Any, parameters: Mapping[str, Any], here: KeyPath, allowed: Collection[str]
) -> list[tuple[KeyPath, str]]:
    """Return (path, sentence) for what a branch of this package finds wrong, without a fit."""
    if hasattr(cls, "members"):
        if not all(part["branch"] in registry.BRANCHES for part in parameters.get("branches", ())):
            return []  # one of another package would have to be built
        try:
            cls(**parameters).members()
        except (ValueError, TypeError) as error:
            return [(here, str(error))]
    if hasattr(cls, "mistakes"):
        return list(cls.mistakes(parameters, allowed))
    return []


def _members(
    document: Document, path: KeyPath, given: Sequence[Any], file: Path, errors: list[str],
    allowed: Collection[str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return branches that are fused, each a mapping with 'branch' and its own parameters."""
    members = []
    for i, item in enumerate(given):
        here = (*path, i) if isinstance(item, str) else (*path, i, "branch")
        item = {"branch": item} if isinstance(item, str) else item
        if not isinstance(item, dict) or "branch" not in item:
            sentence = f"expected a branch's name or a mapping with 'branch', got {item!r}"
            errors.append(document.error((*path, i), sentence))
            continue
        if isinstance(item["branch"], str) and ":" in item["branch"]:
            sentence = "a fused model's branches are named; one by its import path stands alone"
            errors.append(document.error(here, sentence))
            continue
        for key in COMMON:
            if key in item:
                sentence = f"'{key}' is one for all branches: it stands beside the list"
                errors.append(document.error((*path, i, key), sentence))
        own = {key: value for key, value in item.items() if key not in COMMON}
        read = _branch(document, (*path, i), own, file, errors, allowed, here=here)
        if read is not None:
            members.append({"branch": read[0], **read[1]})
    return members
