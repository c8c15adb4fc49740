"""What importing loads: heavy packages come only when something needs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eegvit.registry import BRANCHES, SOURCES

HEAVY = ("torch", "mne", "moabb", "braindecode", "pandas", "matplotlib")


def loaded(statement: str, names: tuple[str, ...] = HEAVY) -> set[str]:
    """Return which of the named packages a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint(*(n for n in {names!r} if n in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return set(answer.stdout.split())


def test_the_measure_sees_an_import() -> None:
    assert loaded("import yaml", ("yaml", "torch")) == {"yaml"}


def test_the_package_loads_nothing_heavy() -> None:
    assert loaded("import eegvit") == set()


@pytest.mark.parametrize(
    "module", ["eegvit.trials", "eegvit.registry", "eegvit.config", "eegvit.data"]
)
def test_the_lower_layers_load_nothing_heavy(module: str) -> None:
    assert loaded(f"import {module}") == set()


@pytest.mark.parametrize(
    ("table", "never"),
    [(BRANCHES, ("torch", "braindecode", "mne", "moabb")), (SOURCES, ("torch", "braindecode"))],
    ids=["branches", "sources"],
)
def test_signatures_are_read_without_what_fitting_needs(
    table: dict[str, str], never: tuple[str, ...]
) -> None:
    statement = "\n".join(
        [
            "import dataclasses, inspect, typing",
            "from eegvit.registry import resolve",
            f"for address in {list(table.values())!r}:",
            "    cls = resolve(address)",
            "    inspect.signature(cls)",
            "    typing.get_type_hints(cls if dataclasses.is_dataclass(cls) else cls.__init__)",
        ]
    )
    assert loaded(statement, never) == set()


def test_no_module_of_branches_loads_torch() -> None:
    statement = "\n".join(
        [
            "import importlib, pkgutil, eegvit.branches",
            "for module in pkgutil.iter_modules(eegvit.branches.__path__):",
            "    importlib.import_module(f'eegvit.branches.{module.name}')",
        ]
    )
    assert loaded(statement, ("torch", "braindecode", "mne", "moabb")) == set()
