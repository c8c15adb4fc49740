"""Moments of trials that are the same in every window, and which of them are alike.

A moment is where a channel of a fingerprint is largest for a while; what is around it, up to its
sign and size, is compared with what is around all others. Moments meet where the signs of their
largest principal components agree, but for those nearest to zero, and so each is compared with a
few only, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from eegvit.views.fingerprints import read_between

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
APART = 0.12  # seconds between moments of one channel
N_POINTS = 32  # that the surroundings are sampled at
RESEMBLANCE = 0.93  # least correlation of surroundings
N_BITS = (8, 18)  # fewest and most signs that must agree
N_DOUBTFUL = 3  # signs, nearest to zero, that need not
CROWD = 64  # moments that one is compared with, at most, for each choice of doubtful signs
_SAMPLE = 4000  # surroundings that the components are computed from
_AT_ONCE = 1 << 17


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of some trials.

    Parameters
    ----------
    trial : array of int64, shape (m,)
        Row of the trial.
    when : array of float32, shape (m,)
        Place in its fingerprint, in samples.
    around : array of float32, shape (m, points)
        The surroundings: of length one, the moment itself positive.
    """

    trial: IntArray
    when: FloatArray
    around: FloatArray


def moments(prints: NDArray[np.float16], rate: float, surroundings: float) -> Moments:
    """Return the moments of fingerprints, in the order of the trials.

    Parameters
    ----------
    prints : array of float16, shape (n, channels, times)
    rate : float
        Their sampling rate in Hz.
    surroundings : float
        Seconds around a moment, half of them before it.

    Examples
    --------
    >>> prints = np.random.default_rng(0).standard_normal((1, 1, 200)).astype(np.float16)
    >>> early, late = (moments(part, 100.0, 0.5) for part in (prints[..., :150], prints[..., 20:]))
    >>> shared = np.isin(np.round(early.when, 3), np.round(late.when + 20, 3))
    >>> int(shared.sum()), len(early.when)
    (4, 4)
    """
    n, n_channels, n_times = prints.shape
    half = surroundings / 2 * rate
    first, stop = int(np.ceil(half)), int(np.floor(n_times - half))  # of where moments may be
    if first < 2 or stop <= first:
        return Moments(np.empty(0, np.int64), np.empty(0, "f4"), np.empty((0, N_POINTS), "f4"))
    size = np.abs(prints[..., first - 1 : stop + 1].astype(np.float32))
    before, here, after = size[..., :-2], size[..., 1:-1], size[..., 2:]
    highest = maximum_filter1d(here, 2 * round(APART * rate) + 1, axis=2, mode="nearest")
    is_moment = (here == highest) & (here > 0) & (here >= before) & (here > after)
    trial, channel, at = np.nonzero(is_moment)
    left, top, right = (
        side[trial, channel, at].astype(np.float64) for side in (before, here, after)
    )
    when = first + at + (right - left) / (2 * (2 * top - left - right))  # of the parabola
    signals = prints[trial, channel].astype(np.float32)
    signals *= np.sign(signals[np.arange(len(at)), first + at])[:, None]
    around = read_between(signals, when[:, None] + np.linspace(-half, half, N_POINTS))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    return Moments(trial.astype(np.int64), when.astype(np.float32), around)


def alike(around: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the pairs of moments whose surroundings resemble each other, the first one first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> around = rng.standard_normal((500, 32)).astype(np.float32)
    >>> around /= np.linalg.norm(around, axis=1, keepdims=True)
    >>> around[400] = around[30] + 0.01 * around[31]
    >>> [found.tolist() for found in alike(around)]
    [[30], [400]]
    """
    if len(around) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    code, asked = _codes(around)
    order = np.argsort(code, kind="stable")
    found = [np.empty(0, np.int64)]
    for wanted in asked.T:
        start, stop = (np.searchsorted(code[order], wanted, side) for side in ("left", "right"))
        count = np.minimum(stop - start, CROWD)
        edges = np.concatenate([[0], np.cumsum(count)])
        one = np.repeat(np.arange(len(around)), count)
        other = order[np.arange(edges[-1]) + np.repeat(start - edges[:-1], count)]
        for begin in range(0, len(one), _AT_ONCE):
            i, j = one[begin : begin + _AT_ONCE], other[begin : begin + _AT_ONCE]
            close = np.einsum("mp,mp->m", around[i], around[j]) > RESEMBLANCE
            i, j = np.sort([i[close], j[close]], axis=0)
            found.append((i * len(around) + j)[i < j])
    return np.divmod(np.unique(np.concatenate(found)), len(around))


def _codes(around: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the signs of components as a number, and the numbers of whom they may meet."""
    n_bits = int(np.clip(np.ceil(np.log2(len(around))), *N_BITS))
    centred = around - around.mean(axis=0)
    sample = centred[:: -(-len(centred) // _SAMPLE)]
    components = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :n_bits]
    along = centred @ components  # (m, bits)
    value = 1 << np.arange(n_bits)
    code = (along > 0) @ value
    doubtful = value[np.argsort(np.abs(along), axis=1)[:, :N_DOUBTFUL]]
    asked = code[:, None]
    for bit in doubtful.T:
        asked = np.concatenate([asked, asked ^ bit[:, None]], axis=1)
    return code, asked
