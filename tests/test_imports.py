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


def test_signatures_of_all_branches_and_sources_are_read_without_torch_and_mne() -> None:
    addresses = [*BRANCHES.values(), *SOURCES.values()]
    statement = "\n".join(
        [
            "import inspect, typing",
            "from eegvit.registry import resolve",
            f"for address in {addresses!r}:",
            "    cls = resolve(address)",
            "    inspect.signature(cls), typing.get_type_hints(cls)",
        ]
    )
    assert loaded(statement, ("torch", "braindecode", "mne", "moabb")) == set()


@pytest.mark.parametrize("address", sorted(set(BRANCHES.values())))
def test_a_branch_module_alone_loads_no_torch(address: str) -> None:
    module = address.partition(":")[0]
    assert loaded(f"import {module}", ("torch", "braindecode", "mne", "moabb")) == set()
