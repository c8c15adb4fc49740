"""A hash of the source files that decide a number, so that no forgotten version serves old ones."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NAMED = re.compile(r'"(eegvit(?:\.\w+)+):\w+"')  # in a table of classes
IMPORT = re.compile(r"^\s*from (eegvit[\w.]*) import (?:\(([^)]*)\)|([^\n#]*))", re.MULTILINE)
APART = (  # modules that carry, keep and describe, and decide no number
    "eegvit",
    "eegvit.config",
    "eegvit.data.cache",
    "eegvit.progress",
    "eegvit.registry",
    "eegvit.sealed",
    "eegvit.source_code",
    "eegvit.tasks",
)


def hash_of_code(modules: Iterable[str]) -> str:
    """Return a hash of modules and of all that they import within eegvit, at whatever depth.

    Modules of other packages count by themselves: their versions are known elsewhere.

    Examples
    --------
    >>> one = hash_of_code(["eegvit.features.csp"])
    >>> one == hash_of_code(["eegvit.features.csp"]), one == hash_of_code(["eegvit.features.sums"])
    (True, False)
    """
    digest = hashlib.sha256()
    for name in sorted(imported_by(frozenset(modules))):
        digest.update(f"{name}\n{_hash_of_file(name)}\n".encode())
    return digest.hexdigest()


@cache
def imported_by(modules: frozenset[str]) -> frozenset[str]:
    """Return modules and those of eegvit that they import, at whatever depth.

    Examples
    --------
    >>> "eegvit.networks.eegnet" in imported_by(frozenset(["eegvit.branches.eegnet"]))
    True
    """
    found: set[str] = set()
    left = {name for name in modules if not _is_apart(name)}
    while left:
        name = left.pop()
        found.add(name)
        if name.startswith("eegvit."):
            left |= {other for other in _imports(name) if not _is_apart(other)} - found
    return frozenset(found)


@cache
def _imports(name: str) -> frozenset[str]:
    """Return the modules of eegvit that a module names in its imports."""
    path = _file(name)
    if path is None:
        return frozenset()
    text = path.read_text(encoding="utf-8")
    found = set(NAMED.findall(text))
    for package, several, one in IMPORT.findall(text):
        found.add(package)
        names = (word.split(" as ")[0].strip() for word in (several or one).split(","))
        found |= {f"{package}.{word}" for word in names if _file(f"{package}.{word}") is not None}
    return frozenset(found)


@cache
def _hash_of_file(name: str) -> str:
    path = _file(name)
    return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _file(name: str) -> Path | None:
    """Return the file of a module, without importing one of eegvit."""
    first, *rest = name.split(".")
    if first != "eegvit":
        module = sys.modules.get(name) or importlib.import_module(name)
        path = Path(getattr(module, "__file__", None) or "")  # a notebook has none
        return path if path.is_file() else None
    whole = ROOT.joinpath(*rest)
    for path in (whole.with_suffix(".py") if rest else whole, whole / "__init__.py"):
        if path.is_file():
            return path
    return None


def _is_apart(name: str) -> bool:
    return name in APART or any(name.startswith(f"{other}.") for other in APART[1:])
