"""Pruning, teachers and updates in a study file: what is said arrives, mistakes have their line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from eegvit.adapt import AdaptingClassifier
from eegvit.compress import DistilledClassifier, PrunedClassifier
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
    apart = {"model", "teacher", "n_folds", "random_state"}
    own = {field.name for field in fields(PrunedClassifier)} - apart
    assert set(branches["eegnet"]["prune"]["properties"]) == own
    able = {name for name, keys in branches.items() if "prune" in keys}
    assert able == {"eegnet", "shallow", "snn", "efficientvit"}
    own = {"from", *(field.name for field in fields(DistilledClassifier))} - apart
    assert set(branches["eegnet"]["distill"]["properties"]) == own
    assert able | {"fusion", "braindecode", "spd"} == {
        n for n, keys in branches.items() if "distill" in keys
    }
    own = {field.name for field in fields(AdaptingClassifier)} - apart
    short, whole = branches["eegnet"]["adapt"]["anyOf"]
    assert short == {"type": "boolean"} and set(whole["properties"]) == own
    able |= {"fusion", "braindecode", "spd"}
    assert able == {name for name, keys in branches.items() if "adapt" in keys}


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
    ],
)
def test_what_cannot_be_pruned_is_said(write, model: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(f"{STUDY}  other: {model}\n"))
    assert any(fragment in line for line in caught.value.lines)


TAUGHT = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
models:
  csp: {branch: csp_lda}
  mdm: {branch: mdm}
  small: {branch: [eegnet, shallow], distill: {from: both, weight: 0.7}}
ensembles:
  both: {of: [csp, mdm], rule: meta}
"""


def test_what_is_said_of_a_teacher_arrives(write) -> None:
    small = load_study(write(TAUGHT)).models["small"]
    assert small.distill == {"from": "both", "weight": 0.7}
    assert small.said.endswith(", distilled (from both, weight 0.7, temperature 2)")
    recipe = Recipe("eegnet", {}, 250.0, ("C3",), 7, None, {"to": 0.3}, (), small.distill)
    built = recipe.build()
    assert isinstance(built, DistilledClassifier) and isinstance(built.model, PrunedClassifier)
    assert (built.weight, built.temperature, built.random_state) == (0.7, 2.0, 7)
    assert built.teacher is None and built.model.to == 0.3


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{weight: 0.7}", "distill.from: 'from' is missing"),
        ("{from: booth}", "no model or ensemble 'booth', did you mean 'both'?"),
        ("{from: small}", "distill.from: 'small' is distilled itself: a teacher learns from"),
        ("{from: both, weight: 1.7}", "distill.weight: weight=1.7: it is a share of the loss"),
        ("{from: both, temperature: 0}", "distill.temperature: temperature=0.0: it must be"),
        ("{from: both, temprature: 2}", "unknown key 'temprature', did you mean 'temperature'?"),
        ("{from: both, teacher: csp_lda}", "distill.teacher: unknown key 'teacher'"),
        ("{from: both, random_state: 1}", "'random_state' is not set here: seeds come from"),
        ("both", "distill: expected a mapping, e.g. {from: stacked, weight: 0.5}"),
        ("{from: own}", "distill.from: 'own' is trained on the people tested"),
    ],
)
def test_mistakes_about_a_teacher_have_their_line(write, said: str, fragment: str) -> None:
    text = TAUGHT.replace("{from: both, weight: 0.7}", said)
    text = text.replace("  mdm:", "  own: {branch: mdm, trained_on: own_sessions}\n  mdm:")
    with pytest.raises(StudyErrors) as caught:
        load_study(write(text))
    (line,) = caught.value.lines
    assert fragment in line and "demo.yaml:7: models.small." in line


@pytest.mark.parametrize(
    ("more", "fragment"),
    [
        (
            "  deep: {of: [csp, small], rule: weighted}",
            "ensembles.deep.of: 'small' is distilled: a",
        ),
        ("  deep: {of: [csp, small], calibrate: temperature}", "'small' is distilled: a rule that"),
        ("models.csp.distill={from: mdm}", "CSPLDAClassifier is no network: only networks learn"),
        ("models.small.pretrain={objective: masked}", "a pretrained model is not distilled"),
        ("models.small.trained_on=own_sessions", "a model trained on own sessions has no teacher"),
        ("models.mdm={branch: eegnet, distill: {from: csp}}", "'mdm' is distilled itself"),
    ],
)
def test_what_cannot_be_distilled_is_said(write, more: str, fragment: str) -> None:
    changes = [more] if "=" in more else []
    with pytest.raises(StudyErrors) as caught:
        load_study(write(TAUGHT if changes else f"{TAUGHT}{more}\n"), changes)
    assert any(fragment in line for line in caught.value.lines), caught.value.lines


def test_a_student_may_be_a_member_where_nothing_is_learned(write) -> None:
    study = load_study(write(f"{TAUGHT}  mean: {{of: [csp, small]}}\n"))
    assert study.ensembles["mean"].of == ("csp", "small")
    with pytest.raises(StudyErrors, match="no distilled models in a study of label_fraction"):
        load_study(
            write(TAUGHT),
            ["evaluate.label_fraction=[0.5]", "ensembles={}", "models.small.distill.from=csp"],
        )


UPDATED = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
models:
  csp: {branch: csp_lda}
  plain: &plain {branch: [eegnet, shallow]}
  live: {<<: *plain, adapt: {window: 6, balanced: true}}
"""


@pytest.mark.parametrize(
    ("said", "arrives"),
    [
        ("{window: 6, balanced: true}", {"window": 6, "balanced": True}),
        ("{learning_rate: 1e-4, temperature: 1}", {"learning_rate": 1e-4, "temperature": 1.0}),
        ("true", {}),
        ("{}", {}),
        ("false", None),
    ],
)
def test_what_is_said_of_updates_arrives(write, said: str, arrives) -> None:
    study = load_study(write(UPDATED.replace("{window: 6, balanced: true}", said)))
    assert study.models["live"].adapt == arrives
    recipe = Recipe("eegnet", {}, 250.0, ("C3",), 7, None, {"to": 0.3}, (), None, arrives)
    built = recipe.build()
    if arrives is None:
        assert isinstance(built, PrunedClassifier)
        return
    assert isinstance(built, AdaptingClassifier) and isinstance(built.model, PrunedClassifier)
    assert built.random_state == 7
    assert {name: getattr(built, name) for name in arrives} == arrives
    assert not isinstance(recipe.whole.build(), AdaptingClassifier)


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{window: 1}", "adapt.window: window=1: classes are shared out over several trials"),
        ("{learning_rate: 0}", "adapt.learning_rate: learning_rate=0.0: it must be positive"),
        ("{temprature: 2}", "adapt.temprature: unknown key 'temprature', did you mean"),
        ("{balanced: perhaps}", "adapt.balanced: expected"),
        ("{model: eegnet}", "adapt.model: unknown key 'model'"),
        ("{random_state: 1}", "'random_state' is not set here: seeds come from"),
        ("causal", "adapt: expected a mapping, e.g. {window: 8}, or true"),
    ],
)
def test_mistakes_about_updates_have_their_line(write, said: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(UPDATED.replace("{window: 6, balanced: true}", said)))
    (line,) = caught.value.lines
    assert fragment in line and "demo.yaml:6: models.live." in line


@pytest.mark.parametrize(
    ("change", "where", "fragment"),
    [
        ("models.csp.adapt=true", "models.csp.adapt", "CSPLDAClassifier is no network: only"),
        ("ensembles={both: {of: [csp, plain], adapt: true}}", "ensembles.both",
         "unknown key 'adapt'"),
        ("models.plain.branch=[eegnet, {branch: shallow, adapt: true}]", "models.plain.branch",
         "'adapt' is one for all branches: it stands beside the list"),
        ("models.live.branch=shallow", "models.live.adapt", "give a model that is 'live' without"),
        ("models.live.align=none", "models.live.adapt", "what updates gain is not seen"),
        ("models.small={branch: eegnet, distill: {from: live}}", "models.small.distill.from",
         "'live' is updated while it is tested: a teacher only tells"),
    ],
)  # fmt: skip
def test_what_cannot_be_updated_is_said(write, change: str, where: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(UPDATED), [change])
    assert any(where in line and fragment in line for line in caught.value.lines), (
        caught.value.lines
    )


def test_the_shuffled_control_is_of_a_model_without_updates(write) -> None:
    study = load_study(
        write(
            UPDATED.replace(
                "  csp: {branch: csp_lda}\n",
                "  live-first: \
{branch: shallow, adapt: true}\n  of-it: {branch: shallow}\n",
            )
            + "controls: [shuffled]\n"
        )
    )
    assert "of-it (labels shuffled)" in study.models
    assert "live-first (labels shuffled)" not in study.models
