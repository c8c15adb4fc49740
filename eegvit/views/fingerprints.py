"""Fingerprints of trials: what remains of the same signals whatever was done to them.

A fingerprint is a trial in 10-24 Hz, a band that nearly every card leaves in, at about 100 Hz
and at one size, of a few channels: volume conduction makes the others much the same. Whatever
has an edge is cut off, so that the same second of a recording looks the same in every window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

FORMAT = 1  # of what this file computes; a change of it computes everything anew
BAND = (10.0, 24.0)  # Hz
RATE = 100.0  # Hz, at least, where the trials have that
HALF = 0.1  # seconds on both sides that the filter sees
N_CHANNELS = 4
WORTH = 0.7  # correlation below which chance is not asked
FIRST = ("Cz", "C3", "C4", "Pz", "Fz", "Oz", "FCz", "CPz", "POz", "O1", "O2", "F3", "F4")
_SLOWEST = 40.0  # Hz: below it trials have nothing of the band
_AT_ONCE = 256  # trials


def fingerprints(
    X: NDArray[np.floating], ch_names: Sequence[str], sfreq: float
) -> NDArray[np.float16]:
    """Return the fingerprint of each trial, shape (n, few channels, times).

    Of trials that are too short or too slow no time is left.

    Parameters
    ----------
    X : array, shape (n, channels, times)
        Trials before alignment.
    ch_names : sequence of str
    sfreq : float
        Their sampling rate in Hz.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((2, 3, 500))
    >>> one = fingerprints(X, ["C3", "Cz", "C4"], 250.0)
    >>> one.shape
    (2, 3, 225)
    >>> bool(np.abs(one + fingerprints(-2 * X, ["C3", "Cz", "C4"], 250.0)).max() < 0.01)
    True
    """
    positions = [list(ch_names).index(name) for name in picked(ch_names)]
    reach = round(HALF * sfreq)
    n_left = X.shape[2] - 2 * reach
    if sfreq < _SLOWEST or n_left < 1:
        return np.empty((len(X), len(positions), 0), np.float16)
    step = _step(sfreq)
    high = min(BAND[1], 0.4 * sfreq)
    taps = firwin(2 * reach + 1, (BAND[0], high), fs=sfreq, pass_zero=False, window="hann")
    taps -= taps.mean()
    length = 1 << (X.shape[2] + 2 * reach).bit_length()
    response = np.fft.rfft(taps, length)
    made = []
    for start in range(0, len(X), _AT_ONCE):
        own = np.asarray(X[start : start + _AT_ONCE][:, positions], dtype=np.float64)
        own = own - own.mean(axis=2, keepdims=True)
        own = np.fft.irfft(np.fft.rfft(own, length) * response, length)
        own = own[..., 2 * reach : 2 * reach + n_left : step]
        size = np.sqrt(np.square(own).mean(axis=2, keepdims=True))
        made.append((own / np.where(size > 0, size, 1.0)).astype(np.float16))
    return np.concatenate(made) if made else np.empty((0, len(positions), 0), np.float16)


def picked(ch_names: Sequence[str]) -> list[str]:
    """Return the names of the few channels that stand for all.

    Examples
    --------
    >>> picked(["Fp1", "C3", "C4", "T7", "T8", "Cz"])
    ['Cz', 'C3', 'C4', 'Fp1']
    """
    known = [name for name in FIRST if name in ch_names]
    return [*known, *(name for name in ch_names if name not in known)][:N_CHANNELS]


def rate_of(sfreq: float) -> float:
    """Return the sampling rate of fingerprints of trials at a rate.

    Examples
    --------
    >>> rate_of(250.0), rate_of(160.0)
    (125.0, 160.0)
    """
    return sfreq / _step(sfreq)


def in_common(
    one: NDArray[np.floating], other: NDArray[np.floating], lag: float
) -> tuple[float, float]:
    """Return how alike two fingerprints are, shifted onto each other, and how probable by chance.

    Channels may be in another order and of another sign. A rhythm resembles every other one of its
    frequency: the more regular the signals, the more of them it takes to be sure.

    Parameters
    ----------
    one, other : arrays, shape (channels, times)
    lag : float
        Samples that the other begins after the one.

    Returns
    -------
    correlation : float
        Of each channel with the one that is most like it, on average.
    chance : float
        Logarithm to base 10 of the probability in independent signals of such spectra; 0 where
        the correlation is below 0.7.

    Examples
    --------
    >>> signals = np.random.default_rng(0).standard_normal((3, 200))
    >>> correlation, chance = in_common(signals[:, :150], -signals[[2, 0, 1], 50:], 50.0)
    >>> round(correlation, 6), bool(chance < -100)
    (1.0, True)
    """
    start = max(0, int(np.ceil(1 - lag)))
    stop = min(other.shape[1], int(np.floor(one.shape[1] - 1 - lag)))
    if stop - start < 4:
        return 0.0, 0.0
    first = read_between(one.astype(np.float64), np.arange(start, stop) + lag)
    second = other[:, start:stop].astype(np.float64)
    first, second = first[first.any(axis=1)], second[second.any(axis=1)]  # flat ones say nothing
    if not len(first) or not len(second):
        return 0.0, 0.0
    if len(first) > len(second):
        first, second = second, first
    first = first / np.linalg.norm(first, axis=1, keepdims=True)
    second = second / np.linalg.norm(second, axis=1, keepdims=True)
    found = float(np.abs(first @ second.T).max(axis=1).mean())
    if found < WORTH:
        return found, 0.0
    power = [np.square(np.abs(np.fft.rfft(s, 2 * s.shape[1]))).sum(axis=0) for s in (first, second)]
    in_time = 1 / (power[0] / power[0].sum() @ (power[1] / power[1].sum()))
    in_space = len(first) ** 2 / np.square(first @ first.T).sum()
    freedom = max(0.0, float(in_time * in_space) - 1)
    return found, 0.5 * freedom * float(np.log10(max(1e-12, 1 - found**2)))


def read_between(signals: NDArray[np.floating], where: NDArray[np.float64]) -> NDArray[np.floating]:
    """Return signals between their samples, by cubics.

    Parameters
    ----------
    signals : array, shape (n, times)
    where : array, shape (n, points) or (points,)
        Places in samples.

    Examples
    --------
    >>> read_between(np.arange(6.0)[None] ** 3, np.array([1.5, 2.0]))
    array([[3.375, 8.   ]])
    """
    base = np.clip(np.floor(where).astype(np.int64), 1, signals.shape[1] - 3)
    t = (where - base).astype(signals.dtype)
    weights = (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    )
    row = np.arange(len(signals))[:, None]
    return sum(w * signals[row, base + d] for d, w in enumerate(weights, start=-1))


def _step(sfreq: float) -> int:
    return max(1, int(sfreq // RATE))
