"""Cues and artifact marks of a continuous recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit.config import Windows

ARTIFACT_NOTES = ("bad", "bnci_artifact")  # how notes on spoilt spans begin


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks of a recording: sample from its beginning, and what each says, in time order."""

    samples: NDArray[np.int64]
    texts: NDArray[np.str_]


def read_marks(raw: mne.io.BaseRaw, stim_channel: str | None, where: str) -> Marks:
    """Every mark of a recording: its annotations, or the codes of a stimulus channel."""
    if stim_channel is not None:
        if stim_channel not in raw.ch_names:
            raise ValueError(
                f"{where}: no stimulus channel '{stim_channel}'; its channels are"
                f" {', '.join(raw.ch_names)}"
            )
        events = mne.find_events(raw, stim_channel, shortest_event=1, verbose="error")
        return Marks(events[:, 0].astype(np.int64) - raw.first_samp, events[:, 2].astype(np.str_))
    texts = [str(text) for text in raw.annotations.description]
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts), start=1)}
    if not codes:
        return Marks(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.str_))
    events, _ = mne.events_from_annotations(raw, codes, regexp=None, verbose="error")
    names = {code: text for text, code in codes.items()}
    return Marks(
        events[:, 0].astype(np.int64) - raw.first_samp,
        np.array([names[code] for code in events[:, 2]], dtype=np.str_),
    )


def cues(
    marks: Marks, events: Mapping[str, str], where: str
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Samples and classes of the marks that stand for classes."""
    chosen = np.isin(marks.texts, list(events))
    if not chosen.any():
        found = sorted(set(marks.texts.tolist()))
        raise ValueError(
            f"{where}: none of its {len(marks.texts)} marks is one of {', '.join(events)}"
            f" (marks: {', '.join(found[:20]) or 'none'}). Say in the card's `events` which mark"
            " stands for which class, or in `stim_channel` where the codes are."
        )
    labels = np.array([events[text] for text in marks.texts[chosen]], dtype=np.str_)
    return marks.samples[chosen], labels


def window_onsets(n_samples: int, sfreq: float, windows: Windows) -> NDArray[np.int64]:
    """First sample of each window of a fixed length over a recording.

    Examples
    --------
    >>> window_onsets(1000, 100.0, Windows(length=4, step=2)).tolist()
    [0, 200, 400, 600]
    """
    step = windows.step or windows.length
    n_windows = int(np.floor((n_samples / sfreq - windows.length) / step + 1e-9)) + 1
    return np.round(np.arange(max(0, n_windows)) * step * sfreq).astype(np.int64)


def spoilt(
    raw: mne.io.BaseRaw, onsets: NDArray[np.int64], window: tuple[float, float]
) -> NDArray[np.bool_]:
    """Which trials overlap a span that an annotation calls bad; onsets are samples.

    Examples
    --------
    >>> info = mne.create_info(["Cz"], 100.0, "eeg")
    >>> raw = mne.io.RawArray(np.zeros((1, 1000)), info, verbose="error")
    >>> _ = raw.set_annotations(mne.Annotations([5.0], [1.0], ["BAD blink"]))
    >>> spoilt(raw, np.array([100, 450]), (0.0, 2.0)).tolist()
    [False, True]
    """
    seconds = onsets / raw.info["sfreq"]
    marked = np.zeros(len(onsets), dtype=bool)
    shift = raw.first_time if raw.annotations.orig_time else 0.0
    for note in raw.annotations:
        if str(note["description"]).lower().startswith(ARTIFACT_NOTES):
            begin = note["onset"] - shift
            end = begin + max(note["duration"], 1 / raw.info["sfreq"])
            marked |= (seconds + window[1] > begin) & (seconds + window[0] < end)
    return marked
