"""Classes and functions that a decoder may be made of: no file can name another."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from eegvit.config.imports import find_class

PACKAGES = (
    "eegvit.branches",
    "eegvit.compress",
    "eegvit.ensemble",
    "eegvit.features",
    "eegvit.preprocess",
    "eegvit.pretrain",
    "mne.decoding",
    "moabb.pipelines",
    "pyriemann",
    "sklearn",
    "xgboost",
)
PARTS = (  # without `fit`, so that they are named one by one
    "eegvit.branches.fusion.features:FeaturesBeside",
    "eegvit.ensemble.meta:MetaLearner",
    "eegvit.ensemble.rules:Combiner",
)
FUNCTIONS = ("eegvit.branches", "eegvit.features", "eegvit.preprocess")


def class_of(address: str, allowed: Collection[str] = ()) -> type:
    """Return the class of an address in a decoder; it is imported, not called.

    Parameters
    ----------
    address : str
        "package.module:Name".
    allowed : collection of str
        Packages that are trusted beside those of `PACKAGES`.

    Examples
    --------
    >>> class_of("sklearn.svm:SVC").__name__
    'SVC'
    >>> class_of("subprocess:Popen")
    Traceback (most recent call last):
    ValueError: 'subprocess:Popen' is no class that a decoder may be made of; a package that you \
trust is added by --allow PACKAGE
    """
    if address in PARTS:
        module, _, name = address.partition(":")
        part: type = getattr(importlib.import_module(module), name)
        return part
    packages = (*PACKAGES, *allowed)
    if not any(address.startswith((f"{package}.", f"{package}:")) for package in packages):
        raise ValueError(
            f"'{address}' is no class that a decoder may be made of; a package that you trust is"
            " added by --allow PACKAGE"
        )
    return find_class(address, packages)


def function_of(address: str) -> Callable[..., Any]:
    """Return the function of an address in a decoder: one of numpy's or of this package.

    Examples
    --------
    >>> function_of("numpy:log")(1.0)
    np.float64(0.0)
    >>> function_of("os:system")
    Traceback (most recent call last):
    ValueError: 'os:system' is no function that a decoder may call
    """
    module, _, name = address.partition(":")
    found: Any = None
    if module == "numpy":
        found = getattr(np, name, None)
        known = isinstance(found, np.ufunc)
    else:
        ours = any(f"{module}.".startswith(f"{package}.") for package in FUNCTIONS)
        found = getattr(importlib.import_module(module), name, None) if ours else None
        known = inspect.isfunction(found) and found.__module__ == module
    if not known:
        raise ValueError(f"'{address}' is no function that a decoder may call")
    function: Callable[..., Any] = found
    return function


def address_of(thing: Any) -> str:
    """Return the address of a class or function.

    Examples
    --------
    >>> address_of(address_of), address_of(np.log)
    ('eegvit.deploy.classes:address_of', 'numpy:log')
    """
    if isinstance(thing, np.ufunc):
        return f"numpy:{thing.__name__}"
    return f"{thing.__module__}:{thing.__qualname__}"
