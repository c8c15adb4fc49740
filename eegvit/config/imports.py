"""Classes that a study file may name: those with `fit`, of packages that are allowed."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from eegvit.registry import suggest

ALLOWED = ("sklearn", "pyriemann", "moabb", "mne", "braindecode", "xgboost", "eegvit")
ADDRESS = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def find_class(address: str, allowed: Collection[str] = ALLOWED) -> type:
    """Return the class that an import path names; it is imported, but neither called nor built.

    Parameters
    ----------
    address : str
        "package.module.Name" or "package.module:Name".
    allowed : collection of str
        Packages whose classes may be named.

    Examples
    --------
    >>> find_class("sklearn.svm.SVC").__name__
    'SVC'
    >>> find_class("os.system")
    Traceback (most recent call last):
    ValueError: 'os.system' is not of a package whose classes a study may name: sklearn, \
pyriemann, moabb, mne, braindecode, xgboost, eegvit. One that you trust is added on the command \
line: --allow PACKAGE
    """
    dotted = address.replace(":", ".", 1)
    if not ADDRESS.fullmatch(dotted):
        raise ValueError(f"'{address}' is no import path: it needs a module and a name")
    if not _is_of(dotted, allowed):
        raise ValueError(
            f"'{address}' is not of a package whose classes a study may name:"
            f" {', '.join(allowed)}. One that you trust is added on the command line:"
            " --allow PACKAGE"
        )
    module_name, _, name = dotted.rpartition(".")
    parts = module_name.split(".")
    if any(part.startswith("__") or part in ("tests", "conftest") for part in parts):
        raise ValueError(f"'{address}' is in no module of classes")
    module = _imported(module_name, address)
    found = getattr(module, name, None)
    if found is None:
        classes = [n for n, value in vars(module).items() if _is_estimator(value)]
        raise ValueError(f"module '{module_name}' has no '{name}'{suggest(name, classes)}")
    if not _is_estimator(found):
        raise ValueError(f"'{address}' is no class with 'fit'")
    if not _is_of(f"{found.__module__}.{name}", allowed):
        raise ValueError(
            f"'{address}' is of '{found.__module__}', which a study may not name;"
            " one that you trust is added on the command line: --allow PACKAGE"
        )
    return found


def parameter_mistakes(cls: type, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, sentence) for parameters that a class does not take, or lacks.

    Examples
    --------
    >>> list(parameter_mistakes(find_class("sklearn.svm.SVC"), {"gama": 1}))
    [('gama', "SVC has no parameter 'gama', did you mean 'gamma'?")]
    """
    try:
        known = inspect.signature(cls).parameters
    except (TypeError, ValueError):  # written in C: it says itself what it does not take
        return
    named = [n for n, p in known.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        for name in given:
            if name not in named:
                yield name, f"{cls.__name__} has no parameter '{name}'{suggest(name, named)}"
    for name in named:
        if known[name].default is inspect.Parameter.empty and name not in given:
            yield "", f"{cls.__name__} needs the parameter '{name}'"


def _imported(module: str, address: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever its own code raises
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ValueError(f"'{address}' cannot be imported: {said}") from error


def _is_of(dotted: str, packages: Collection[str]) -> bool:
    return any(dotted.startswith(f"{package}.") for package in packages)


def _is_estimator(value: Any) -> bool:
    return inspect.isclass(value) and callable(getattr(value, "fit", None))
