"""Lists of branches in a study file: what they become, and each mistake with its line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eegvit.config import Model, StudyErrors, load_study

HEAD = (
    "name: demo\ndata: {name: d, source: simulated, classes: [a, b], window: [0, 2]}\nmodels:\n  "
)


def load(tmp_path: Path, models: str) -> Any:
    path = tmp_path / "demo.yaml"
    path.write_text(HEAD + models)
    return load_study(path)


def test_a_list_is_a_fused_model(tmp_path: Path) -> None:
    study = load(
        tmp_path,
        "a: {branch: [snn, eegnet], wiring: series, align: euclidean}\n"
        "  b: {branch: [fbcsp, {branch: efficientvit, preset: eeg_xs}], fuse: gated}\n"
        "  c: {branch: [{branch: [snn, eegnet], wiring: series}, fbcsp]}\n",
    )
    a, b, c = study.models.values()
    assert a.branch == "fusion" and a.align.method == "euclidean"
    assert a.parameters == {
        "branches": [{"branch": "snn"}, {"branch": "eegnet"}],
        "wiring": "series",
    }
    assert b.parameters["branches"][1] == {"branch": "efficientvit", "preset": "eeg_xs"}
    inner = {"branch": "fusion", **a.parameters}
    assert c.parameters["branches"] == [inner, {"branch": "fbcsp"}]
    assert [m.said for m in (a, b, c)] == [
        "snn → eegnet",
        "fbcsp + efficientvit (gated)",
        "snn → eegnet + fbcsp (concat)",
    ]


def test_all_spellings_of_a_list_are_the_same(tmp_path: Path) -> None:
    study = load(
        tmp_path,
        "a: {branch: [fbcsp, eegnet]}\n"
        "  b: {branch: [{branch: fbcsp}, {branch: eegnet}]}\n"
        "  c: {branch: fusion, branches: [fbcsp, {branch: eegnet}]}\n",
    )
    assert len({json.dumps(m.parameters) for m in study.models.values()}) == 1


def test_values_of_branches_are_as_their_annotations_want(tmp_path: Path) -> None:
    study = load(tmp_path, "a: {branch: [{branch: eegnet, learning_rate: 1e-3}, fbcsp]}\n")
    assert study.models["a"].parameters["branches"][0]["learning_rate"] == 0.001


def test_a_single_branch_stays_what_it_was(tmp_path: Path) -> None:
    study = load(tmp_path, "a: {branch: eegnet, dropout: 0.5}\n")
    assert study.models["a"] == Model(branch="eegnet", parameters={"dropout": 0.5})
    assert study.models["a"].said == "eegnet"


@pytest.mark.parametrize(
    ("model", "line", "where", "fragment"),
    [
        ("{branch: [snn, egnet]}", 4, "a.branch.1", "did you mean 'eegnet'?"),
        (
            "{branch: [snn, {branch: eegnet, dropuot: 1}]}",
            4,
            "a.branch.1.dropuot",
            "did you mean 'dropout'?",
        ),
        ("{branch: [snn, {branch: egnet}]}", 4, "a.branch.1.branch", "did you mean 'eegnet'?"),
        ("{branch: [snn, eegnet], fuse: concatt}", 4, "a.fuse", "did you mean 'concat'?"),
        ("{branch: [snn, eegnet], auxilary: 1}", 4, "a.auxilary", "did you mean 'auxiliary'?"),
        ("{branch: [eegnet, snn], wiring: series}", 4, "a.branch", "but the last is spiking"),
        (
            "{branch: [snn, eegnet], wiring: series, fuse: gated}",
            4,
            "a.branch",
            "fuse is for branches side by side",
        ),
        ("{branch: [snn, eegnet], auxiliary: -1}", 4, "a.branch", "auxiliary=-1"),
        ("{branch: [eegnet]}", 4, "a.branch", "two branches or more"),
        ("{branch: []}", 4, "a.branch", "two branches or more"),
        ("{branch: [eegnet, 3]}", 4, "a.branch.1", "got 3"),
        ("{branch: [eegnet, {branch: snn, view: {}}]}", 4, "a.branch.1.view", "beside the list"),
        (
            "{branch: [eegnet, {branch: snn, random_state: 1}]}",
            4,
            "a.branch.1.random_state",
            "evaluate.seeds",
        ),
        ("{branch: [eegnet, snn], branches: [snn]}", 4, "a.branches", "given as 'branch'"),
        ("{branch: fusion, branches: [eegnet, snnn]}", 4, "a.branches.1", "did you mean 'snn'?"),
        (
            "\n    branch:\n    - {branch: [snn, eegnt], wiring: series}\n    - fbcsp",
            6,
            "a.branch.0.branch.1",
            "did you mean 'eegnet'?",
        ),
        ("{branch: {branch: eegnet}}", 4, "a.branch", "unknown branch"),
    ],
)
def test_each_mistake_is_named(
    model: str, line: int, where: str, fragment: str, tmp_path: Path
) -> None:
    with pytest.raises(StudyErrors) as caught:
        load(tmp_path, f"a: {model}\n")
    (told,) = caught.value.lines
    assert told.startswith(f"{tmp_path / 'demo.yaml'}:{line}: models.{where}: "), told
    assert fragment in told


def test_the_schema_knows_lists(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    out = subprocess.run(
        [sys.executable, "-m", "eegvit.config", "schema"], capture_output=True, text=True
    )
    schema = json.loads(out.stdout)
    xs = {"branch": "efficientvit", "preset": "eeg_xs"}
    good = [
        {"branch": ["snn", "eegnet"], "wiring": "series", "epochs": 3},
        {"branch": [xs, "fbcsp"], "fuse": "attention", "align": {"method": "none"}},
        {"branch": [{"branch": ["snn", "eegnet"], "wiring": "series"}, xs]},
        {"branch": "fusion", "branches": ["snn", "eegnet"]},
    ]
    bad = [
        {"branch": []},
        {"branch": ["snn", "egnet"]},
        {"branch": ["snn", "eegnet"], "wiring": "serial"},
        {"branch": ["snn", {**xs, "prest": 1}]},
    ]
    for model in good:
        jsonschema.validate({"name": "a", "data": "b", "models": {"m": model}}, schema)
    for model in bad:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"name": "a", "data": "b", "models": {"m": model}}, schema)
