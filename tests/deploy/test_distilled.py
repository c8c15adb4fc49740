"""Distilled networks: put together again as a decoder, and made for use by a study's results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit import run_study
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.compress import DistilledClassifier
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.onnx import export
from eegvit.ensemble import EnsembleClassifier
from eegvit.trials import Trials

EEGNET: dict[str, Any] = {"kernel_length": 16, "epochs": 2, "batch_size": 8, "device": "cpu"}


def test_a_decoder_holds_it(
    people: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    teacher = EnsembleClassifier(members=["csp_lda", "mdm"], rule="meta")
    model = DistilledClassifier(model=EEGNetClassifier(**EEGNET), teacher=teacher)
    model.fit(people.X, people.labels, groups=people.subject)
    told = model.predict_proba(people.X)
    decoder = decoder_of(model, people)
    decoder.save(tmp_path / "it")
    loaded: Any = Decoder.load(tmp_path / "it").model
    assert type(loaded) is DistilledClassifier
    np.testing.assert_allclose(loaded.predict_proba(people.X), told, atol=1e-6)
    pytest.importorskip("onnxruntime")
    export(decoder, tmp_path / "it.onnx")


def test_a_study_gives_it_fitted_on_all_people_by_its_own_teacher(
    people: Trials, tmp_path: Path
) -> None:
    study = {
        "name": "taught",
        "evaluate": {"test_subjects": ["3"]},
        "models": {
            "csp": {"branch": "csp_lda"},
            "mdm": {"branch": "mdm"},
            "small": {"branch": "eegnet", **EEGNET, "distill": {"from": "both", "weight": 0.9}},
        },
        "ensembles": {"both": {"of": ["csp", "mdm"]}},
    }
    results = run_study(study, people, jobs=0, cache=tmp_path, out=tmp_path / "reports")
    said = results.leaderboard.set_index("model").loc["small"]
    assert said["accuracy"] > 0
    page = (tmp_path / "reports" / "taught" / "leaderboard.html").read_text()
    assert "distilled (from both, weight 0.9, temperature 2)" in page
    assert "no teacher was trained on a person that it tells its student of" in page
    model = results.model("small")
    both = EnsembleClassifier(members=["csp_lda", "mdm"])
    alone = DistilledClassifier(model=EEGNetClassifier(**EEGNET), teacher=both, weight=0.9).fit(
        people.X, people.labels, groups=people.subject
    )
    np.testing.assert_allclose(model.soft_, alone.soft_, atol=1e-6)
    np.testing.assert_allclose(
        model.predict_proba(people.X), alone.predict_proba(people.X), atol=1e-5
    )
