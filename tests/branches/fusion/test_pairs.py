"""Every pair of branches that makes sense learns, and says what it costs."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from eegvit.branches.fusion import FusionClassifier

SHORT: dict[str, Any] = {"epochs": 15, "batch_size": 16, "device": "cpu", "sfreq": 128.0}
XS = {"branch": "efficientvit", "preset": "eeg_xs", "layout": "conv"}
SCALP = {"branch": "efficientvit", "layout": "scalp"}
TWO = {"branch": "efficientvit", "preset": "eeg_xs", "layout": "both"}
PAIRS: dict[str, dict[str, Any]] = {
    "fbcsp+eegnet": {"branches": ["fbcsp", "eegnet"]},
    "fbcsp-cnn+eegnet": {"branches": ["fbcsp", "eegnet"], "classical": "cnn"},
    "snn-eegnet": {"branches": ["snn", "eegnet"], "wiring": "series"},
    "snn-efficientvit": {"branches": ["snn", XS], "wiring": "series"},
    "snn+eegnet": {"branches": ["snn", "eegnet"]},
    "snn+efficientvit": {"branches": ["snn", XS]},
    "concat": {"branches": [XS, "eegnet"], "fuse": "concat"},
    "gated": {"branches": [XS, "eegnet"], "fuse": "gated"},
    "attention": {"branches": [XS, "eegnet"], "fuse": "attention"},
    "multiscale": {"branches": [XS, "eegnet"], "fuse": "multiscale"},
    "three": {"branches": ["fbcsp", XS, "eegnet"], "fuse": "attention", "auxiliary": 0.5},
    "fbcsp-cnn": {"branches": ["fbcsp"], "classical": "cnn"},
    "2d-attention": {"branches": [SCALP, "eegnet"], "fuse": "attention"},
    "2d-multiscale": {"branches": [SCALP, "eegnet"], "fuse": "multiscale"},
    "bands-multiscale": {"branches": ["fbcsp", "eegnet"], "classical": "cnn", "fuse": "multiscale"},
    "two-streams": {"branches": [TWO, "eegnet"], "auxiliary": 0.5},
    "series-within": {
        "branches": [{"branch": "fusion", "branches": ["snn", "eegnet"], "wiring": "series"}, XS]
    },
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_learns_an_easy_contrast(name: str, make_trials: Any) -> None:
    train, test = (make_trials(n_trials=48, seed=s, contrast=8.0, n_times=128) for s in (1, 2))
    model = FusionClassifier(**SHORT, learning_rate=5e-3, **PAIRS[name]).fit(train.X, train.labels)
    assert model.score(test.X, test.labels) > 0.8
    assert model.count_macs() > 0 and model.n_parameters_ > 0
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(test.X), model.predict_proba(test.X))
