"""Decoders for tests: without a study, and of one of EDF files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raws import recording, study_of
from recorded import write

from eegvit import run_study
from eegvit.config import Card
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.reading import Reading
from eegvit.trials import Trials


@pytest.fixture
def decoder_of() -> Callable[..., Decoder]:
    """Return a function that makes a decoder of a model that was fitted on trials."""

    def make(model: Any, trials: Trials, align: Alignment | None = None) -> Decoder:
        card = Card(
            name="arrays",
            source="files",
            classes=trials.classes,
            channels=trials.ch_names,
            window=(0, trials.n_times / trials.sfreq),
            resample=trials.sfreq,
        )
        scores = dict.fromkeys(("mean", "ci_low", "ci_high", "chance")) | {"status": "missing"}
        about = {
            "model": "it", "branch": "?", "study": "none", "data": ["arrays"], "simulated": True,
            "n_people": 1, "n_trials": len(trials), "metric": "accuracy", "scores": scores,
            "protocol": "cross_subject", "versions": {},
        }  # fmt: skip
        reading = Reading(card, {name: name for name in trials.classes})
        return Decoder(model, reading, align or Alignment(), about)

    return make


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three people's EDF files, and one that the study does not know."""
    root = tmp_path_factory.mktemp("raws")
    for subject in range(1, 4):
        write(root / f"s{subject}.edf", recording(subject))
    write(root / "new" / "x4.edf", recording(4))
    return root


@pytest.fixture(scope="session")
def results(folder: Path) -> Any:
    """Return the results of the study of these files."""
    return run_study(study_of(folder), jobs=0, cache=folder / "cache")


@pytest.fixture(scope="session")
def decoder(results: Any, folder: Path) -> Decoder:
    """Return the decoder of CSP after a file."""
    Decoder.fit(results, "csp").save(folder / "csp.eegvit")
    return Decoder.load(folder / "csp.eegvit")
