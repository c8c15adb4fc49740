"""Compression in a study file: what is said arrives, mistakes have their line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from eegvit.compress import PrunedClassifier
from eegvit.config import StudyErrors, load_study
from eegvit.config.__main__ import json_schema
from eegvit.plan.recipe import Recipe

STUDY = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
models:
  whole: {branch: eegnet}
  small: {branch: eegnet, n_filters: 4, prune: {to: 0.3, by: magnitude}}
"""


@pytest.fixture
def write(tmp_path: Path):
    def write_study(text: str) -> Path:
        path = tmp_path / "demo.yaml"
        path.write_text(text)
        return path

    return write_study


def test_what_is_said_arrives(write) -> None:
    study = load_study(write(STUDY))
    assert study.models["whole"].prune is None
    small = study.models["small"]
    assert small.prune == {"to": 0.3, "by": "magnitude"}
    assert small.said == "eegnet, pruned (to 30% of its macs, magnitude)"
    recipe = Recipe(small.branch, small.parameters, 250.0, ("C3",), 7, None, small.prune)
    built = recipe.build()
    assert isinstance(built, PrunedClassifier)
    assert (built.to, built.of, built.by, built.random_state) == (0.3, "macs", "magnitude", 7)
    assert built.model.n_filters == 4


def test_every_parameter_of_the_classifier_can_be_said() -> None:
    branches = {
        branch["properties"]["branch"]["const"]: branch["properties"]
        for branch in json_schema()["properties"]["models"]["additionalProperties"]["anyOf"]
        if "const" in branch.get("properties", {}).get("branch", {})
    }
    own = {field.name for field in fields(PrunedClassifier)} - {"model", "random_state"}
    assert set(branches["eegnet"]["prune"]["properties"]) == own
    able = {name for name, keys in branches.items() if "prune" in keys}
    assert able == {"eegnet", "shallow", "snn", "efficientvit"}


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{too: 0.3}", "prune.too: unknown key 'too', did you mean 'to'?"),
        ("{to: 1.5}", "prune.to: to=1.5: it is a share of what the network costs"),
        ("{to: half}", "prune.to: expected"),
        ("{of: mac}", "prune.of: 'mac' is not one of macs, parameters, latency"),
        ("{by: size}", "prune.by: 'size' is not one of taylor, magnitude, random"),
        ("{rounds: 0}", "prune.rounds: rounds=0: it must be 1 or more"),
        ("0.5", "prune: expected a mapping, e.g. {to: 0.5, of: macs}"),
        ("{model: eegnet}", "prune.model: unknown key 'model'"),
        ("{random_state: 1}", "'random_state' is not set here: seeds come from evaluate.seeds"),
    ],
)
def test_mistakes_have_their_line(write, said: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(STUDY.replace("{to: 0.3, by: magnitude}", said)))
    (line,) = caught.value.lines
    assert fragment in line and "demo.yaml:5: models.small." in line


@pytest.mark.parametrize(
    ("model", "fragment"),
    [
        ("{branch: csp_lda, prune: {}}", "CSPLDAClassifier is not pruned: of EEGNet"),
        ("{branch: [eegnet, shallow], prune: {}}", "FusionClassifier is not pruned"),
        (
            "{branch: eegnet, prune: {}, pretrain: {objective: masked}}",
            "a pretrained model is not pruned: give one of the two",
        ),
    ],
)
def test_what_cannot_be_pruned_is_said(write, model: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(f"{STUDY}  other: {model}\n"))
    assert any(fragment in line for line in caught.value.lines)
