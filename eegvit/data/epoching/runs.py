"""Trials out of one recording, as a card says.

The band-pass is a Butterworth filter of order 4 run forwards and backwards over the
continuous signal (`method="iir"` of MNE, as MOABB filters), so trials carry no edge effects; or
forwards only, where the card asks for what a decoder in use can do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.config import Card
from eegvit.data.epoching.channels import check_finite, eeg_channels, pick_channels, pick_present
from eegvit.data.epoching.defects import Defects, apart
from eegvit.data.epoching.filters import band_pass
from eegvit.data.epoching.window import n_samples, reach, segment
from eegvit.data.notes import note
from eegvit.data.stages import stage
from eegvit.trials import Trials

BEYOND = "beyond the recording"
MARKED = "marked as spoilt"


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


@dataclass(frozen=True, eq=False)
class CutTrials:
    """Trials of a run that were cut before.

    Parameters
    ----------
    X : array, shape (n, channels, times)
        The signals in microvolts.
    labels : array of str, shape (n,)
        Class of each trial; those of classes that the card does not name are left out.
    ch_names : tuple of str
        Names of the channels.
    sfreq : float
        Sampling rate in Hz.
    tmin : float
        Time of the first sample relative to the cue.
    onset : array of float, shape (n,)
        Second of its run at which each cue stands.
    run, where : str
        As for `Recording`.
    """

    X: NDArray[np.floating]
    labels: NDArray[np.str_]
    ch_names: tuple[str, ...]
    sfreq: float
    tmin: float
    onset: NDArray[np.float64]
    run: str = "0"
    where: str = "the recording"


@dataclass(frozen=True, eq=False)
class Run:
    """Trials of one run, which of its cues they are, how many those were, where others went."""

    trials: Trials
    kept: NDArray[np.int64]
    found: int
    left_out: Counter[str]


def cut(recording: Recording | CutTrials, card: Card) -> Run:
    """Trials of a run."""
    if isinstance(recording, CutTrials):
        return _cut_again(recording, card)
    return _cut(recording, card)


def _cut(recording: Recording, card: Card) -> Run:
    raw, where = recording.raw, recording.where
    onsets, labels, artifact = _in_order(recording, card)
    sfreq = float(raw.info["sfreq"])
    first, last = reach(card, sfreq)
    beyond = (onsets + first < 0) | (onsets + last > raw.n_times)
    if beyond.all():
        raise ValueError(
            f"{where}: every trial reaches beyond the recording"
            f" ({raw.n_times / sfreq:.1f} s long); the cues or the window"
            f" {card.window} s are wrong"
        )
    if beyond.any():
        note(
            f"{where}: {beyond.sum()} of {len(onsets)} trials reach beyond the recording and are"
            " left out"
        )
    reasons = {BEYOND: beyond, MARKED: artifact & (card.artifacts == "drop")}
    kept, left_out = _keep(reasons, _defects(raw, onsets, card, where), card, where)
    signals, ch_names = _filtered(raw, card, where)  # (channels, samples)
    rate = card.resample or sfreq
    X = np.empty((len(kept), len(ch_names), n_samples(card.window, rate)), dtype=np.float32)
    with stage("filter"):
        for i, onset in enumerate(onsets[kept]):
            X[i] = segment(signals, int(onset), card, sfreq, X.shape[2]) * recording.to_microvolts
    check_finite(X, ch_names, where)
    trials = _trials(X, labels[kept], onsets[kept] / sfreq, card, ch_names, rate, where)
    return Run(trials, kept, len(onsets), left_out)


def _cut_again(given: CutTrials, card: Card) -> Run:
    """Trials of a run that was cut before.

    There is no signal around a trial, so the card must not ask for a band-pass, nor for a
    window or baseline outside the trials.
    """
    where, sfreq = given.where, given.sfreq
    shift = _room(given, card)
    positions, ch_names = pick_channels(given.ch_names, card.channels, where)
    known = np.flatnonzero(np.isin(given.labels, card.classes))
    onset, labels = _trusted(given, known), given.labels[known]
    X = given.X[known]
    judged, names = pick_present(given.ch_names, card)
    begin = max(0, round(card.judgement.window[0] * sfreq) - shift)
    span = slice(begin, begin + n_samples(card.judgement.window, sfreq))
    bad = Defects.of_trials(X[:, judged, span], names, sfreq)
    kept, left_out = _keep({}, bad, card, where)
    signals = np.asarray(X[kept][:, positions], dtype=np.float64)
    check_finite(signals, ch_names, where)
    rate = card.resample or sfreq
    cuts = np.empty((len(kept), len(ch_names), n_samples(card.window, rate)), dtype=np.float32)
    with stage("filter"):
        for i, trial in enumerate(signals):
            cuts[i] = segment(trial, -shift, card, sfreq, cuts.shape[2])
    trials = _trials(cuts, labels[kept], onset[kept], card, ch_names, rate, where)
    return Run(trials, kept, len(known), left_out)


def _in_order(
    recording: Recording, card: Card
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.bool_]]:
    """The cues of the card's classes in time order."""
    onsets = np.asarray(recording.onsets, dtype=np.int64).reshape(-1)
    labels = np.asarray(recording.labels, dtype=np.str_).reshape(-1)
    marks = recording.artifact if recording.artifact is not None else np.zeros(len(onsets))
    artifact = np.asarray(marks, dtype=bool).reshape(-1)
    if not len(onsets) == len(labels) == len(artifact):
        raise ValueError(
            f"{recording.where}: {len(onsets)} cues, {len(labels)} labels and"
            f" {len(artifact)} artifact marks; there must be one of each per trial"
        )
    order = np.flatnonzero(np.isin(labels, card.classes))
    order = order[np.argsort(onsets[order], kind="stable")]
    _refuse_repeated(onsets[order], labels[order], recording.where)
    return onsets[order], labels[order], artifact[order]


def _refuse_repeated(onsets: NDArray[np.int64], labels: NDArray[np.str_], where: str) -> None:
    """Refuse two cues at one sample; onsets are in order."""
    again = np.flatnonzero(np.diff(onsets) == 0)
    if len(again):
        first, second = labels[again[0]], labels[again[0] + 1]
        raise ValueError(
            f"{where}: {len(again)} of {len(onsets)} cues stand where another does, first at"
            f" sample {onsets[again[0]]} ('{first}' and '{second}'). Its marks are there twice,"
            " or two of the card's `events` are the same moment: keep one."
        )


def _defects(raw: mne.io.BaseRaw, onsets: NDArray[np.int64], card: Card, where: str) -> Defects:
    candidates = eeg_channels(raw, card, where)
    pick_channels(candidates, card.channels, where)
    positions, names = pick_present(candidates, card)
    signals = raw.get_data(picks=[candidates[i] for i in positions])
    sfreq, window = float(raw.info["sfreq"]), card.judgement.window
    begins = onsets + round(window[0] * sfreq)
    return Defects.of_recording(signals, names, sfreq, begins, n_samples(window, sfreq))


def _keep(
    reasons: dict[str, NDArray[np.bool_]], bad: Defects, card: Card, where: str
) -> tuple[NDArray[np.int64], Counter[str]]:
    """Which trials are kept, and for which reason, the first that holds, the others are not."""
    kept, left_out = np.ones(len(bad.still), dtype=bool), Counter[str]()
    for reason, trials in reasons.items():
        left_out[reason] += int((kept & trials).sum())
        kept &= ~trials
    complaint = bad.complaint(kept)
    if complaint and card.bad_trials == "refuse":
        raise ValueError(
            f"{where}: {complaint}. An electrode was off or data were lost. Mend the recording,"
            " leave the channel out of the card's `channels`, or say `bad_trials: drop` in it."
        )
    if complaint:
        note(f"{where}: {complaint}; they are left out")
    for reason, trials in bad.reasons().items():
        left_out[reason] += int((kept & trials).sum())
        kept &= ~trials
    return np.flatnonzero(kept), +left_out


def _room(given: CutTrials, card: Card) -> int:
    """First sample of the trials relative to their cues, if they have all that a card wants."""
    where, sfreq, n_times = given.where, given.sfreq, given.X.shape[2]
    if card.band is not None and card.band != (None, None):
        raise ValueError(
            f"{where}: trials that were cut already cannot be band-passed ({card.band} Hz)"
            " without edge effects. Leave `band` out of the card, or read the continuous"
            " recording."
        )
    first, last = reach(card, sfreq)
    shift = round(given.tmin * sfreq)
    if first < shift or last > shift + n_times:
        raise ValueError(
            f"{where}: its trials last from {given.tmin:g} to {given.tmin + n_times / sfreq:g} s,"
            f" the card wants {first / sfreq:g} to {last / sfreq:g} s (window {card.window},"
            f" baseline {card.baseline})"
        )
    return shift


def _trusted(given: CutTrials, known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cues' seconds, or nan where trials that overlap by them do not hold the same samples.

    Epochs made from arrays are often numbered, not timed.
    """
    order = known[np.argsort(given.onset[known], kind="stable")]
    onset, X = given.onset[order], given.X[order]
    shifts = np.round(np.diff(onset) * given.sfreq).astype(np.int64)
    _refuse_repeated(np.cumsum(np.concatenate([[0], shifts])), given.labels[order], given.where)
    for i in np.flatnonzero(shifts < X.shape[2])[:20]:
        before, after = X[i][:, shifts[i] :], X[i + 1][:, : X.shape[2] - shifts[i]]
        if not np.allclose(np.diff(before), np.diff(after), rtol=1e-3, atol=1e-6 * X[i].std()):
            return np.full(len(known), np.nan)
    return given.onset[known]


def _trials(
    X: NDArray[np.float32], labels: NDArray[np.str_], onset: NDArray[np.float64], card: Card,
    ch_names: tuple[str, ...], sfreq: float, where: str,
) -> Trials:  # fmt: skip
    for sentence in apart(X, ch_names):
        note(f"{where}: {sentence}; was its electrode connected?")
    made = Trials.from_arrays(
        X, labels, sfreq=sfreq, classes=card.classes, ch_names=ch_names, tmin=card.window[0]
    )
    return made.replace(onset=onset)


def _filtered(
    raw: mne.io.BaseRaw, card: Card, where: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Band-passed signals of the card's channels, in the recording's unit."""
    candidates = eeg_channels(raw, card, where)
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
        return band_pass(signals, 2 * nyquist, card.band, card.phase), ch_names
