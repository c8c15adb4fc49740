"""Files of presets: they arrive in a study and in Python, and every mistake has its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eegvit import EfficientViTClassifier, load_preset
from eegvit.branches.efficientvit import CASCADED_ONLY
from eegvit.config import StudyErrors, load_study
from eegvit.config.__main__ import json_schema
from eegvit.config.presets import Preset, stages_of
from eegvit.networks.efficientvit.presets import EEG
from eegvit.plan.recipe import Recipe

PRESET = """family: cascaded
widths: [8, 16]
depths: [1, 2]
heads: [2, 2]
kernels: [5, [1, 3]]
window: [[6, 16], [3, 32]]
key_dim: [[4], [3, 2]]
value_dim: [[4], [8, 5]]
ffn_ratio: [[1.5], [2.0, 0.5]]
merging_ratio: 2.0
searched: {people: [tiny/1], said: by hand}
"""
STUDY = """name: demo
data: {source: simulated, name: tiny, classes: [left_hand, right_hand], window: [0, 2]}
models:
  small: {branch: efficientvit, layout: conv, preset: presets/small.yaml}
"""


@pytest.fixture
def write(tmp_path: Path):
    def write_both(preset: str = PRESET, study: str = STUDY) -> Path:
        (tmp_path / "presets").mkdir(exist_ok=True)
        (tmp_path / "presets" / "small.yaml").write_text(preset)
        (tmp_path / "demo.yaml").write_text(study)
        return tmp_path / "demo.yaml"

    return write_both


def test_a_file_beside_the_study_shapes_the_network_as_in_python(
    write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    monkeypatch.chdir("/")
    (model,) = load_study(path).models.values()
    built = Recipe(model.branch, model.parameters, 125.0, ("C3", "Cz", "C4"), 0).build()
    preset = load_preset(path.parent / "presets" / "small.yaml")
    assert built.preset == preset
    network = built.network(3, 500, 2)
    alone = EfficientViTClassifier(
        preset=preset, layout="conv", sfreq=125.0, ch_names=("a", "b", "c")
    )
    assert {name: p.shape for name, p in network.named_parameters()} == {
        name: p.shape for name, p in alone.network(3, 500, 2).named_parameters()
    }
    first, last = network.stages.stages
    assert network.stages.widths == (8, 16) and len(last) == 3 + 2 * 3
    assert last[7].inner[0].key_dims == [2, 2] and last[7].inner[0].value_dims == [5, 5]
    assert first[1].inner[0].key_dims == [4, 4]
    hidden = [layer.feed.inner[0][0].conv.out_channels for layer in (first[2], last[5], last[8])]
    assert hidden == [12, 32, 8]


def test_what_is_given_beside_it_replaces_what_it_says(write) -> None:
    path = write(study=STUDY.replace("layout: conv", "layout: conv, key_dim: 6, sandwich: false"))
    (model,) = load_study(path).models.values()
    built = Recipe(model.branch, model.parameters, 125.0, ("C3", "Cz", "C4"), 0).build()
    block = built.network(3, 500, 2).stages.stages[0]
    assert block[1].inner[0].key_dims == [6, 6] and not hasattr(block[0], "feed")


def test_where_it_came_from_is_no_part_of_what_it_computes() -> None:
    preset = {"family": "cascaded", "widths": (8,), "depths": (1,), "heads": (2,)}
    known = EfficientViTClassifier(preset=preset).identity()
    other = EfficientViTClassifier(preset=preset | {"searched": {"people": ("a/1",)}})
    assert other.identity() == known
    wider = EfficientViTClassifier(preset=preset | {"widths": (12,)})
    assert wider.identity() != known


def test_files_say_what_the_stages_take() -> None:
    own = set(Preset.model_fields) - {"family", "searched"}
    usual = set().union(*EEG["cascaded"].values())
    assert usual | set(CASCADED_ONLY) <= own
    assert stages_of({"family": "cascaded", "searched": {}, "depths": (1,)}) == {"depths": (1,)}


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("family: cascaded", "family: former", "small.yaml:1: family: 'former' is not one of"),
        ("widths: [8, 16]\n", "", "small.yaml:1: widths: 'widths' is missing"),
        ("heads", "head", "unknown key 'head', did you mean 'heads'?"),
        ("depths: [1, 2]", "depths: [1]", "depths: there are 2 stages in widths"),
        ("heads: [2, 2]", "heads: [3, 2]", "8 planes are not shared evenly by 3 heads"),
        ("[3, 2]]", "[3]]", "key_dim: give one value, or a list for each stage"),
        ("[8, 5]", "[8, 0]", "small.yaml:8: value_dim.1.1: expected greater than or equal to 1"),
        ("0.5]", "-0.5]", "small.yaml:9: ffn_ratio.1.1: expected greater than 0"),
        ("family: cascaded", "- a list", "small.yaml:"),
    ],
)
def test_mistakes_in_the_file_have_its_line(write, old: str, new: str, fragment: str) -> None:
    assert old in PRESET
    with pytest.raises(StudyErrors) as caught:
        load_study(write(PRESET.replace(old, new)))
    assert any(
        fragment in line and "demo.yaml:4: models.small.preset: " in line
        for line in caught.value.lines
    ), caught.value.lines


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("preset: nowhere.yaml", "models.small.preset: nowhere.yaml:1: no such file"),
        ("preset: eeg_q", "'eeg_q' is not one of eeg_xxs, eeg_xs, eeg_s, eeg_m"),
        ("preset: 3", "models.small.preset: "),
        ("preset: {family: cascaded}", "models.small.preset.widths: 'widths' is missing"),
        (
            "preset: presets/small.yaml, family: linear",
            "models.small.family: the preset is of the family 'cascaded', not 'linear'",
        ),
    ],
)
def test_a_wrong_key_is_said(write, said: str, fragment: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study(write(study=STUDY.replace("preset: presets/small.yaml", said)))
    assert any(fragment in line for line in caught.value.lines), caught.value.lines


def test_another_family_is_refused_in_python() -> None:
    preset = {"family": "cascaded", "widths": (8,), "depths": (1,), "heads": (2,)}
    model = EfficientViTClassifier(preset=preset, family="linear", sfreq=125.0, ch_names=("C3",))
    with pytest.raises(ValueError, match="family='linear': the preset is of 'cascaded'"):
        model.network(1, 250, 2)


def test_editors_know_that_it_may_be_a_file() -> None:
    kinds = json_schema()["$defs"]["branch_efficientvit"]["properties"]["preset"]["anyOf"]
    assert {"type": "string", "pattern": r"\.ya?ml$"} in kinds
    assert [kind["enum"] for kind in kinds if "enum" in kind] == [list(EEG["cascaded"])]
