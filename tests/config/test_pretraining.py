"""Pretraining and few labels in a study file: what is said arrives, mistakes have their line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.config.__main__ import json_schema
from eegvit.config.pretraining import controls, is_scratch, parameters_of
from eegvit.pretrain import FineTunedClassifier

STUDY = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
evaluate: {label_fraction: [0.1, 1.0], draws: 2}
models:
  scratch: {branch: eegnet, pretrain: {objective: none, steps: 20}}
  pre: {branch: eegnet, pretrain: {objective: masked, views: [crop], epochs: 3, steps: 20}}
"""
CSP = "  csp: {branch: csp_lda}\n"


@pytest.fixture
def write(tmp_path: Path):
    def write_study(text: str) -> Path:
        path = tmp_path / "demo.yaml"
        path.write_text(text)
        return path

    return write_study


def errors_of(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(StudyErrors) as caught:
        load_study(path, overrides)
    return caught.value.lines


def test_what_is_said_arrives(write) -> None:
    study = load_study(write(STUDY + CSP))
    assert study.evaluate.amounts == (0.1, 1.0) and study.evaluate.draws == 2
    assert study.models["csp"].pretrain is None
    given = study.models["pre"].pretrain
    assert parameters_of(given) == {
        "objective": "masked", "views": ("crop",), "pretrain_epochs": 3, "finetune_steps": 20,
    }  # fmt: skip
    assert study.models["pre"].said == "eegnet, pretrained (masked)"
    assert study.models["scratch"].said == "eegnet, from scratch"
    assert is_scratch(study.models["scratch"]) and controls(study.models) == {"pre": "scratch"}


def test_every_parameter_of_the_classifier_can_be_said() -> None:
    (eegnet,) = [
        branch
        for branch in json_schema()["properties"]["models"]["additionalProperties"]["anyOf"]
        if branch.get("properties", {}).get("branch", {}).get("const") == "eegnet"
    ]
    keys = eegnet["properties"]["pretrain"]["properties"]
    said = {name: None for name in keys if name not in ("unlabelled", "data")}
    own = {field.name for field in fields(FineTunedClassifier)} - {"model", "random_state"}
    assert set(parameters_of(said)) == own
    csp = next(
        branch
        for branch in json_schema()["properties"]["models"]["additionalProperties"]["anyOf"]
        if branch.get("properties", {}).get("branch", {}).get("const") == "csp_lda"
    )
    assert "pretrain" not in csp["properties"]


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{objectiv: masked}", "unknown key 'objectiv', did you mean 'objective'?"),
        ("{objective: maskd}", "objective: there is no objective 'maskd', did you mean 'masked'?"),
        ("{objective: {name: masked, mask: much}}", "objective: mask='much': it must be a number"),
        ("{views: [crp]}", "views: there is no view 'crp'"),
        ("{finetune: ful}", "'ful' is not one of probe, partial, full"),
        ("{steps: 0}", "steps: 0 is too small: 1 or more"),
        ("{layer_decay: 1.5}", "layer_decay: 1.5 is not above 0 and up to 1"),
        ("{random_state: 1}", "'random_state' is not set here: seeds come from evaluate.seeds"),
        ("{weights: gone.safetensors}", "there is no file 'gone.safetensors'"),
        ("{unlabelled: true}", "it is about weights from a file or other data"),
        ("{data: kalunga}", "no 'kalunga' in datasets/, did you mean 'kalunga_ssvep'?"),
        ("{data: {card: physionet_mi, windw: [0, 2]}}", "unknown key 'windw', did you mean"),
        ("{data: physionet_mi, objective: none}", "which a training from scratch does not"),
        ("masked", "expected a mapping, e.g. {objective: masked}"),
    ],
)
def test_each_mistake_is_named_with_its_line(write, said: str, fragment: str) -> None:
    path = write(STUDY + f"  odd: {{branch: eegnet, pretrain: {said}}}\n")
    lines = errors_of(path)
    assert len(lines) == 1 and lines[0].startswith(f"{path}:7: models.odd.pretrain"), lines
    assert fragment in lines[0]


@pytest.mark.parametrize(
    ("branch", "why"),
    [
        ("csp_lda", "CSPLDAClassifier is no network"),
        ("[fbcsp, eegnet]", "the features of FBCSPClassifier are learned from labels"),
        ("[snn, eegnet], start: frozen", "start='frozen' fits each branch with labels first"),
    ],
)
def test_only_what_sees_signals_alone_is_pretrained(write, branch: str, why: str) -> None:
    path = write(STUDY + f"  odd: {{branch: {branch}, pretrain: {{}}}}\n")
    (line,) = errors_of(path)
    assert "models.odd.pretrain" in line and why in line


@pytest.mark.parametrize(
    ("override", "fragment"),
    [
        ("evaluate.label_fraction=[0.0]", "label_fraction.0: expected greater than 0"),
        ("evaluate.label_fraction=[]", "label_fraction: it is empty"),
        ("evaluate.label_fraction=[0.1, 0.1]", "a value is given twice"),
        ("evaluate.labels_per_class=[5]", "give either this or labels_per_class"),
        ("evaluate.labels_from=target", "labels of the target are counted"),
        ("evaluate.calibrate=5", "use labels_from: target"),
        ("ensembles={a: {of: [pre, scratch]}}", "no ensembles in a study of label_fraction"),
        ("models.scratch.pretrain.steps=10", "its control is missing: the same model from scratch"),
        ("models.scratch.depth=1", "its control is missing"),
    ],
)
def test_what_does_not_go_together_is_refused(write, override: str, fragment: str) -> None:
    (line,) = errors_of(write(STUDY), override)
    assert fragment in line


def test_without_few_labels_no_control_is_asked_for(write) -> None:
    text = STUDY.replace("evaluate: {label_fraction: [0.1, 1.0], draws: 2}\n", "")
    text = text.replace("  scratch: {branch: eegnet, pretrain: {objective: none, steps: 20}}\n", "")
    assert list(load_study(write(text)).models) == ["pre"]


def test_weights_lie_beside_the_study(write, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"")
    path = write(STUDY + "  w: {branch: eegnet, pretrain: {weights: w.safetensors, steps: 20}}\n")
    model = load_study(path).models["w"]
    assert model.pretrain["weights"] == str(tmp_path / "w.safetensors")
    assert model.said == "eegnet, pretrained (w.safetensors)"
    (line,) = errors_of(path, "models.w.pretrain.objective=masked")
    assert "the weights are pretrained already" in line
    (line,) = errors_of(path, "models.w.pretrain.data=physionet_mi")
    assert "it says what to pretrain on, which weights from a file do not" in line


def test_other_data_are_a_card_with_changes(write) -> None:
    data = "{card: physionet_mi, subjects: [1], window: [0, 2]}"
    more = f"  odd: {{branch: eegnet, pretrain: {{data: {data}, steps: 20, unlabelled: true}}}}\n"
    model = load_study(write(STUDY + more)).models["odd"]
    card = model.pretrain["data"]
    assert (card.name, card.source, card.subjects) == ("physionet_mi", "moabb", ("1",))
    assert card.window == (0, 2) and card.options == {"dataset": "PhysionetMI"}
    assert model.said == "eegnet, pretrained (contrastive on physionet_mi)"
    assert parameters_of(model.pretrain) == {"finetune_steps": 20}
