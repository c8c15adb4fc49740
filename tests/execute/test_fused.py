"""Fused models in a study: keys that are complete, and a run from YAML to costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eegvit.config import sha256
from eegvit.execute.one_fit import Recipe
from eegvit.plan.keys import identity_of
from eegvit.plan.versions import versions_of
from eegvit.run import main

STUDY = """\
name: fused
data:
  name: small
  source: simulated
  simulated: true
  classes: [left_hand, right_hand]
  channels: [C3, Cz, C4]
  band: [8, 30]
  window: [0.5, 2.5]
  options: {n_subjects: 3, n_sessions: 1, n_trials: 24}
view: {resample: 125}
evaluate: {protocol: cross_subject}
models:
  fbcsp+eegnet: {branch: [fbcsp, eegnet], epochs: 2}
  snn-eegnet: {branch: [snn, eegnet], wiring: series, epochs: 2}
  pair:
    branch: [{branch: efficientvit, preset: eeg_xs}, eegnet]
    fuse: attention
    auxiliary: 0.5
    epochs: 2
"""


def key(branches: list[Any], **parameters: Any) -> str:
    recipe = Recipe("fusion", {"branches": branches, **parameters}, 125.0, ("C3", "C4"), 0)
    return sha256(identity_of(recipe))


def test_the_key_of_a_fit_knows_every_parameter_of_every_branch(monkeypatch: Any) -> None:
    plain = key([{"branch": "fbcsp"}, {"branch": "eegnet"}])
    assert key([{"branch": "fbcsp"}, {"branch": "eegnet", "dropout": 0.25}]) == plain
    others = [
        key([{"branch": "fbcsp"}, {"branch": "eegnet", "dropout": 0.5}]),
        key([{"branch": "fbcsp", "n_components": 2}, {"branch": "eegnet"}]),
        key([{"branch": "eegnet"}, {"branch": "fbcsp"}]),
        key([{"branch": "fbcsp"}, {"branch": "eegnet"}], fuse="gated"),
        key([{"branch": "fbcsp"}, {"branch": "eegnet"}], auxiliary=0.1),
    ]
    assert len({plain, *others}) == 6
    from eegvit.branches.eegnet import EEGNetClassifier

    monkeypatch.setattr(
        EEGNetClassifier.__init__,
        "__kwdefaults__",
        EEGNetClassifier.__init__.__kwdefaults__ | {"n_filters": 9},
    )
    assert key([{"branch": "fbcsp"}, {"branch": "eegnet"}]) != plain, "defaults are left out"


def test_the_key_knows_an_inner_series() -> None:
    def nested(**front: Any) -> str:
        inner = {
            "branch": "fusion",
            "branches": [{"branch": "snn", **front}, {"branch": "eegnet"}],
            "wiring": "series",
        }
        return key([inner, {"branch": "eegnet"}])

    assert nested() == nested(n_features=32) != nested(n_features=16)


def test_versions_are_those_of_all_branches() -> None:
    recipe = Recipe("fusion", {"branches": ["fbcsp", "eegnet"]}, 125.0, ("C3",), 0)
    assert {"torch", "numpy", "scipy", "scikit-learn"} <= set(versions_of(recipe.build()))
    plain = Recipe("fusion", {"branches": ["snn", "eegnet"]}, 125.0, ("C3",), 0)
    assert "scipy" not in versions_of(plain.build())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_from_yaml_to_a_leaderboard_with_costs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fused.yaml").write_text(STUDY, encoding="utf-8")
    assert main(["fused.yaml", "--jobs", "1"]) in (0, None)
    page = (tmp_path / "reports/fused/leaderboard.html").read_text("utf-8")
    assert "failed" not in (tmp_path / "reports/fused/leaderboard.md").read_text("utf-8").lower()
    assert "snn → eegnet" in page and "efficientvit + eegnet (attention, auxiliary 0.5)" in page
    assert "was not measured" not in page
