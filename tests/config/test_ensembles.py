"""Ensembles in a study file: what is said arrives, and every mistake has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.config.__main__ import json_schema
from eegvit.config.ensembles import LEARNERS, Ensemble
from eegvit.ensemble.rules import RULES, learns

STUDY = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
models:
  csp: {branch: csp_lda}
  fbcsp: {branch: fbcsp}
ensembles:
  weighted: {of: [csp, fbcsp], rule: weighted}
  stacked: {of: [csp, fbcsp], rule: meta, learner: xgboost, calibrate: temperature}
  few: {of: [csp, fbcsp], select: greedy}
"""


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


def test_ensembles_arrive_as_written(write) -> None:
    study = load_study(write(STUDY))
    assert list(study.ensembles) == ["weighted", "stacked", "few"]
    assert study.ensembles["weighted"].of == ("csp", "fbcsp")
    assert study.ensembles["weighted"].learner is None
    assert study.ensembles["stacked"].said == "meta (xgboost), temperature"
    assert study.ensembles["few"].rule == "average" and study.ensembles["few"].learns
    assert load_study(write(STUDY.partition("ensembles:")[0])).ensembles == {}
    assert load_study(write(STUDY.partition("  weighted:")[0])).ensembles == {}


def test_names_are_those_of_the_rules() -> None:
    assert {rule: tuple(RULES[rule].learners) for rule in RULES} == LEARNERS
    for rule in RULES:
        assert Ensemble(of=("a", "b"), rule=rule).learns == learns(rule)
        assert Ensemble(of=("a", "b"), rule=rule, calibrate="temperature").learns


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("a: {of: [fbcps, csp]}", "a.of.0: no model is called 'fbcps', did you mean 'fbcsp'?"),
        ("a: {of: [csp]}", "a.of: an ensemble needs two members or more, got 1"),
        ("a: {of: [csp, csp]}", "a.of.1: member 'csp' is given twice"),
        ("csp: {of: [csp, fbcsp]}", "ensembles.csp: a model is called 'csp' too"),
        (
            "a: {of: [csp, fbcsp], learner: xgboost}",
            "a.learner: 'xgboost' is a learner of rule 'meta'; 'average' learns nothing",
        ),
        (
            "a: {of: [csp, fbcsp], rule: weighted, learner: logistic}",
            "'logistic' is a learner of rule 'meta'; 'weighted' has accuracy, log_loss",
        ),
        ("a: {of: [csp, fbcsp], rule: wieghted}", "a.rule: 'wieghted' is not one of vote, average"),
        ("a: {of: [csp, fbcsp], calibrate: true}", "a.calibrate: True is not one of temperature"),
        ("a: {of: [csp, fbcsp], sellect: greedy}", "'sellect', did you mean 'select'?"),
        ("a: {rule: vote}", "a.of: 'of' is missing"),
        ("a: [csp, fbcsp]", "ensembles.a: expected a mapping with 'of', a list of models"),
    ],
)
def test_each_mistake_is_named_with_its_line(write, text: str, fragment: str) -> None:
    path = write(STUDY.partition("  weighted:")[0] + f"  {text}\n")
    lines = errors_of(path)
    assert len(lines) == 1 and lines[0].startswith(f"{path}:7: ensembles."), lines
    assert fragment in lines[0]


def test_an_ensemble_is_no_member(write) -> None:
    (line,) = errors_of(write(STUDY + "  more: {of: [csp, few]}\n"))
    assert "no model is called 'few': that is an ensemble, members are models" in line


def test_a_wrong_model_is_not_reported_again_by_its_ensembles(write) -> None:
    (line,) = errors_of(write(STUDY.replace("branch: fbcsp", "branch: fbcps")))
    assert "models.fbcsp.branch" in line


def test_overrides_change_ensembles_and_are_checked(write) -> None:
    path = write(STUDY)
    changed = ["ensembles.stacked.learner=logistic", "ensembles.new={of: [csp, fbcsp], rule: max}"]
    study = load_study(path, changed)
    assert study.ensembles["stacked"].learner == "logistic"
    assert study.ensembles["new"].rule == "max"
    assert load_study(path, ["ensembles={}"]).ensembles == {}
    (line,) = errors_of(path, "ensembles.few.of=[csp, eegnet]")
    assert line.startswith("--set ensembles.few.of: ensembles.few.of.1: no model is called")


def test_the_schema_knows_ensembles() -> None:
    schema = json_schema()
    assert schema["properties"]["ensembles"]["additionalProperties"] == {"$ref": "#/$defs/Ensemble"}
    ensemble = schema["$defs"]["Ensemble"]
    assert set(ensemble["properties"]) == {"of", "rule", "learner", "calibrate", "select"}
    assert ensemble["properties"]["of"]["minItems"] == 2 and not ensemble["additionalProperties"]
