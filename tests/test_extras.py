"""Packages that come with an extra: what needs them says which."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.config import StudyErrors, load_study
from eegvit.registry import EXTRAS, optional, resolve

ADVICE = r"braindecode is not installed: pip install 'eegvit\[braindecode\]'"


def extras(root: Path) -> dict[str, list[str]]:
    """Return the packages that each extra brings."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given: dict[str, list[str]] = project["optional-dependencies"]
    return {name: [re.split(r"[<>=;]", entry)[0] for entry in given[name]] for name in given}


@pytest.fixture
def without_braindecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let braindecode be as if it were not installed."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "braindecode"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "braindecode", None)


def test_every_extra_that_is_named_brings_its_package(root: Path) -> None:
    there = extras(root)
    assert EXTRAS
    for package, extra in EXTRAS.items():
        assert package.replace("_", "-") in there[extra]
        assert f"eegvit[{extra}]" in there["test"], "the tests need all that can be installed"


@pytest.mark.usefixtures("without_braindecode")
def test_an_estimator_names_the_extra_that_it_needs(trials: Any) -> None:
    with pytest.raises(ImportError, match=ADVICE):
        BraindecodeClassifier(epochs=1).fit(trials.X, trials.labels)
    with pytest.raises(ImportError, match=ADVICE):
        optional("braindecode.models")
    with pytest.raises(ValueError, match=f"'braindecode.EEGClassifier' cannot.*{ADVICE}"):
        resolve("braindecode.EEGClassifier")


@pytest.mark.usefixtures("without_braindecode")
def test_a_study_names_the_extra_and_the_line_before_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        "name: one\ndata: simulated\nmodels:\n  atcnet: {branch: braindecode, model: ATCNet}\n"
        "  fused: {branch: [fbcsp, {branch: braindecode}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(StudyErrors) as error:
        load_study(file)
    first, second = error.value.lines
    assert re.search(rf"study.yaml:4: models.atcnet.branch: .*{ADVICE}", first)
    assert re.search(rf"study.yaml:5: models.fused.branch.1.branch: .*{ADVICE}", second)


def test_a_study_of_other_models_needs_none(tmp_path: Path, without_braindecode: None) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("name: one\ndata: simulated\nmodels: {eegnet: {branch: eegnet}}\n", "utf-8")
    assert list(load_study(file).models) == ["eegnet"]
