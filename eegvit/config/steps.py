"""Steps of a pipeline by import path: what is wrong with them, found before any is built."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from eegvit.config.document import Document, StudyErrors
from eegvit.config.imports import ALLOWED, find_class, parameter_mistakes
from eegvit.config.reading import KeyPath

Mistakes = Iterator[tuple[KeyPath, str]]


def read_steps(file: Path) -> list[Any]:
    """Return the steps that a file in MOABB's format lists under `pipeline`."""
    content = Document.read(file).value
    if not isinstance(content, dict) or "pipeline" not in content:
        raise StudyErrors([f"{file}:1: no MOABB pipeline file: it has no key 'pipeline'"])
    if not isinstance(content["pipeline"], list):
        raise StudyErrors([f"{file}:1: pipeline: expected a list of steps"])
    return content["pipeline"]


def step_mistakes(steps: Any, allowed: Collection[str] = ALLOWED) -> Mistakes:
    """Yield (path, sentence) for each mistake in a pipeline's steps.

    Parameters
    ----------
    steps : list of mappings
        What a study file says.
    allowed : collection of str
        Packages whose classes may be named.

    Examples
    --------
    >>> steps = [{"from": "sklearn.svm.SVC", "parameters": {"gama": 1}}]
    >>> list(step_mistakes(steps))
    [((0, 'parameters', 'gama'), "SVC has no parameter 'gama', did you mean 'gamma'?")]
    """
    if not isinstance(steps, list) or not steps:
        yield (), f"a pipeline needs a list of at least one step, got {steps!r}"
        return
    for i, step in enumerate(steps):
        cls = yield from object_mistakes(step, (i,), allowed)
        if cls is None:
            continue
        if i < len(steps) - 1 and not hasattr(cls, "transform"):
            yield (i,), f"{cls.__name__} has no 'transform', so it can only be the last step"
        if i == len(steps) - 1 and not hasattr(cls, "predict"):
            yield (i,), f"the last step is a classifier, and {cls.__name__} has no 'predict'"


def object_mistakes(
    description: Any, path: KeyPath, allowed: Collection[str]
) -> Generator[tuple[KeyPath, str], None, type | None]:
    """Yield mistakes of a mapping with `from`, of those within it too; return its class."""
    if wrong := shape_mistake(description):
        yield path, wrong
        return None
    cls = None
    given = description.get("parameters") or {}
    try:
        cls = find_class(address_of(description), allowed)
    except ValueError as error:
        yield (*path, "from"), str(error)
    else:
        for name, said in parameter_mistakes(cls, given):
            yield (*path, "parameters", name) if name else path, said
    if given.get("memory") is not None:
        yield (*path, "parameters", "memory"), "steps keep no files of their own: leave it out"
    for name, value in given.items():
        yield from _within(value, (*path, "parameters", name), allowed)
    return cls


def shape_mistake(description: Any) -> str | None:
    """Return why this describes no object by its import path; None if it does.

    Examples
    --------
    >>> shape_mistake({"name": "SVC"})
    "a step needs 'from', the import path of its class: {'name': 'SVC'}"
    """
    if not isinstance(description, Mapping) or "from" not in description:
        return f"a step needs 'from', the import path of its class: {description!r}"
    unknown = [key for key in description if key not in ("from", "name", "parameters")]
    if unknown:
        return (
            f"step {description['from']} has the unknown key '{unknown[0]}':"
            " a step has 'from', 'name' and 'parameters'"
        )
    given = description.get("parameters") or {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        address = address_of(description)
        return f"the parameters of {address} are no mapping of names to values: {given}"
    return None


def address_of(description: Mapping[str, Any]) -> str:
    """Return the import path of a class that stands under `from`, or `from` and `name`.

    Examples
    --------
    >>> address_of({"from": "sklearn.svm", "name": "SVC"})
    'sklearn.svm.SVC'
    """
    address = str(description["from"])
    if "name" in description and address.rpartition(".")[2] != description["name"]:
        address = f"{address}.{description['name']}"
    return address


def _within(value: Any, path: KeyPath, allowed: Collection[str]) -> Mistakes:
    """Yield mistakes of the objects that a parameter's value describes."""
    if isinstance(value, Mapping):
        if "from" in value:
            yield from object_mistakes(value, path, allowed)
            return
        for name, item in value.items():
            yield from _within(item, (*path, name), allowed)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _within(item, (*path, i), allowed)
