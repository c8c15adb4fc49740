"""Recordings that are easy to decode, and a study of them as EDF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np

CHANNELS = ("Fz", "C3", "Cz", "C4", "Pz")
RATE = 250.0


def recording(
    seed: int, n_trials: int = 24, rate: float = RATE, strength: float = 8e-6
) -> mne.io.RawArray:
    """Return noise with a rhythm at C3 or C4 for 2 s after each cue, 3 s apart; in volts."""
    rng = np.random.default_rng(seed)
    n_times = int(rate * (4 + 3 * n_trials))
    signals = 1e-5 * rng.standard_normal((len(CHANNELS), n_times))
    sides = ["left", "right"] * (n_trials // 2)
    onsets = 2 + 3.0 * np.arange(n_trials)
    time = np.arange(int(2 * rate)) / rate
    for side, onset in zip(sides, onsets, strict=True):
        at = int(onset * rate)
        rhythm = strength * np.sin(2 * np.pi * 11 * time + rng.uniform(0, 6))
        signals[1 if side == "left" else 3, at : at + len(time)] += rhythm
    raw = mne.io.RawArray(signals, mne.create_info(list(CHANNELS), rate, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations(onsets, 0.0, sides))


def study_of(root: Path, **more: Any) -> dict[str, Any]:
    """Return a study of the EDF files in a folder."""
    card = {
        "name": "edfs",
        "source": "files",
        "simulated": True,
        "options": {"root": str(root), "pattern": "s{subject}.edf"},
        "classes": ["left", "right"],
        "channels": ["C3", "Cz", "C4", "Pz"],
        "band": [8, 30],
        "window": [0.5, 2.5],
        "resample": 125,
    }
    models = {
        "csp": {"branch": "csp_lda", "n_components": 2},
        "raw": {"branch": "mdm", "align": "none"},
        "causal": {"branch": "mdm", "align": {"method": "riemannian", "mode": "causal"}},
        "shifted": {"branch": "tangent_space", "recentre": "session"},
        "net": {"branch": "eegnet", "epochs": 2},
    }
    ensembles = {"both": {"of": ["csp", "net"], "rule": "average"}}
    return {"name": "raws", "data": card, "align": "euclidean", "models": models,
            "ensembles": ensembles} | more  # fmt: skip
