"""From a study to a preset, and from the preset to a study."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eegvit import EfficientViTClassifier, load_preset, load_study, run_study, search_shape
from eegvit.command import main
from eegvit.compress.search.greedy import Judged
from eegvit.compress.search.ground import Ground
from eegvit.compress.search.joint import trained_supernet
from eegvit.compress.search.others import by_optuna
from eegvit.config.presets import preset_text

DATA = """{card: simulated, subjects: [1, 2, 3, 4], channels: [C3, Cz, C4], resample: 125,
  classes: [left_hand, right_hand], options: {n_trials: 16, n_runs: 1, n_sessions: 1}}"""
STUDY = f"""name: tiny
data: {DATA}
evaluate: {{protocol: cross_subject, seeds: [0]}}
models:
  vit: {{branch: efficientvit, layout: conv, family: cascaded, epochs: 1, batch_size: 32}}
  csp: {{branch: csp_lda}}
"""


def small(**given: Any) -> EfficientViTClassifier:
    usual = {"layout": "conv", "family": "cascaded", "epochs": 1, "batch_size": 32}
    return EfficientViTClassifier(**usual | {"sfreq": 128.0, "device": "cpu"} | given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a study, and the preset that was searched for on three people."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "tiny.yaml").write_text(STUDY)
    told = ["search", str(folder / "tiny.yaml"), "--people", "1", "2", "3", "--to", "0.8"]
    assert main([*told, "-o", str(folder / "small.yaml"), "--cache", str(folder / "cache")]) == 0
    return folder


def test_the_preset_of_a_search_is_a_model_of_a_study(folder: Path) -> None:
    preset = load_preset(folder / "small.yaml")
    assert preset["searched"]["people"] == ("simulated/1", "simulated/2", "simulated/3")
    model = "  small: {branch: efficientvit, layout: conv, preset: small.yaml, epochs: 1}\n"
    (folder / "again.yaml").write_text(STUDY + model)
    changes = {"evaluate.test_subjects": [4], "evaluate.train_subjects": [1, 2, 3]}
    results = run_study(
        folder / "again.yaml", changes=changes, jobs=0, cache=folder / "cache", out=folder
    )
    assert {"vit", "small"} <= set(results.leaderboard["model"])
    macs = {name: results.model(name).count_macs() for name in ("vit", "small")}
    assert 0 < macs["small"] <= 0.8 * macs["vit"]
    with pytest.raises(ValueError, match="labels of simulated/1, simulated/2, simulated/3, to be"):
        run_study(folder / "again.yaml", jobs=0, cache=folder / "cache")


def test_a_file_that_is_there_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["search", str(folder / "tiny.yaml"), "--people", "1", "2", "-o"]
    before = (folder / "small.yaml").read_text()
    assert main([*told, str(folder / "small.yaml")]) == 1
    assert "is there: choose another file by -o" in " ".join(capsys.readouterr().err.split())
    assert (folder / "small.yaml").read_text() == before
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "the study tests everybody in turn"),
        (["--people", "1", "9"], "--people: there is no '9'"),
        (["--people", "1", "2", "--to", "0.01"], "to=0.01: the smallest shape still has"),
        (["--people", "1", "2", "--to", "1.5"], "to=1.5: it is a share"),
        (["--people", "1"], "one person only"),
        (["--people", "1", "2", "--model", "csp"], "--model csp: no efficientvit"),
        (["--people", "1", "2", "--set", "models.vit.prune={to: 0.5}"], "has no efficientvit"),
        (["--people", "1", "2", "--set", "models.vit.layout=both"], "layout='both' is two"),
        (["--people", "1", "2", "--set", "models.vit.family=linear"], "family 'linear', whose"),
    ],
)
def test_mistakes_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    output, cache = folder / "never.yaml", folder / "cache"
    told = ["search", str(folder / "tiny.yaml"), "-o", str(output), "--cache", str(cache)]
    assert main([*told, *more]) == 1
    assert said in " ".join(capsys.readouterr().err.split())
    assert not output.exists()


@pytest.mark.parametrize("by", ["random", "optuna"])
def test_others_train_every_shape_within_the_budget(by: Any, people: Any) -> None:
    if by == "optuna":
        pytest.importorskip("optuna")
    told: list[float] = []
    found = search_shape(
        small(),
        people.X,
        people.labels,
        groups=people.subject,
        to=0.6,
        of="parameters",
        by=by,
        trainings=3,
        on_progress=lambda what, share: told.append(share),
    )
    limit = 0.6 * found.largest.costs["parameters"]
    assert len(found.judged) == 3 and told == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(one.costs["parameters"] <= limit for one in found.judged)
    assert found.best.accuracy == max(one.accuracy for one in found.judged)
    assert found.path == [] and found.preset["widths"] == found.best.shape.widths
    alone = small(preset=found.preset, family=None).fit(people.X, people.labels)
    assert alone.n_parameters_ == found.best.costs["parameters"]
    assert alone.count_macs() == found.best.costs["macs"]


@pytest.mark.parametrize("seed", range(3))
def test_optuna_learns_what_costs_too_much(
    seed: int, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    ground = Ground.of(small(), people.X, people.labels, people.subject)
    limit = 0.3 * ground.costs(ground.space.largest)["macs"]
    asked = []

    def trained(self: Ground, shape: Any, seed: int) -> Judged[Any]:  # the larger the better
        costs = self.costs(shape)
        return Judged(shape, costs["macs"] / 1e9, 0.0, costs)

    def fits(costs: Any) -> bool:
        asked.append(costs)
        return costs["macs"] <= limit

    monkeypatch.setattr(Ground, "trained", trained)
    found = list(islice(by_optuna(ground, fits, seed), 30))
    assert len(found) == 30 and len(asked) < 300


def test_optuna_that_is_missing_is_said(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ValueError, match=r"optuna is not installed: pip install 'eegvit\[comp"):
        search_shape(small(), people.X, people.labels, groups=people.subject, by="optuna")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"of": "mac"}, "of='mac': it is one of macs, parameters, latency"),
        ({"by": "luck"}, "by='luck': it is one of greedy, random, optuna"),
        ({"trainings": 0}, "trainings=0: it must be 1 or more"),
        ({"share": 0.0}, "share=0.0: it must be above 0"),
    ],
)
def test_settings_that_mean_nothing(people: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        search_shape(small(), people.X, people.labels, groups=people.subject, **given)


def test_a_training_that_was_interrupted_goes_on_to_the_same_weights(
    people: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = itertools.count(0, 3600)
    monkeypatch.setattr("eegvit.train.loop.time.monotonic", lambda: next(hours))
    path = tmp_path / "small.part"

    def trained(checkpoint: Path | None, told: Callable[[str, float], None]) -> dict[str, Any]:
        ground = Ground.of(small(epochs=3), people.X, people.labels, people.subject)
        return trained_supernet(ground, 0, checkpoint, told).state_dict()

    def stop(what: str, share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(path, stop)
    assert path.exists()
    again = trained(path, lambda what, share: None)
    whole = trained(None, lambda what, share: None)
    assert not path.exists()
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


def test_a_preset_is_written_as_it_is_read(tmp_path: Path) -> None:
    preset: dict[str, Any] = {"family": "cascaded", "widths": (8, 12), "depths": (1, 2)}
    preset |= {"heads": (2, 2), "key_dim": ((1,), (3, 2)), "ffn_ratio": ((0.5,), (1.5, 0.75))}
    (tmp_path / "a.yaml").write_text(preset_text(preset, ["a/1", "b/ü: 2"], "100 %: 'yes'"))
    read = load_preset(tmp_path / "a.yaml")
    assert read.pop("searched") == {"people": ("a/1", "b/ü: 2"), "said": "100 %: 'yes'"}
    assert read == preset
    study = {"models": {"a": {"branch": "efficientvit", "preset": read}}}
    loaded = load_study({"name": "a", "data": "simulated", **study})
    assert loaded.models["a"].parameters["preset"] == preset
    assert np.isclose(read["ffn_ratio"][1][1], 0.75)
