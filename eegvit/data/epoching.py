"""Continuous recordings and their cues to Trials, as a card says.

The band-pass is a Butterworth filter of order 4 run forwards and backwards over the
continuous signal (`method="iir"` of MNE, as MOABB filters), so trials carry no edge effects.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.config import Card
from eegvit.data.stages import stage
from eegvit.data.window import n_samples, reach, segment
from eegvit.registry import suggest
from eegvit.trials import Trials, concatenate


@dataclass(frozen=True, eq=False)
class Recording:
    """One continuous recording (a run) and its cues.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The signals, usually in volts.
    onsets : array of int, shape (n,)
        Sample of each cue, counted from the first sample of the recording.
    labels : array of str, shape (n,)
        Class of each cue; cues of classes that the card does not name are left out.
    artifact : array of bool, shape (n,), optional
        Trials that the data set marks as spoilt: kept or dropped as the card says.
    run : str
        Name of the run.
    where : str
        What error messages call the recording: its file, or its data set and subject.
    to_microvolts : float
        Factor from the recording's unit to microvolts.
    """

    raw: mne.io.BaseRaw
    onsets: ArrayLike
    labels: ArrayLike
    artifact: ArrayLike | None = None
    run: str = "0"
    where: str = "the recording"
    to_microvolts: float = 1e6


def session_trials(
    recordings: Iterable[Recording], card: Card, *, subject: str, session: str
) -> Trials:
    """Filter, cut, resample and join the runs of one session, given in time order.

    A trial's index counts every cue of the card's classes, also of trials left out because
    they are marked or reach beyond the recording: a trial is called the same in every view.
    """
    parts: list[Trials] = []
    n_cues, seen, where = 0, set[str](), ""
    for recording in recordings:
        onsets, labels, artifact, others = _cues(recording, card)
        seen |= others
        where = where or recording.where
        if not len(onsets):
            continue
        trials, kept = _cut(recording, onsets, labels, card)
        parts.append(
            label_trials(
                trials,
                subject=subject,
                session=session,
                run=recording.run,
                index=n_cues + kept,
                keep=~artifact[kept] if card.artifacts == "drop" else None,
            )
        )
        n_cues += len(onsets)
    if not parts:
        raise ValueError(
            f"{where or f'subject {subject}, session {session}'}: no cue of the classes"
            f" {list(card.classes)} (cues found: {sorted(seen) or 'none'})"
        )
    return concatenate(parts)


def label_trials(
    trials: Trials,
    *,
    subject: str,
    session: str,
    run: str,
    index: NDArray[np.int64],
    keep: NDArray[np.bool_] | None = None,
) -> Trials:
    """Say whose trials these are; `keep` selects among them afterwards."""
    n = len(trials)
    labelled = trials.replace(
        subject=np.full(n, str(subject)),
        session=np.full(n, str(session)),
        run=np.full(n, str(run)),
        index=np.asarray(index, dtype=np.int64),
    )
    return labelled if keep is None else labelled[keep]


def cut_epochs(
    X: NDArray[Any],
    labels: NDArray[np.str_],
    card: Card,
    *,
    ch_names: tuple[str, ...],
    sfreq: float,
    tmin: float,
    where: str,
) -> Trials:
    """Trials from recordings that were cut already; X is (n, channels, times) in microvolts.

    There is no signal around a trial, so the card must not ask for a band-pass, nor for a
    window or baseline outside the trials.
    """
    if card.band is not None and card.band != (None, None):
        raise ValueError(
            f"{where}: trials that were cut already cannot be band-passed ({card.band} Hz)"
            " without edge effects. Leave `band` out of the card, or read the continuous"
            " recording."
        )
    first, last = reach(card, sfreq)
    shift = round(tmin * sfreq)
    if first < shift or last > shift + X.shape[2]:
        raise ValueError(
            f"{where}: its trials last from {tmin:g} to {tmin + X.shape[2] / sfreq:g} s, the card"
            f" wants {first / sfreq:g} to {last / sfreq:g} s (window {card.window}, baseline"
            f" {card.baseline})"
        )
    positions, names = pick_channels(ch_names, card.channels, where)
    signals = np.asarray(X, dtype=np.float64)[:, positions]
    check_finite(signals, names, where)
    rate = card.resample or sfreq
    cuts = np.empty((len(X), len(names), n_samples(card.window, rate)), dtype=np.float32)
    with stage("filter"):
        for i, trial in enumerate(signals):
            cuts[i] = segment(trial, -shift, card, sfreq, cuts.shape[2])
    return Trials.from_arrays(
        cuts, labels, sfreq=rate, classes=card.classes, ch_names=names, tmin=card.window[0]
    )


def pick_channels(
    names: Iterable[str], wanted: tuple[str, ...] | None, where: str
) -> tuple[list[int], tuple[str, ...]]:
    """Positions of the wanted channels, by name without regard to case, and their names.

    Examples
    --------
    >>> pick_channels(["Fz", "C3", "CZ"], ("Cz", "C3"), "a.edf")
    ([2, 1], ('Cz', 'C3'))
    """
    found = list(names)
    if wanted is None:
        return list(range(len(found))), tuple(found)
    position = {name.lower(): i for i, name in reversed(list(enumerate(found)))}
    missing = [name for name in wanted if name.lower() not in position]
    if missing:
        raise ValueError(
            f"{where}: no channel '{missing[0]}'{suggest(missing[0], found)}"
            f" ({len(missing)} of the card's {len(wanted)} channels are missing;"
            f" the recording has {', '.join(found)})"
        )
    return [position[name.lower()] for name in wanted], tuple(wanted)


def check_finite(X: NDArray[Any], ch_names: tuple[str, ...], where: str) -> None:
    """Refuse NaN and infinity, naming the trial and the channel; X is (n, channels, times)."""
    if X.size and not np.isfinite(X.sum(dtype=np.float64)):
        spoilt = ~np.isfinite(X).all(axis=-1)  # (n, channels)
        trial, channel = np.argwhere(spoilt)[0]
        raise ValueError(
            f"{where}: {int(spoilt.any(axis=1).sum())} of {len(X)} trials have NaN or infinite"
            f" samples, first trial {trial}, channel {ch_names[channel]}. The recording has gaps"
            " or was damaged; mend or cut it first."
        )


def _cues(
    recording: Recording, card: Card
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.bool_], set[str]]:
    """The cues of the card's classes in time order, and which other labels there are."""
    onsets = np.asarray(recording.onsets, dtype=np.int64).reshape(-1)
    labels = np.asarray(recording.labels, dtype=np.str_).reshape(-1)
    marks = recording.artifact if recording.artifact is not None else np.zeros(len(onsets))
    artifact = np.asarray(marks, dtype=bool).reshape(-1)
    if not len(onsets) == len(labels) == len(artifact):
        raise ValueError(
            f"{recording.where}: {len(onsets)} cues, {len(labels)} labels and"
            f" {len(artifact)} artifact marks; there must be one of each per trial"
        )
    known = np.isin(labels, card.classes)
    order = np.flatnonzero(known)
    order = order[np.argsort(onsets[order], kind="stable")]
    return onsets[order], labels[order], artifact[order], set(labels[~known].tolist())


def _cut(
    recording: Recording, onsets: NDArray[np.int64], labels: NDArray[np.str_], card: Card
) -> tuple[Trials, NDArray[np.int64]]:
    """Trials of one run, and which of its cues they come from."""
    raw, where = recording.raw, recording.where
    sfreq = float(raw.info["sfreq"])
    signals, ch_names = _filtered(raw, card, where)  # (channels, samples)
    first, last = reach(card, sfreq)
    kept = np.flatnonzero((onsets + first >= 0) & (onsets + last <= signals.shape[1]))
    if not len(kept):
        raise ValueError(
            f"{where}: every trial reaches beyond the recording"
            f" ({signals.shape[1] / sfreq:.1f} s long); the cues or the window"
            f" {card.window} s are wrong"
        )
    if len(kept) < len(onsets):
        warnings.warn(
            f"{where}: {len(onsets) - len(kept)} of {len(onsets)} trials reach beyond the"
            " recording and are left out",
            stacklevel=4,
        )
    rate = card.resample or sfreq
    X = np.empty((len(kept), len(ch_names), n_samples(card.window, rate)), dtype=np.float32)
    with stage("filter"):
        for i, onset in enumerate(onsets[kept]):
            X[i] = segment(signals, int(onset), card, sfreq, X.shape[2]) * recording.to_microvolts
    check_finite(X, ch_names, where)
    trials = Trials.from_arrays(
        X, labels[kept], sfreq=rate, classes=card.classes, ch_names=ch_names, tmin=card.window[0]
    )
    return trials, kept.astype(np.int64)


def _filtered(
    raw: mne.io.BaseRaw, card: Card, where: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Band-passed signals of the card's channels, in the recording's unit."""
    candidates = list(raw.ch_names)
    if card.channels is None:
        eeg = mne.pick_types(raw.info, eeg=True, exclude=[])
        candidates = [raw.ch_names[i] for i in eeg]
        if not candidates:
            raise ValueError(f"{where}: no channel of type EEG; name the card's `channels`")
    positions, ch_names = pick_channels(candidates, card.channels, where)
    signals = raw.get_data(picks=[candidates[i] for i in positions])
    if card.band is None or card.band == (None, None):
        return signals, ch_names
    low, high = card.band
    nyquist = float(raw.info["sfreq"]) / 2
    if max(low or 0, high or 0) >= nyquist:
        raise ValueError(
            f"{where}: the band {card.band} Hz does not fit below {nyquist:g} Hz, half the"
            f" sampling rate of {2 * nyquist:g} Hz"
        )
    if not np.isfinite(signals.sum()):
        spoilt = ~np.isfinite(signals)
        raise ValueError(
            f"{where}: {int(spoilt.any(axis=0).sum())} of {signals.shape[1]} samples are NaN or"
            f" infinite, first in channel {ch_names[int(np.argmax(spoilt.any(axis=1)))]}; a"
            " filter would spread them. The recording has gaps or was damaged: mend it first."
        )
    with stage("filter"):
        filtered = mne.filter.filter_data(
            signals, raw.info["sfreq"], low, high, method="iir", copy=False, verbose="error"
        )
    return filtered, ch_names
