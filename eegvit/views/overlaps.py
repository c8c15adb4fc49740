"""Trials of one session whose windows overlap: they share samples, whoever is on which side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eegvit.views.fingerprints import in_common

IntArray = NDArray[np.int64]
ALIKE = 0.97  # least correlation of what neighbours have in common: the same samples
CHANCE = -5.0  # log10 of how probable that may be where they have nothing in common
SHORTEST = 0.2  # seconds of a fingerprint that must be in common
_WORTH = 0.7  # correlation, to the nearest sample, that is looked at more closely


def overlapping(onsets: NDArray[np.float64], length: float) -> IntArray:
    """Return the pairs of trials that begin less than their length apart.

    Parameters
    ----------
    onsets : array, shape (n,)
        Seconds at which trials begin, ascending.
    length : float
        Seconds that each lasts.

    Examples
    --------
    >>> overlapping(np.array([0.0, 1.5, 3.0, 9.0]), 2.0).tolist()
    [[0, 1], [1, 2]]
    """
    first = np.arange(len(onsets))
    stop = np.searchsorted(onsets, onsets + length - 1e-6)
    count = np.maximum(stop - first - 1, 0)
    i = np.repeat(first, count)
    j = i + 1 + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([i, j], axis=1)


def onsets_of(prints: NDArray[np.float16], rate: float, length: float) -> NDArray[np.float64]:
    """Return when trials begin, as far as one overlaps the next, from what they hold.

    Where it does not, or by too little to tell, it is taken to begin when the last one ended.

    Parameters
    ----------
    prints : array of float16, shape (n, channels, times)
        Fingerprints of one session's trials, in time order.
    rate : float
        Their sampling rate in Hz.
    length : float
        Seconds that a trial lasts.

    Examples
    --------
    >>> from eegvit.views.fingerprints import fingerprints
    >>> X = np.random.default_rng(0).standard_normal((3, 2000))
    >>> cut = np.stack([X[:, start : start + 500] for start in (0, 250, 400, 1000)])
    >>> onsets_of(fingerprints(cut, ["C3", "Cz", "C4"], 250.0), 125.0, 2.0).round(2)
    array([0. , 1. , 1.6, 3.6])
    """
    lags = np.full(len(prints), length)
    shortest = round(SHORTEST * rate)
    if prints.shape[2] <= shortest:  # trials are too short to tell
        prints = prints[:0]
    for i, (last, this) in enumerate(pairwise(map(_spectrum, prints))):
        lag = _lag(last, this, prints[i], prints[i + 1], shortest)
        if lag is None:
            continue
        found, chance = in_common(prints[i], prints[i + 1], lag)
        if found > ALIKE and chance < CHANCE:
            lags[i] = lag / rate
    return np.concatenate([[0.0], np.cumsum(lags[:-1])])[: len(lags)]


def _spectrum(fingerprint: NDArray[np.float16]) -> NDArray[np.complex128]:
    return np.fft.rfft(fingerprint.astype(np.float64), 2 * fingerprint.shape[1])


def _lag(
    spectrum: NDArray[np.complex128],
    other_spectrum: NDArray[np.complex128],
    one: NDArray[np.float16],
    other: NDArray[np.float16],
    shortest: int,
) -> float | None:
    """Return how many samples the other begins later, if anything speaks for an overlap."""
    n_times = one.shape[1]
    product = np.einsum("cf,cf->f", spectrum, other_spectrum.conj())  # summed over channels
    shared = np.fft.irfft(product, 2 * n_times)[: n_times - shortest]
    energy = [np.cumsum(np.square(s.astype(np.float64)).sum(axis=0)) for s in (one[:, ::-1], other)]
    left = np.arange(n_times, shortest, -1) - 1  # samples in common, less one
    r = shared / np.sqrt(np.maximum(energy[0][left] * energy[1][left], 1e-12))
    sure = np.where(r > _WORTH, (left + 1) * np.log(np.maximum(1 - r**2, 1e-6)), 0.0)
    best = int(np.argmin(sure))
    if sure[best] == 0.0:
        return None
    if not 0 < best < len(r) - 1:
        return float(best)
    before, top, after = r[best - 1 : best + 2]
    bend = 2 * top - before - after
    return best + (float((after - before) / (2 * bend)) if bend > 0 else 0.0)
