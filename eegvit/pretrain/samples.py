"""What is pretrained on: trials, or windows of continuous recordings, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Codes = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Samples:
    """Signals and what is known of each.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    person, recording : arrays of int64, shape (n,)
    position : array of int64, shape (n,)
        Where in its recording a sample is, in steps from one to the next.
    label : array of int64, shape (n,)
        Class code, or -1 where it is not known.
    """

    X: NDArray[np.floating[Any]]
    person: Codes
    recording: Codes
    position: Codes
    label: Codes

    @property
    def facts(self) -> Codes:
        """Person, recording, position and label: (n, 4)."""
        return np.stack([self.person, self.recording, self.position, self.label], axis=1)


def samples(
    X: NDArray[np.floating[Any]],
    *,
    people: ArrayLike | None = None,
    recordings: ArrayLike | None = None,
    labels: Codes | None = None,
) -> Samples:
    """Return trials as samples, each recording's in the order given.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    people, recordings : arrays or None
        Names; recordings with one name are several if they are of several people. Without
        people all are one person's; without recordings each person has one.
    labels : array of int64 or None
        Class codes, -1 where they are not known.

    Examples
    --------
    >>> trials = samples(np.zeros((4, 2, 9)), people=["a", "b", "a", "b"])
    >>> trials.recording.tolist(), trials.position.tolist()
    ([0, 1, 0, 1], [0, 0, 1, 1])
    """
    n = len(X)
    person = codes_of(people, n, "people")
    recording = codes_of(recordings, n, "recordings")
    recording = np.unique(np.stack([person, recording], 1), axis=0, return_inverse=True)[1]
    recording = recording.reshape(-1).astype(np.int64)
    position = np.empty(n, dtype=np.int64)
    for code in np.unique(recording):
        own = np.flatnonzero(recording == code)
        position[own] = np.arange(len(own))
    label = np.full(n, UNKNOWN) if labels is None else np.asarray(labels, dtype=np.int64)
    return Samples(X, person, recording, position, label)


def windows(
    recordings: Sequence[Any],
    *,
    length: int,
    stride: int,
    people: Sequence[Any] | None = None,
) -> Samples:
    """Cut continuous recordings into windows.

    Parameters
    ----------
    recordings : sequence of array (channels, times) or mne.io.Raw
        A Raw is taken in microvolts, annotations that begin with "bad" left out.
    length, stride : int
        Of a window, and from one to the next, in time samples.
    people : sequence or None
        Whose each recording is.

    Examples
    --------
    >>> cut = windows([np.zeros((3, 100)), np.ones((3, 60))], length=40, stride=20)
    >>> cut.X.shape, cut.recording.tolist(), cut.position.tolist()
    ((6, 3, 40), [0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 0, 1])
    """
    if length < 2 or stride < 1:
        raise ValueError(f"length={length}, stride={stride}: they must be 2 and 1 or more")
    parts, positions = [], []
    for recording in recordings:
        signals, good = signals_of(recording)
        if signals.shape[1] < length:
            raise ValueError(f"a recording of {signals.shape[1]} samples has no window of {length}")
        cut = np.lib.stride_tricks.sliding_window_view(signals, length, axis=1)[:, ::stride]
        whole = np.lib.stride_tricks.sliding_window_view(good, length)[::stride].all(axis=1)
        parts.append(cut.transpose(1, 0, 2)[whole].astype(np.float32))
        positions.append(np.flatnonzero(whole))
    counts = [len(part) for part in parts]
    if not sum(counts):
        raise ValueError("no window is free of bad stretches")
    recording = np.repeat(np.arange(len(parts)), counts)
    whose = np.zeros(len(parts), int) if people is None else codes_of(people, len(parts), "people")
    position = np.concatenate(positions)
    label = np.full(len(recording), UNKNOWN)
    return Samples(np.concatenate(parts), whose[recording], recording, position, label)


def stretches(
    X: NDArray[np.floating[Any]], length: int
) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
    """Cut trials (n, channels, times) into stretches one after the other; what is left is lost.

    Returns
    -------
    X : array, shape (stretches, channels, length)
    of : array of int64
        The trial of each stretch.

    Examples
    --------
    >>> X, of = stretches(np.arange(10.0).reshape(2, 1, 5), 2)
    >>> X[:, 0].tolist(), of.tolist()
    ([[0.0, 1.0], [2.0, 3.0], [5.0, 6.0], [7.0, 8.0]], [0, 0, 1, 1])
    """
    n, n_channels, n_times = X.shape
    each = n_times // length
    if not each:
        raise ValueError(f"trials of {n_times} samples have no stretch of {length}")
    cut = X[:, :, : each * length].reshape(n, n_channels, each, length)
    return cut.transpose(0, 2, 1, 3).reshape(-1, n_channels, length), np.repeat(np.arange(n), each)


def signals_of(recording: Any) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]:
    """Return the signals (channels, times) of a recording, and which times are good."""
    if hasattr(recording, "get_data") and hasattr(recording, "info"):  # mne.io.Raw
        signals = 1e6 * recording.get_data()
        good = np.ones(signals.shape[1], dtype=bool)
        rate, origin = recording.info["sfreq"], getattr(recording, "first_time", 0.0)
        for mark in recording.annotations:
            if mark["description"].lower().startswith("bad"):
                start = mark["onset"] - origin
                first, last = round(start * rate), round((start + mark["duration"]) * rate)
                good[max(0, first) : max(0, last) + 1] = False
    else:
        signals = np.asarray(recording)
        if signals.ndim != 2:
            raise ValueError(f"a recording has shape {signals.shape}, expected (channels, times)")
        good = np.ones(signals.shape[1], dtype=bool)
    return signals, good & np.isfinite(signals).all(axis=0)


def codes_of(names: ArrayLike | None, n: int, what: str) -> Codes:
    """Return a code for each of n names, 0 for all where there are none."""
    if names is None:
        return np.zeros(n, dtype=np.int64)
    given = np.asarray(names)
    if given.shape != (n,):
        raise ValueError(f"{what} has shape {given.shape}, expected ({n},)")
    return np.unique(given, return_inverse=True)[1].astype(np.int64)


def near(facts: Codes, chosen: Codes, apart: int, rng: np.random.Generator) -> Codes:
    """Return, for each chosen sample, one within `apart` steps of the same recording.

    A sample that has no neighbour is its own.

    Examples
    --------
    >>> facts = samples(np.zeros((6, 1, 2)), people=list("aaabbb")).facts
    >>> near(facts, np.array([0, 5]), 1, np.random.default_rng(0)).tolist()
    [1, 4]
    """
    order = np.lexsort((facts[:, 2], facts[:, 1]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    step = rng.integers(1, apart + 1, size=len(chosen)) * rng.choice([-1, 1], size=len(chosen))

    def moved(steps: Codes) -> tuple[Codes, NDArray[np.bool_]]:
        other = order[np.clip(rank[chosen] + steps, 0, len(order) - 1)]
        alike = facts[other, 1] == facts[chosen, 1]
        gap = np.abs(facts[other, 2] - facts[chosen, 2])
        return other, alike & (gap <= apart) & (gap > 0)

    found = chosen.copy()
    for steps in (np.sign(step), -np.sign(step), -step, step):  # the last that fits is taken
        other, fits = moved(steps)
        found = np.where(fits, other, found)
    return found
