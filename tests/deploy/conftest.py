"""Decoders for tests, without a study."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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
