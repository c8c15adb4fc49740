"""Any scikit-learn steps by import path, and MOABB's pipeline files."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier
from eegvit.config import StudyErrors
from eegvit.config.imports import ALLOWED
from eegvit.config.steps import address_of, read_steps, shape_mistake, step_mistakes
from eegvit.features.plain import used_by
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
        Instead of steps, a file in MOABB's format, with such a list under ``pipeline``, of
        classes of the packages that a study file may name.

    Notes
    -----
    For whatever scikit-learn, pyRiemann or MOABB has and no branch here is: covariances of
    event-related potentials, canonical correlation for SSVEP. Leading steps that learn nothing
    are computed once per trial.

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

    @classmethod
    def mistakes(
        cls, parameters: Mapping[str, Any], allowed: Collection[str] = ALLOWED
    ) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield (path, sentence) for what is wrong with parameters; nothing is built."""
        for path, said in step_mistakes(parameters.get("steps"), allowed):
            yield ("steps", *path), said

    def uses_of_session(self) -> frozenset[str]:
        """Return what the steps use of whom is predicted."""
        return used_by(self.pipeline())

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
    if wrong := shape_mistake(description):
        raise ValueError(wrong)
    address = address_of(description)
    given = description.get("parameters") or {}
    parameters = {name: _value(value) for name, value in given.items()}
    cls = resolve(address)
    if not inspect.isclass(cls) or not hasattr(cls, "fit"):
        raise ValueError(f"'{address}' is no class with 'fit'")
    try:
        return cls(**parameters)
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
    steps = read_steps(Path(file))
    for _, said in step_mistakes(steps):
        raise StudyErrors([f"{file}:1: {said}"])
    return steps
