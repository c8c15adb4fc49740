"""What is particular to the GDF files of the BCI Competition IV (data sets 2a and 2b).

Cues are the codes 769 to 772, or 783 in the sessions whose classes were withheld and
published later as `classlabel` in MATLAB files; 1023 marks a trial that experts rejected;
gaps between runs hold the lowest number of the file's format.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from eegvit.data.recordings.marks import Marks

EVENTS = {"769": "left_hand", "770": "right_hand", "771": "feet", "772": "tongue"}
UNKNOWN = "783"
REJECTED = "1023"


def rejected(marks: Marks, onsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cues are the first after a mark of rejection, which stands where a trial begins.

    Examples
    --------
    >>> marks = Marks(np.array([0, 500, 500, 750]), np.array(["769", "768", "1023", "770"]))
    >>> rejected(marks, np.array([0, 750])).tolist()
    [False, True]
    """
    spoilt = np.zeros(len(onsets), dtype=bool)
    positions = np.searchsorted(onsets, marks.samples[marks.texts == REJECTED])
    spoilt[positions[positions < len(onsets)]] = True
    return spoilt


def true_labels(
    path: Path, marks: Marks, events: Mapping[str, str], where: str
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Cues, known and unknown, with the classes that a MATLAB file of true labels gives."""
    chosen = np.isin(marks.texts, [*events, UNKNOWN])
    onsets, texts = marks.samples[chosen], marks.texts[chosen]
    codes = _classlabel(path)
    if len(codes) != len(onsets):
        raise ValueError(
            f"{path}: {len(codes)} labels for the {len(onsets)} cues of {where}; it belongs to"
            " another recording"
        )
    named = {code: events.get(str(768 + code)) for code in set(codes.tolist())}
    without = sorted(code for code, name in named.items() if name is None)
    if without:
        raise ValueError(
            f"{path}: label {without[0]} has no class; label n stands for the event 768 + n, and"
            f" `events` names {', '.join(events)}"
        )
    labels = np.array([named[code] for code in codes.tolist()], dtype=np.str_)
    known = texts != UNKNOWN
    said = np.array([events.get(text, "") for text in texts], dtype=np.str_)
    wrong = np.flatnonzero(known & (said != labels))
    if len(wrong):
        raise ValueError(
            f"{path}: {len(wrong)} labels contradict the cues in {where}, first trial {wrong[0]}:"
            f" '{labels[wrong[0]]}' for a cue '{said[wrong[0]]}'; it belongs to another recording"
        )
    return onsets, labels


def mend_gaps(raw: mne.io.BaseRaw) -> None:
    """Bridge gaps by straight lines, so that a filter can pass, and annotate them as bad."""
    signals = raw.get_data()  # (channels, samples)
    lowest = signals <= np.nanmin(signals, axis=1, keepdims=True)
    gap = np.isnan(signals).any(axis=0)
    if len(signals) > 1:
        gap |= (lowest | np.isnan(signals)).all(axis=0)
    if not gap.any() or gap.all():
        return
    samples = np.arange(signals.shape[1])
    for row, channel in enumerate(signals):
        signals[row, gap] = np.interp(samples[gap], samples[~gap], channel[~gap])
    raw._data[:] = signals
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gap.astype(int), [0]])))
    begins, ends = edges[::2], edges[1::2]
    sfreq = raw.info["sfreq"]
    raw.annotations.append(
        begins / sfreq + (raw.first_time if raw.annotations.orig_time else 0.0),
        (ends - begins) / sfreq,
        "BAD gap",
    )


def _classlabel(path: Path) -> NDArray[np.int64]:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: the file of true labels is missing; the official ones are published with"
            " the results of the competition"
        )
    try:
        codes = np.asarray(loadmat(path)["classlabel"]).ravel()
    except KeyError:
        raise ValueError(f"{path}: no variable `classlabel`; it is no file of labels") from None
    except Exception as error:  # scipy raises many kinds on a damaged file
        raise ValueError(f"{path}: cannot be read as a MATLAB file: {error}") from error
    if not np.isfinite(codes.astype(np.float64)).all():
        raise ValueError(f"{path}: `classlabel` has NaN; these are no true labels")
    return codes.astype(np.int64)
