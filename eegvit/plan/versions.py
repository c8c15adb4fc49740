"""Versions of the libraries that decide what a model computes."""

from __future__ import annotations

import contextlib
from functools import cache
from importlib import metadata
from typing import Any

from eegvit import __version__
from eegvit.branches.base import ClassicalClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.pretrain import FineTunedClassifier

CLASSICAL = ("numpy", "scipy", "scikit-learn", "pyriemann")
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # import names that are not the package's name
BUILDS = {"xgboost": ("xgboost-cpu", "xgboost")}  # the names under which a package is installed


def versions_of(model: Any) -> dict[str, str]:
    """Return the versions that decide what an estimator computes.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> sorted(versions_of(DummyClassifier()))
    ['eegvit', 'numpy', 'pyriemann', 'scikit-learn', 'scipy']
    """
    return _installed(_names(model))


def versions_of_steps(pipeline: Any) -> dict[str, str]:
    """Return the versions that decide what the steps of a pipeline compute."""
    return _installed({*CLASSICAL, *_packages(pipeline)})


def _names(model: Any) -> set[str]:
    if isinstance(model, FineTunedClassifier):
        return _names(model.model)
    bases = {base.__module__ for base in type(model).__mro__}
    if "eegvit.branches.neural" in bases:
        names = {"numpy", "torch"}
        if "eegvit.branches.braindecode" in bases:
            names.add("braindecode")
        parts = model.members() if isinstance(model, FusionClassifier) else []
        return names.union(*map(_names, parts))
    pipeline = model.pipeline() if isinstance(model, ClassicalClassifier) else None
    return {*CLASSICAL, *_packages(pipeline), *_tops([model])}


def _packages(pipeline: Any) -> set[str]:
    return _tops([step for _, step in getattr(pipeline, "steps", [])])


def _tops(estimators: list[Any]) -> set[str]:
    tops = {type(estimator).__module__.partition(".")[0] for estimator in estimators}
    return {DISTRIBUTIONS.get(top, top) for top in tops - {"eegvit", "builtins"}}


def _installed(names: set[str]) -> dict[str, str]:
    return {"eegvit": __version__} | {name: version(name) for name in sorted(names)}


@cache
def version(name: str) -> str:
    """Return the version of an installed package, or "unknown"; a look-up takes milliseconds."""
    for build in BUILDS.get(name, (name,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(build)
    return "unknown"
