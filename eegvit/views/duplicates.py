"""Which trials hold the same stretch of a recording, whatever was done to it.

Found, of one person or two, in one data set or two: trials that were scaled, inverted, rounded to
a tenth of their size or stored in half precision or 16-bit integers, with noise of up to a tenth of
their size, shifted by some samples, with channels in another order or scaled one by one, filtered
to another band that holds 10 to 24 Hz, or cut by another window that has more than a second in
common, of trials of one second three quarters. Of trials of 0.8 s, one in twenty with that much
noise is missed, half of those moved by an eighth, and most of those filtered again.

Not found: windows of the same recording that have little or nothing in common (unless two data
sets read the same file), bands that leave little of 10 to 24 Hz, other references, mixtures of
several trials, stretched or reversed time, other sampling rates, and trials below half a second,
of which only those are found that are nearly the same numbers.

No pair of the 10,427 real trials tried, nor of simulated ones, is taken for copies by mistake; by
chance the likeness that is asked for has a probability of 1e-11. `benchmarks/near_duplicates.py`
measures all this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eegvit.views.fingerprints import in_common
from eegvit.views.moments import Moments, alike, moments
from eegvit.views.overlaps import onsets_of, overlapping

FORMAT = 1  # of what this file and its neighbours compute; a change of it computes all anew
IntArray = NDArray[np.int64]
Prints = NDArray[np.float16]
SURROUNDINGS, SHARE = 0.5, 0.35  # seconds around a moment, and of a fingerprint at most
CHANCE = -11.0  # log10 of how probable likeness may be in trials of different recordings
TOGETHER = 0.05  # seconds: trials of a session that begin closer than this are one, twice


@dataclass(frozen=True, eq=False)
class Kin:
    """Pairs of rows of a view that hold the same stretch of a recording, lower row first.

    Parameters
    ----------
    copies : array of int64, shape (pairs, 2)
        Trials of different people or sessions, or one trial of a session twice.
    overlaps : array of int64, shape (pairs, 2)
        Trials of one session whose windows overlap.
    """

    copies: IntArray
    overlaps: IntArray

    @classmethod
    def none(cls) -> Kin:
        """Return no pairs at all."""
        return cls(np.empty((0, 2), np.int64), np.empty((0, 2), np.int64))

    def __or__(self, other: Kin) -> Kin:
        """Return the pairs of either."""
        both = zip((self.copies, self.overlaps), (other.copies, other.overlaps), strict=True)
        return Kin(*(np.unique(np.concatenate(pairs), axis=0) for pairs in both))


def find_kin(
    prints: Sequence[Prints],
    rate: float,
    length: float,
    onsets: Sequence[NDArray[np.float64] | None] | None = None,
) -> Kin:
    """Return which trials of a view hold the same stretch of a recording.

    Parameters
    ----------
    prints : sequence of arrays of float16, shape (n, channels, times)
        Fingerprints of each session's trials, in time order.
    rate : float
        Sampling rate of the fingerprints in Hz.
    length : float
        Seconds that a trial lasts.
    onsets : sequence of arrays or None
        Seconds at which the trials of each session begin, ascending; told from the
        fingerprints where None.

    Examples
    --------
    >>> from eegvit.views.fingerprints import fingerprints
    >>> X = np.random.default_rng(0).standard_normal((6, 3, 500))
    >>> X[5] = -2 * X[1]
    >>> sessions = [fingerprints(part, ["C3", "Cz", "C4"], 250.0) for part in (X[:4], X[4:])]
    >>> find_kin(sessions, 125.0, 2.0).copies.tolist()
    [[1, 5]]
    """
    given = onsets or [None] * len(prints)
    begin = [
        onsets_of(own, rate, length) if known is None else known
        for own, known in zip(prints, given, strict=True)
    ]
    starts = np.cumsum([0, *map(len, prints)])
    block = np.repeat(np.arange(len(prints)), np.diff(starts))
    known = [overlapping(own, length) + start for own, start in zip(begin, starts, strict=False)]
    pairs, lags = _pairs(prints, rate, block, np.concatenate([*begin, np.empty(0)]))
    copied = (block[pairs[:, 0]] != block[pairs[:, 1]]) | (np.abs(lags) <= TOGETHER)
    overlaps = np.concatenate([*known, pairs[~copied], np.empty((0, 2), np.int64)])
    return Kin(np.unique(pairs[copied], axis=0), np.unique(overlaps, axis=0))


def find_common(one: Sequence[Prints], other: Sequence[Prints], rate: float) -> IntArray:
    """Return the pairs of trials of two views that hold the same stretch of a recording.

    Parameters
    ----------
    one, other : sequences of arrays of float16, shape (n, channels, times)
        Fingerprints of each session's trials.
    rate : float
        Their sampling rate in Hz.

    Examples
    --------
    >>> from eegvit.views.fingerprints import fingerprints
    >>> X = np.random.default_rng(0).standard_normal((6, 3, 500))
    >>> views = [fingerprints(part, ["C3", "Cz", "C4"], 250.0) for part in (X[:4], X[3:, :, 90:])]
    >>> find_common(views[:1], views[1:], 125.0).tolist()
    [[3, 0]]
    """
    n = sum(map(len, one))
    side = np.repeat([0, 1], [n, sum(map(len, other))])
    pairs, _ = _pairs([*one, *other], rate, side, None)
    return np.unique(pairs, axis=0) - np.array([0, n])


def _pairs(
    prints: Sequence[Prints],
    rate: float,
    group: IntArray,
    onsets: NDArray[np.float64] | None,
) -> tuple[IntArray, NDArray[np.float64]]:
    """Return pairs of trials with something in common, and the seconds between their beginnings.

    Of one group those are left out whose onsets say so already; without onsets, all are.
    """
    found = _moments(prints, rate)
    first, second = alike(found.around)
    i, j = found.trial[first], found.trial[second]
    lag = (found.when[first] - found.when[second]).astype(np.float64)
    wanted = (i != j) & (group[i] != group[j])
    if onsets is not None:
        expected = np.abs(onsets[j] - onsets[i] - lag / rate) < TOGETHER / 2
        wanted |= (i != j) & (group[i] == group[j]) & ~expected
    asked = np.stack([i, j, np.round(lag)], axis=1)[wanted].astype(np.int64)
    _, once = np.unique(asked, axis=0, return_index=True)
    trials = [trial for own in prints for trial in own]
    kept = []
    for row in np.flatnonzero(wanted)[once]:
        if in_common(trials[i[row]], trials[j[row]], lag[row])[1] < CHANCE:
            kept.append(row)
    return np.stack([i[kept], j[kept]], axis=1).astype(np.int64), lag[kept] / rate


def _moments(prints: Sequence[Prints], rate: float) -> Moments:
    """Return the moments of all trials, counted over all sessions."""
    shortest = min((own.shape[2] for own in prints), default=0)
    surroundings = min(SURROUNDINGS, SHARE * shortest / rate)
    each = [moments(own, rate, surroundings) for own in prints]
    starts = np.cumsum([0, *map(len, prints)])
    trial = [own.trial + start for own, start in zip(each, starts, strict=False)]
    return Moments(
        np.concatenate(trial),
        np.concatenate([own.when for own in each]),
        np.concatenate([own.around for own in each]),
    )
