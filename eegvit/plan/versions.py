"""Versions of the libraries, and of the source files, that decide what a model computes."""

from __future__ import annotations

import contextlib
import sys
from functools import cache
from importlib import metadata
from typing import Any

from eegvit import __version__
from eegvit.branches.base import about
from eegvit.features.plain import packages_of
from eegvit.source_code import hash_of_code

VERSIONED = {"sklearn", "pyriemann", "mne", "moabb", "braindecode", "xgboost", "torch"}
BUILDS = {"xgboost": ("xgboost-cpu", "xgboost")}  # the names under which a package is installed


def versions_of(model: Any) -> dict[str, str]:
    """Return the versions that decide what an estimator computes.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> sorted(versions_of(DummyClassifier()))
    ['eegvit', 'numpy', 'pyriemann', 'scikit-learn', 'scipy', 'source code']
    """
    return _installed(about(model).packages()) | {"source code": code_of(model)}


def versions_of_steps(pipeline: Any) -> dict[str, str]:
    """Return the versions that decide what the steps of a pipeline compute."""
    return _installed(packages_of(pipeline)) | {"source code": code_of(pipeline)}


def _installed(names: frozenset[str]) -> dict[str, str]:
    return {"eegvit": __version__} | {name: version(name) for name in sorted(names)}


@cache
def version(name: str) -> str:
    """Return the version of an installed package, or "unknown"; a look-up takes milliseconds."""
    for build in BUILDS.get(name, (name,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(build)
    return "unknown"


def code_of(model: Any) -> str:
    """Return a hash of the source files that decide what an estimator computes.

    Those are the modules of its class and of all that it is built of, and what these import
    within eegvit. Of other packages the version counts, see `versions_of`; a module of no
    installed package counts by its file.

    Examples
    --------
    >>> from eegvit.branches.csp import CSPLDAClassifier
    >>> from eegvit.branches.mdm import MDMClassifier
    >>> code_of(CSPLDAClassifier()) == code_of(CSPLDAClassifier(n_components=2))
    True
    >>> code_of(CSPLDAClassifier()) == code_of(MDMClassifier())
    False
    """
    return hash_of_code(_modules(model))


def _modules(model: Any) -> set[str]:
    names = {name for cls in type(model).__mro__ if _counts(name := cls.__module__)}
    parts = [*model.get_params(deep=True).values()] if hasattr(model, "get_params") else []
    if hasattr(model, "members") and callable(model.members):  # branches of a fused model
        parts += model.members()
    if hasattr(model, "pipeline") and callable(model.pipeline):
        parts += [step for _, step in model.pipeline().steps]
    return names.union(*(_modules(part) for part in parts if hasattr(part, "get_params")))


def _counts(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "eegvit":
        return True
    return top not in sys.stdlib_module_names and top not in VERSIONED and version(top) == "unknown"
