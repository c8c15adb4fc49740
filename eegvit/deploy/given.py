"""What a decoder is given to decode: files, recordings, or trials that were cut before."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from eegvit.config import Windows
from eegvit.deploy.files import files_of
from eegvit.deploy.reading import Cues, Read, Reading
from eegvit.preprocess.signals import EEG, read
from eegvit.trials import Trials

if TYPE_CHECKING:
    import mne

File: TypeAlias = "str | Path | mne.io.BaseRaw"


def parts_of(
    reading: Reading,
    recording: File | Trials | EEG | Sequence[File],
    cues: Sequence[str] | Mapping[str, str] | None,
    windows: tuple[float, float] | None,
    to_microvolts: float | None,
) -> list[Read]:
    """Return the trials of each recording; parameters are those of `Decoder.predict`."""
    if isinstance(recording, Trials):
        return [_ordered(reading, recording)]
    several: list[Any] = list(recording) if isinstance(recording, list | tuple) else [recording]
    if not all(isinstance(one, str | os.PathLike) or _is_raw(one) for one in several):
        return [_prepared(reading, recording)]
    if isinstance(cues, str):
        raise ValueError(f"cues={cues!r}: give a list of marks, [{cues!r}]")
    marks = meant(cues, reading.marks)
    asked = Cues(marks, None if windows is None else Windows(length=windows[0], step=windows[1]))
    if to_microvolts is not None:
        reading = replace(reading, to_microvolts=to_microvolts)
    files = [found for one in several for found in ([one] if _is_raw(one) else files_of([one]))]
    return [reading.read(one, asked) for one in files]


def _ordered(reading: Reading, trials: Trials) -> Read:
    """Check trials that were filtered and cut before; their channels are put in order."""
    if trials.n_times != reading.n_times or abs(trials.sfreq / reading.sfreq - 1) > 1e-5:
        raise ValueError(
            f"the trials have {trials.n_times} samples at {trials.sfreq:g} Hz, and this decoder"
            f" takes {reading.n_times} at {reading.sfreq:g} Hz"
        )
    missing = [name for name in reading.ch_names if name not in trials.ch_names]
    if missing:
        raise ValueError(
            f"the trials lack {len(missing)} of the {len(reading.ch_names)} channels of this"
            f" decoder: {', '.join(missing[:8])}"
        )
    places = [trials.ch_names.index(name) for name in reading.ch_names]
    classes, labels = reading.card.classes, trials.labels
    known = np.isin(labels, classes)
    y = np.array([classes.index(n) if n in classes else 0 for n in labels.tolist()])
    ordered = trials.replace(
        X=trials.X[:, places], y=y.astype(np.int64), classes=classes, ch_names=reading.ch_names
    )
    return Read(ordered, known, "trials")


def _prepared(reading: Reading, X: Any) -> Read:
    """Check an array or Epochs, of which nothing but the signals is used."""
    found = read(X, "this decoder", sfreq=reading.sfreq, ch_names=reading.ch_names)
    shape = (len(reading.ch_names), reading.n_times)
    if found.X.shape[1:] != shape:
        raise ValueError(
            f"X has {found.X.shape[1]} channels x {found.X.shape[2]} times, and this decoder"
            f" takes {shape[0]} x {shape[1]}"
        )
    made = Trials.from_arrays(
        found.X,
        [reading.card.classes[0]] * len(found.X),
        sfreq=reading.sfreq,
        classes=reading.card.classes,
        ch_names=reading.ch_names,
        tmin=reading.card.window[0],
    )
    return Read(made, np.zeros(len(made), dtype=bool), "trials")


def meant(
    cues: Sequence[str] | Mapping[str, str] | None, marks: Mapping[str, str]
) -> Mapping[str, str] | None:
    """Return which mark means which class; marks that are only named mean what they did."""
    if cues is None or isinstance(cues, Mapping):
        return cues
    return {mark: marks.get(mark, "") for mark in cues}


def _is_raw(value: object) -> bool:
    """Say whether something is a continuous recording of MNE."""
    return hasattr(value, "n_times") and hasattr(value, "annotations")
