"""Any scikit-learn steps by import path, and MOABB's pipeline files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier
from eegvit.config import StudyErrors, load_yaml
from eegvit.registry import resolve


@dataclass(kw_only=True, eq=False, repr=False)
class PipelineClassifier(ClassicalClassifier):
    """A scikit-learn pipeline of steps named by import path.

    Steps that draw random numbers and are given no ``random_state`` draw the same each time.

    Parameters
    ----------
    steps : list of mappings or None
        Each has ``from`` (the import path of a class, or of its module with the class as
        ``name``) and optionally ``parameters``, in which a mapping with ``from`` stands for
        another object.
    file : str or None
        Instead of steps, a file in MOABB's format, with such a list under ``pipeline``.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 100)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> model = PipelineClassifier(
    ...     steps=[
    ...         {"from": "pyriemann.estimation.Covariances", "parameters": {"estimator": "oas"}},
    ...         {"from": "pyriemann.classification", "name": "MDM"},
    ...     ]
    ... )
    >>> model.fit(X, y).score(X, y)
    1.0
    """

    steps: list[dict[str, Any]] | None = None
    file: str | None = None

    def pipeline(self) -> Pipeline:
        """Return the steps, made anew."""
        if (self.steps is None) == (self.file is None):
            raise ValueError("a pipeline needs either steps or a file, and not both")
        steps = self.steps if self.steps is not None else _steps_of(str(self.file))
        if not steps:
            raise ValueError("a pipeline needs at least one step")
        if isinstance(steps, Mapping):
            raise ValueError(f"the steps of a pipeline are a list, not one mapping: {steps}")
        made = [build(step) for step in steps]
        named = [(f"{i}_{type(s).__name__.lower()}", s) for i, s in enumerate(made)]
        pipeline = Pipeline(named)
        unseeded = [
            name
            for name, value in pipeline.get_params().items()
            if value is None and name.rpartition("__")[2] == "random_state"
        ]
        return pipeline.set_params(**dict.fromkeys(unseeded, 0))


def build(description: Mapping[str, Any]) -> Any:
    """Return the object that a mapping with ``from`` describes.

    Examples
    --------
    >>> build({"from": "sklearn.svm.SVC", "parameters": {"C": 3}})
    SVC(C=3)
    """
    if not isinstance(description, Mapping) or "from" not in description:
        raise ValueError(f"a step needs 'from', the import path of its class: {description!r}")
    unknown = [key for key in description if key not in ("from", "name", "parameters")]
    if unknown:
        raise ValueError(
            f"step {description['from']} has the unknown key '{unknown[0]}':"
            " a step has 'from', 'name' and 'parameters'"
        )
    address = str(description["from"])
    if "name" in description and address.rpartition(".")[2] != description["name"]:
        address = f"{address}.{description['name']}"
    given = description.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise ValueError(f"the parameters of {address} are no mapping of names to values: {given}")
    parameters = {name: _value(value) for name, value in given.items()}
    made = resolve(address)
    try:
        return made(**parameters)
    except TypeError as error:
        raise ValueError(f"{address} does not take these parameters: {error}") from error


def _value(given: Any) -> Any:
    if isinstance(given, Mapping):
        if "from" in given:
            return build(given)
        return {key: _value(value) for key, value in given.items()}
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [_value(value) for value in given]
    return given


def _steps_of(file: str) -> list[dict[str, Any]]:
    content = load_yaml(file)
    if not isinstance(content, dict) or "pipeline" not in content:
        raise StudyErrors([f"{file}:1: no MOABB pipeline file: it has no key 'pipeline'"])
    return list(content["pipeline"])
