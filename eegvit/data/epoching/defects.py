"""What is wrong with signals that can be read: channels that stand still, double or stand apart.

Electrodes that came off, lost packets and full amplifiers leave a channel at one value; bridged
electrodes and faulty montages give one signal twice. Either makes covariances singular, which
some models notice and others do not. So it is looked for here, before a filter hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

STILL = 0.2  # seconds at one value; channels of coarse steps stay there for 0.06 at most
_RARELY = 1e-3  # of the steps; a channel that repeats a value more rarely is finely resolved
_FINE = 4  # steps that such a channel does not stay at one value
_TOGETHER = 24  # values, of all channels, that do not stay as they were at once by chance
_SAME = 1 - 1e-6  # correlation of two channels' steps from which they are one signal
_APART = 50.0  # times stronger or weaker than the middle channel
_LOOKED_AT = 20_000  # steps that are compared


@dataclass(frozen=True, eq=False)
class Defects:
    """What a run's trials should not hold.

    Parameters
    ----------
    still : array of bool, shape (trials, channels)
        Where a channel stands at one value.
    same : list of (str, str)
        Channels that hold one signal throughout.
    ch_names : tuple of str
        Names of the channels.
    """

    still: NDArray[np.bool_]
    same: list[tuple[str, str]]
    ch_names: tuple[str, ...]

    @classmethod
    def of_recording(
        cls,
        signals: Array,
        ch_names: tuple[str, ...],
        sfreq: float,
        begins: NDArray[np.int64],
        n: int,
    ) -> Defects:
        """Look at the trials of an unfiltered recording (channels, samples)."""
        return cls(still(signals, sfreq, begins, n), same(signals, ch_names), ch_names)

    @classmethod
    def of_trials(cls, X: Array, ch_names: tuple[str, ...], sfreq: float) -> Defects:
        """Look at trials (n, channels, times) that were cut already.

        Examples
        --------
        >>> X = np.random.default_rng(0).standard_normal((4, 2, 100))
        >>> X[1, 0] = 3
        >>> Defects.of_trials(X, ("C3", "Cz"), 100.0).complaint(np.ones(4, bool))
        'in 1 of 4 trials a channel stays at one value (C3), first in trial 1'
        """
        joined = np.moveaxis(X, 1, 0).reshape(len(ch_names), -1)  # (channels, trials x times)
        begins = np.arange(len(X)) * X.shape[2]
        return cls(still(joined, sfreq, begins, X.shape[2]), same(X, ch_names), ch_names)

    def reasons(self) -> dict[str, NDArray[np.bool_]]:
        """Reason -> which trials it spoils."""
        spoilt: dict[str, NDArray[np.bool_]] = {}
        if self.still.any():
            reason = f"a channel stays at one value ({_listed(self._still_names())})"
            spoilt[reason] = np.asarray(self.still.any(axis=1))
        if self.same:
            spoilt[f"{_pair(self.same)} are one signal"] = np.ones(len(self.still), dtype=bool)
        return spoilt

    def complaint(self, among: NDArray[np.bool_]) -> str | None:
        """Say what is wrong with some of the trials, or None."""
        spoilt = self.still.any(axis=1) & among
        if self.same and among.any():
            return f"channels {_pair(self.same)} hold one signal in all {len(among)} trials"
        if spoilt.any():
            return (
                f"in {spoilt.sum()} of {len(among)} trials a channel stays at one value"
                f" ({_listed(self._still_names())}), first in trial {int(spoilt.argmax())}"
            )
        return None

    def _still_names(self) -> list[str]:
        return [self.ch_names[i] for i in np.flatnonzero(self.still.any(axis=0))]


def still(signals: Array, sfreq: float, begins: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    """Which channels stand still in which trials: (trials, channels).

    One channel for `STILL` seconds; or for a few samples, if it is so finely resolved that it
    hardly ever repeats a value, or if all do at once.

    Parameters
    ----------
    signals : array, shape (channels, samples)
        An unfiltered recording.
    sfreq : float
        Its sampling rate.
    begins : array of int, shape (trials,)
        First sample of each trial, which may lie outside the recording.
    n : int
        Samples of a trial.

    Examples
    --------
    >>> signals = np.random.default_rng(0).standard_normal((2, 300))
    >>> signals[1, 120:160] = 0
    >>> still(signals, 100.0, np.array([0, 100, 200]), 100).tolist()
    [[False, False], [False, True], [False, False]]
    """
    unmoved = np.diff(signals) == 0  # (channels, steps)
    found = np.empty((len(begins), len(signals)), dtype=bool)
    for channel, steps in enumerate(unmoved):
        n_runs = int(steps[:1].sum()) + np.count_nonzero(steps[1:] & ~steps[:-1])
        n_steps = _FINE if n_runs < _RARELY * len(steps) else max(_FINE, round(STILL * sfreq))
        found[:, channel] = _stops(steps, n_steps, begins, n)
    if len(signals) > 2:
        n_steps = max(2, -(-_TOGETHER // len(signals)))
        found |= _stops(unmoved.all(axis=0), n_steps, begins, n)[:, None]
    return found


def _stops(
    unmoved: NDArray[np.bool_], n_steps: int, begins: NDArray[np.int64], n: int
) -> NDArray[np.bool_]:
    """Which trials touch a stretch of at least so many steps of nothing."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], unmoved, [0]]).astype(np.int8)))
    stretches = edges.reshape(-1, 2)  # first step of each, one past the last
    steps = np.zeros(len(unmoved) + 1, dtype=np.int64)
    for first, end in stretches[np.diff(stretches, axis=1)[:, 0] >= n_steps]:
        steps[first + 1 : end + 1] = 1
    before = np.cumsum(steps)  # steps of such stretches before each sample
    first, last = (before[np.clip(k, 0, len(unmoved))] for k in (begins, begins + n - 1))
    return np.asarray(last > first)


def same(signals: Array, ch_names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of channels that hold one signal, perhaps scaled or inverted.

    Signals are (channels, samples) or (trials, channels, samples).

    Examples
    --------
    >>> a, b = np.random.default_rng(0).standard_normal((2, 500))
    >>> same(np.stack([a, b, 5 - 2 * a]), ["C3", "Cz", "C4"])
    [('C3', 'C4')]
    """
    steps = np.diff(signals, axis=-1)
    steps = np.moveaxis(steps, -2, 0).reshape(len(ch_names), -1)
    steps = steps[:, :: -(-steps.shape[1] // _LOOKED_AT) or 1].astype(np.float64)
    size = np.linalg.norm(steps, axis=1)
    moving = np.flatnonzero((size > 0) & np.isfinite(size))
    unit = steps[moving] / size[moving, None]
    alike = np.abs(unit @ unit.T) >= _SAME
    pairs = np.argwhere(np.triu(alike, 1))
    return [(ch_names[moving[i]], ch_names[moving[j]]) for i, j in pairs]


def apart(X: Array, ch_names: Sequence[str]) -> list[str]:
    """Sentences on channels far stronger or weaker than the others; X is (n, channels, times).

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((5, 4, 100))
    >>> X[:, 2] *= 1000
    >>> apart(X, ["C3", "Cz", "C4", "Pz"])  # doctest: +ELLIPSIS
    ['channel C4 is ... times stronger than the middle channel']
    """
    if len(ch_names) < 3 or not len(X):
        return []
    strength = np.median(X.std(axis=-1), axis=0)  # (channels,)
    middle = float(np.median(strength))
    sentences = []
    for name, own in zip(ch_names, strength.tolist(), strict=True):
        if 0 < own * _APART < middle:
            sentences.append(f"channel {name} is {middle / own:.0f} times weaker")
        elif own > middle * _APART > 0:
            sentences.append(f"channel {name} is {own / middle:.0f} times stronger")
    return [f"{sentence} than the middle channel" for sentence in sentences]


def _listed(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) < 5 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )


def _pair(pairs: Sequence[tuple[str, str]]) -> str:
    more = f" (and {len(pairs) - 1} more pairs)" if len(pairs) > 1 else ""
    return f"{pairs[0][0]} and {pairs[0][1]}{more}"
