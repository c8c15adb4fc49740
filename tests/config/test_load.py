"""Study files: every mistake at once, each with file, line, key path and a suggestion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study, sha256

CARD = """
name: tiny
source: simulated
classes: [left_hand, right_hand]
window: [0, 2]
"""

STUDY = """
name: demo
data: {card: tiny.yaml, subjects: [1, 2]}
align: {method: euclidean}
evaluate: {protocol: cross_subject, seeds: [0, 1]}
models:
  first: {branch: fbcsp, n_components: 2}
  second: {branch: eegnet, learning_rate: 1e-3, align: none, recentre: session}
"""


@pytest.fixture
def write(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(CARD)

    def write_study(text: str) -> Path:
        path = tmp_path / "demo.yaml"
        path.write_text(text)
        return path

    return write_study


def errors_of(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(StudyErrors) as caught:
        load_study(path, overrides)
    return caught.value.lines


def test_values_arrive_as_the_annotations_want_them(write) -> None:
    study = load_study(write(STUDY))
    assert study.data[0].subjects == ("1", "2")
    assert study.evaluate.seeds == (0, 1)
    assert study.models["second"].parameters == {"learning_rate": 0.001}
    assert study.models["second"].align.method == "none"
    assert study.models["first"].align is None
    assert study.models["second"].recentre == "session" and study.recentre == "none"
    assert study.source_text == STUDY


def test_six_mistakes_give_six_lines(write) -> None:
    path = write("""name: demo
data: tiny.yaml
align: {method: euclidian}
evaluate:
  protocol: cross_subject
  seed: [0]
models:
  first: {branch: fbcps}
  second:
    branch: eegnet
    epocs: 3
    batch_size: many
colour: red
""")
    lines = errors_of(path)
    assert len(lines) == 6, lines
    text = "\n".join(lines)
    for line, key, hint in [
        (3, "align.method", "did you mean 'euclidean'?"),
        (6, "evaluate.seed", "did you mean 'seeds'?"),
        (8, "models.first.branch", "did you mean 'fbcsp'?"),
        (11, "models.second.epocs", "did you mean 'epochs'?"),
        (12, "models.second.batch_size", "got 'many'"),
        (13, "colour", "unknown key 'colour'"),
    ]:
        found = [x for x in lines if x.startswith(f"{path}:{line}: {key}: ")]
        assert len(found) == 1 and hint in found[0], f"{line} {key} {hint} not in\n{text}"


def test_mistakes_in_a_card_name_the_cards_line(write, tmp_path: Path) -> None:
    path = write(STUDY)
    (tmp_path / "tiny.yaml").write_text(CARD + "windw: 3\noptions: {sed: 1}\n")
    lines = errors_of(path)
    assert any(f"{tmp_path / 'tiny.yaml'}:6: data.windw" in line for line in lines), lines


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("name: [", "not valid YAML"),
        ("- a\n- b\n", "a study file is a mapping"),
        ("name: a\nname: b\ndata: tiny.yaml\nmodels: {x: {branch: chance}}\n", "key given twice"),
        ("name: a\ndata: nowhere\nmodels: {x: {branch: chance}}\n", "no 'nowhere' in datasets/"),
        ("name: a\ndata: tiny.yaml\nmodels: {}\n", "expected a mapping from names to models"),
        ("name: a\ndata: tiny.yaml\nmodels: {x: {}}\n", "expected a mapping with 'branch'"),
        ("data: tiny.yaml\nmodels: {x: {branch: chance}}\n", "'name' is missing"),
        (
            "name: a\ndata: tiny.yaml\nview: {window: [3, 1]}\nmodels: {x: {branch: chance}}\n",
            "the window ends before it begins",
        ),
        (
            "name: a\ndata: tiny.yaml\nmodels: {x: {branch: eegnet, random_state: 3}}\n",
            "seeds come from evaluate.seeds",
        ),
        (
            "name: a\ndata: tiny.yaml\nevaluate: {protocol: cross_dataset}\n"
            "models: {x: {branch: chance}}\n",
            "two or more data sets",
        ),
    ],
)
def test_each_mistake_is_named(write, text: str, fragment: str) -> None:
    lines = errors_of(write(text))
    assert len(lines) == 1 and fragment in lines[0], lines


def test_overrides_change_values_and_are_checked(write) -> None:
    path = write(STUDY)
    study = load_study(path, ["evaluate.seeds=[7]", "models.first.n_components=3"])
    assert study.evaluate.seeds == (7,)
    assert study.models["first"].parameters["n_components"] == 3
    assert load_study(path, ["data=tiny.yaml"]).data[0].subjects is None
    assert "did you mean 'seeds'" in errors_of(path, "evaluate.sedes=[1]")[0]
    assert "expected key.path=value" in errors_of(path, "evaluate.seeds")[0]


def test_moabb_pipeline_files_are_models(write, tmp_path: Path) -> None:
    (tmp_path / "MDM.yml").write_text(
        "name: MDM\nparadigms: [LeftRightImagery]\npipeline:\n"
        "  - {name: Covariances, from: pyriemann.estimation, parameters: {estimator: oas}}\n"
        "  - {name: MDM, from: pyriemann.classification}\n"
    )
    study = load_study(write("name: a\ndata: tiny.yaml\nmodels: {mdm: MDM.yml}\n"))
    assert study.models["mdm"].branch == "pipeline"
    assert [s["name"] for s in study.models["mdm"].parameters["steps"]] == ["Covariances", "MDM"]


def test_hash_ignores_key_order_only() -> None:
    assert sha256({"a": (1, 2), "b": 0.5}) == sha256({"b": 0.5, "a": [1, 2]})
    assert sha256({"a": [1, 2]}) != sha256({"a": [2, 1]})


def test_every_shipped_study_and_card_is_valid() -> None:
    pipelines = sorted((Path(__file__).parents[2] / "pipelines").glob("*.yaml"))
    assert pipelines
    for path in pipelines:
        assert load_study(path).name == path.stem


def test_schema_is_json_and_names_every_branch() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "eegvit.config", "schema"], capture_output=True, text=True
    )
    schema = json.loads(out.stdout)
    branches = schema["properties"]["models"]["additionalProperties"]["anyOf"]
    keys = [b["properties"]["branch"] for b in branches if "properties" in b]
    named = {key["const"] for key in keys if "const" in key}
    from eegvit.registry import BRANCHES

    assert named == set(BRANCHES)


def test_a_reference_is_a_row_of_the_study(write) -> None:
    assert load_study(write(STUDY + "reference: second\n")).reference == "second"
    (line,) = errors_of(write(STUDY + "reference: secnd\n"))
    assert "demo.yaml:9: reference: " in line and "did you mean 'second'?" in line
    assert "no model or ensemble 'secnd'" in line
