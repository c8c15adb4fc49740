"""XDF files, which recorders of the lab streaming layer write: one stream of EEG, and its marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit.registry import optional

TO_MICROVOLTS = {
    **dict.fromkeys(("microvolts", "microvolt", "uv", "µv", "-6", "micro"), 1.0),
    **dict.fromkeys(("millivolts", "millivolt", "mv", "-3", "milli"), 1e3),
    **dict.fromkeys(("volts", "volt", "v", "0"), 1e6),
}  # names of units, and exponents as MNE-LSL writes them
STIM = ("stim", "markers", "marker", "trigger")  # types of channels that hold codes
OTHER = ("eog", "ecg", "emg", "misc")
BREAK = 0.1  # seconds between two samples from which it is not jitter that sets them apart
BROKEN = 1.5  # sampling intervals between two samples from which some are missing


def read_raw_xdf(path: str | Path, preload: bool = True) -> mne.io.RawArray:
    """Return the EEG of an XDF file in volts, marks of all its streams as annotations.

    Samples that are missing are filled with the last one there is, and marked as bad.
    """
    streams, _ = optional("pyxdf").load_xdf(
        str(path), jitter_break_threshold_seconds=BREAK, jitter_break_threshold_samples=0
    )
    stream = _eeg(streams)
    info = stream["info"]
    times, X = np.asarray(stream["time_stamps"]), np.asarray(stream["time_series"], dtype=float)
    if not len(times):
        raise ValueError("its stream of EEG has no samples")
    sfreq = float(info["nominal_srate"][0])
    names, kinds, units = _channels(info, X.shape[1])
    factors = {
        TO_MICROVOLTS.get(u, 1.0) for u, kind in zip(units, kinds, strict=True) if kind == "eeg"
    }
    if len(factors) > 1:
        raise ValueError(f"its channels have several units: {', '.join(sorted(set(units)))}")
    scale = np.array([1e-6 * max(factors, default=1.0) if k == "eeg" else 1.0 for k in kinds])
    signals, gaps = _even(scale[:, None] * X.T, times, sfreq)
    raw = mne.io.RawArray(signals, mne.create_info(names, sfreq, kinds), verbose="error")
    marks = [
        (float(when - times[0]), 0.0, str(said[0]))
        for other in streams
        if float(other["info"]["nominal_srate"][0]) == 0
        for when, said in zip(other["time_stamps"], other["time_series"], strict=True)
    ]
    notes = sorted([*marks, *gaps])
    onsets, durations, texts = zip(*notes, strict=True) if notes else ((), (), ())
    return raw.set_annotations(mne.Annotations(onsets, durations, texts))


def _eeg(streams: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the stream of EEG: the only one of that type, or with a sampling rate."""
    even = [s for s in streams if float(s["info"]["nominal_srate"][0]) > 0]
    named = [s for s in even if s["info"]["type"][0].lower() == "eeg"]
    found = named or even
    if len(found) != 1:
        there = ", ".join(f"{s['info']['name'][0]} ({s['info']['type'][0]})" for s in streams)
        raise ValueError(f"it holds {len(found)} streams that may be the EEG; its streams: {there}")
    return found[0]


def _channels(info: dict[str, Any], n: int) -> tuple[list[str], list[str], list[str]]:
    """Return names, types as MNE calls them, and units of a stream's channels."""
    described = ((info.get("desc") or [None])[0] or {}).get("channels") or [{}]
    channels = (described[0] or {}).get("channel") or [{}] * n
    said = [{key: (value or [""])[0] for key, value in channel.items()} for channel in channels]
    names = [str(one.get("label") or i) for i, one in enumerate(said, 1)]
    kinds = [_kind(str(one.get("type") or "eeg").lower()) for one in said]
    return names, kinds, [str(one.get("unit") or "microvolts").lower() for one in said]


def _kind(said: str) -> str:
    return "stim" if said in STIM else said if said in OTHER else "eeg"


def _even(
    signals: NDArray[np.float64], times: NDArray[np.float64], sfreq: float
) -> tuple[NDArray[np.float64], list[tuple[float, float, str]]]:
    """Return signals without gaps, and where there were some: onset, duration, what is said."""
    steps = np.diff(times)
    broken = np.flatnonzero(steps > BROKEN / sfreq)
    lost = np.round(steps[broken] * sfreq).astype(np.int64) - 1
    counts = np.ones(signals.shape[1], dtype=np.int64)
    counts[broken] += lost
    begins = np.cumsum(counts)[broken] - lost  # of each gap, in even samples
    gaps = [
        (float(at / sfreq), float(n / sfreq), "BAD_gap") for at, n in zip(begins, lost, strict=True)
    ]
    return np.repeat(signals, counts, axis=1), gaps
