"""A report never replaces that of another study unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eegvit.config import Model
from eegvit.report import write
from eegvit.report.same_study import asked, refuse_another
from eegvit.results.results import Results, tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")


def test_another_protocol_or_model_is_refused_and_told(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    before = (tmp_path / "scores.csv").read_bytes()
    study = results.study
    seeds = study.model_copy(update={"evaluate": study.evaluate.model_copy(update={"seeds": (7,)})})
    other = {**study.models, "fbcsp": Model(branch="fbcsp", parameters={"n_filters": 2})}
    fewer = {name: model for name, model in study.models.items() if name != "mdm"}
    for changed, why in (
        (seeds, "evaluate.seeds differs"),
        (study.model_copy(update={"models": other}), "models.fbcsp differs"),
        (study.model_copy(update={"models": fewer}), "models.mdm is gone"),
    ):
        with pytest.raises(ValueError, match=f"another study of this name: {why}.*--overwrite"):
            write(tabulate(changed, CLASSES, []), tmp_path)
        assert (tmp_path / "scores.csv").read_bytes() == before
    write(tabulate(seeds, CLASSES, []), tmp_path, overwrite=True)
    assert (tmp_path / "scores.csv").read_bytes() != before


def test_the_same_study_and_one_that_has_grown_are_replaced(
    results: Results, tmp_path: Path
) -> None:
    write(results, tmp_path)
    study = results.study
    more = {**study.models, "new": Model(branch="chance")}
    told = {"models": more, "description": "said otherwise", "reference": "fbcsp"}
    refuse_another(tmp_path, study)
    refuse_another(tmp_path, study.model_copy(update=told))
    refuse_another(tmp_path / "nothing here", study)


def test_reports_of_before_are_known_by_their_study_file(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    file = tmp_path / "manifest.json"
    about = {k: v for k, v in json.loads(file.read_text("utf-8")).items() if k != "asked"}
    file.write_text(json.dumps(about))
    refuse_another(tmp_path, results.study)
    with pytest.raises(ValueError, match="its study file says something else"):
        refuse_another(tmp_path, results.study.model_copy(update={"source_text": "name: x\n"}))
    file.write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        refuse_another(tmp_path, results.study)


def test_what_is_asked_has_no_folder_of_this_machine(results: Results) -> None:
    study = results.study
    card = study.data[0].model_copy(update={"origin": "/home/somebody/card.yaml"})
    told = {"weights": "/home/somebody/net.safetensors", "data": card}
    models = {"net": Model(branch="eegnet", pretrain=told)}
    said = json.dumps(asked(study.model_copy(update={"data": (card,), "models": models})))
    assert "somebody" not in said and "net.safetensors" in said
