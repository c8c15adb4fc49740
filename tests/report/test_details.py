"""What an opened row shows: learning curves of every fit, recall, and YAML that gives the row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from report.browser import Browser

from eegvit.config import load_study
from eegvit.report import write
from eegvit.report.details import configuration, recall_table
from eegvit.report.figures.learning import MOST_EPOCHS, learning_curves
from eegvit.results.metrics import confusion
from eegvit.results.results import Results
from eegvit.study import run_study

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
STUDY: dict[str, Any] = {
    "name": "rows",
    "data": "simulated",
    "align": {"method": "riemannian", "domain": "subject"},
    "view": {"band": [8, 30]},
    "recentre": "session",
    "controls": ["shuffled"],
    "models": {
        "csp": {"branch": "csp_lda", "n_components": 4},
        "net": {"branch": "eegnet", "epochs": 3, "align": "none", "view": {"window": [0.5, 2]}},
        "joined": {"branch": ["fbcsp", {"branch": "eegnet", "dropout": 0.5}], "fuse": "gated"},
        "steps": {
            "branch": "pipeline",
            "steps": [{"from": "eegvit.branches.mdm", "name": "MDMClassifier"}],
        },
        "scratch": {"branch": "eegnet", "pretrain": {"objective": "none"}},
        "pretrained": {"branch": "eegnet", "pretrain": {"objective": "masked"}},
        "odd: name": {"branch": "mdm"},
    },
    "ensembles": {"both": {"of": ["csp", "net"], "rule": "weighted", "learner": "log_loss"}},
}


def test_the_yaml_of_a_row_gives_the_row_in_another_study() -> None:
    study = load_study(STUDY)
    for name in (*study.models, *study.ensembles):
        said = yaml.safe_load(configuration(study, name))
        needed = dict(said["models"])
        if name == "pretrained":
            needed["scratch"] = yaml.safe_load(configuration(study, "scratch"))["models"]["scratch"]
        again = load_study({"name": "other", "data": "simulated", **said, "models": needed})
        if name in study.ensembles:
            assert again.ensembles[name] == study.ensembles[name]
            assert list(again.models) == ["csp", "net"]
            continue
        model, found = study.models[name], again.models[name]
        assert (found.branch, found.parameters) == (model.branch, model.parameters)
        assert found.pretrain == model.pretrain and found.control == model.control
        assert found.align == (model.align or study.align)
        assert found.recentre == study.recentre
        window = (0.5, 2) if name == "net" else None
        assert (found.view.band, found.view.window) == ((8, 30), window)


def test_recall_is_that_of_the_predictions(results: Results) -> None:
    counts = np.sum(
        [
            confusion(told.y, told.probabilities.argmax(1), 4)
            for (name, _), told in results.predictions.items()
            if name == "eegnet"
        ],
        axis=0,
    )
    table = recall_table(results, "eegnet")
    assert table is not None
    for row, name, own in zip(table.bodies[0].rows, CLASSES, counts, strict=True):
        share = 100 * own[CLASSES.index(name)] / own.sum()
        assert [cell.text for cell in row.cells] == [name, f"{share:.1f}", f"{own.sum():,}"]


def history(n_epochs: int, rate: float) -> dict[str, list[float]]:
    epochs = np.arange(n_epochs)
    return {
        "train_loss": (0.7 * np.exp(-rate * epochs)).tolist(),
        "valid_loss": (0.7 - rate * epochs).tolist(),
    }


def test_every_fit_has_its_curve_and_many_are_thinned() -> None:
    fits = [history(n, 0.01) for n in (10, 12, 30)]
    drawn = str(learning_curves(fits, "net", 45))
    assert drawn.count("line each hue-0") == 3 and drawn.count("line each hue-1") == 3
    assert drawn.count('class="line hue-0"') == 1 and "held-out people" in drawn
    (longest,) = {line.count(",") for line in drawn.split("points=") if "each hue-1" in line} - {
        10, 12,
    }  # fmt: skip
    assert longest == 30
    many = str(learning_curves([history(500, 0.001)] * 200, "net", 45))
    assert many.count("line each hue-0") == 45 and len(many) < 60_000
    assert max(line.count(",") for line in many.split("points=")) == MOST_EPOCHS
    alone = str(learning_curves([{"train_loss": [0.7, 0.6]}], "net", 45))
    assert "held-out people" not in alone
    assert learning_curves([{"train_loss": [0.7]}], "net", 45) is None
    assert learning_curves([], "net", 45) is None


def test_losses_of_a_network_are_kept_and_shown(people: Any, tmp_path: Path) -> None:
    models = {
        "csp": {"branch": "csp_lda"},
        "net": {"branch": "eegnet", "epochs": 3, "validation": 0.5, "patience": 2},
    }
    study = {"name": "curves", "models": models}
    first = run_study(study, people, jobs=0, cache=tmp_path / "cache", out=tmp_path)
    (model,) = first.details.histories
    histories = first.details.histories[model]
    assert model == "net" and len(histories) == 3
    assert all(len(h["train_loss"]) == len(h["valid_loss"]) in (2, 3) for h in histories)
    again = run_study(study, people, jobs=0, cache=tmp_path / "cache")
    assert again.details.histories == first.details.histories
    joined = {"net": {**models["net"], "seeds": "mean"}}
    of_seeds = {**study, "models": joined, "evaluate": {"seeds": [0, 1]},
                "ensembles": {"both": {"of": ["net", "csp"]}}}  # fmt: skip
    of_seeds["models"] = {**joined, "csp": models["csp"]}
    several = run_study(of_seeds, people, jobs=0, cache=tmp_path / "cache")
    assert {name: len(fits) for name, fits in several.details.histories.items()} == {"net": 6}
    text = (first.page or tmp_path).read_text(encoding="utf-8")
    assert text.count("line each hue-0") == 3 and "Losses of 3 fits" in text


def test_an_opened_row_has_it_all(browser: Browser, results: Results, tmp_path: Path) -> None:
    told = replace(results, histories={"eegnet": [history(9, 0.02)] * 4})
    file = write(told, tmp_path / "made_up")
    for width in (1440, 390):
        with browser.page(file, width) as page:
            page.locator('tr[data-model="eegnet"] th button').click()
            opened = page.locator("tr.details")
            assert opened.get_by_role("img", name="Learning curves of eegnet").is_visible()
            assert "branch: eegnet" in opened.locator("pre").inner_text()
            assert "recall %" in opened.inner_text() and "CPU time of its 27 fits" in (
                opened.inner_text()
            )
            assert opened.get_by_role("button", name="Save as SVG").count() == 1
            assert browser.serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["scores.csv", "predictions.npz", "manifest.json"])
def test_the_files_of_the_report_are_linked(browser: Browser, made_up: Path, name: str) -> None:
    with browser.page(made_up) as page:
        link = page.get_by_role("link", name=name, exact=True).get_attribute("href")
        assert (made_up.parent / link).is_file()
