"""Versions of the libraries that decide what a model computes."""

from __future__ import annotations

import contextlib
from functools import cache
from importlib import metadata
from typing import Any

from eegvit import __version__
from eegvit.branches.base import about
from eegvit.features.plain import packages_of

BUILDS = {"xgboost": ("xgboost-cpu", "xgboost")}  # the names under which a package is installed


def versions_of(model: Any) -> dict[str, str]:
    """Return the versions that decide what an estimator computes.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> sorted(versions_of(DummyClassifier()))
    ['eegvit', 'numpy', 'pyriemann', 'scikit-learn', 'scipy']
    """
    return _installed(about(model).packages())


def versions_of_steps(pipeline: Any) -> dict[str, str]:
    """Return the versions that decide what the steps of a pipeline compute."""
    return _installed(packages_of(pipeline))


def _installed(names: frozenset[str]) -> dict[str, str]:
    return {"eegvit": __version__} | {name: version(name) for name in sorted(names)}


@cache
def version(name: str) -> str:
    """Return the version of an installed package, or "unknown"; a look-up takes milliseconds."""
    for build in BUILDS.get(name, (name,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(build)
    return "unknown"
