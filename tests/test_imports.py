"""What importing loads: heavy packages come only when something needs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
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


FILES = """
data:
  name: folder
  source: files
  classes: [left, right]
  window: [0.0, 1.0]
  options: {root: ., pattern: "{subject}-epo.fif", events: {left: left, right: right}}
"""
SIMULATED = """
data:
  card: simulated
  subjects: [1, 2]
  options: {n_sessions: 1, n_trials: 16, n_runs: 2}
"""
CLASSICAL = """
name: light
evaluate: {protocol: cross_subject}
models:
  chance: {branch: chance}
  csp: {branch: csp_lda}
  fbcsp: {branch: fbcsp}
  mdm: {branch: mdm}
  tangent: {branch: tangent_space}
ensembles:
  average: {of: [csp, tangent]}
"""
NEURAL = """
name: light
evaluate: {protocol: cross_subject}
models: {eegnet: {branch: eegnet, epochs: 1}}
"""
STAND_IN = """
import pathlib
with open(pathlib.Path(__file__).parents[1] / "asked_for", "a") as file:
    print(__name__, file=file)
raise ImportError(f"{__name__} is not here")
"""


def asked_for(study: str, folder: Path, *options: str) -> set[str]:
    """Run a study; return which of the packages it or its workers tried to import."""
    for name in ("torch", "moabb", "braindecode"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text(STAND_IN, encoding="utf-8")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "eegvit.run", "study.yaml", "--jobs", "1", *options]
    said = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), root]),
            "EEGVIT_CACHE": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    noted = folder / "asked_for"
    found = set(noted.read_text(encoding="utf-8").split()) if noted.exists() else set()
    assert found or said.returncode == 0, said.stdout + said.stderr
    return found


def test_a_classical_study_of_simulated_people_loads_no_torch(tmp_path: Path) -> None:
    assert asked_for(SIMULATED + CLASSICAL, tmp_path, "--dry-run") == set()
    assert asked_for(SIMULATED + CLASSICAL, tmp_path) == set()
    assert (tmp_path / "reports" / "light" / "leaderboard.csv").exists()
    found = asked_for(SIMULATED + NEURAL, tmp_path, "--overwrite")
    assert found == {"torch"}, "the measure sees nothing"


def test_a_classical_study_of_files_loads_no_torch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    info = mne.create_info(["C3", "Cz", "C4", "Pz"], 128.0, "eeg")
    for person in ("a", "b"):
        events = np.c_[np.arange(16), np.zeros(16, int), np.arange(16) % 2 + 1]
        signals = 1e-5 * rng.standard_normal((16, 4, 129))
        epochs = mne.EpochsArray(
            signals, info, events, event_id={"left": 1, "right": 2}, verbose="error"
        )
        epochs.save(tmp_path / f"{person}-epo.fif", verbose="error")
    assert asked_for(FILES + CLASSICAL, tmp_path) == set()
    assert (tmp_path / "reports" / "light" / "leaderboard.csv").exists()
