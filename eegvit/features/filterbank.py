"""Covariances of each trial in several frequency bands.

A band of a trial is a linear map of the few bins of its spectrum that the filter lets pass, so
its covariance is a quadratic form of them: one transform and two small products a band replace
filtering every sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import butter, freqz_sos

from eegvit.features.covariances import Array, Estimator, PerTrial, covariances, regularised

Band = tuple[float, float]
Bands = tuple[Band, ...]
NINE_BANDS: Bands = tuple((float(low), float(low + 4)) for low in range(4, 40, 4))
MU_AND_BETA: Bands = tuple((float(low), float(low + 6)) for low in range(7, 26, 3))
CHUNK = 2**21  # samples worked on at once, the transform's continuations included
FLOOR = 1e-8  # of a trial's broad-band power: bands that a recording lacks stay regular


@dataclass(kw_only=True, eq=False, repr=False)
class FilterBankCovariances(PerTrial):
    """Covariance of each trial in each band, filtered without a phase shift.

    Parameters
    ----------
    sfreq : float
        Sampling rate in Hz.
    bands : tuple of (low, high)
        Edges in Hz; bands that reach beyond half the sampling rate are refused.
    estimator : {"scm", "oas", "lwf"}
        See `Covariances`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(5, 3, 250))
    >>> FilterBankCovariances(sfreq=125.0).fit_transform(X).shape
    (5, 9, 3, 3)
    """

    sfreq: float
    bands: Bands = NINE_BANDS
    estimator: Estimator = "oas"

    def transform(self, X: NDArray[Any]) -> Array:
        """Map (n, channels, times) to (n, bands, channels, channels)."""
        rows = max(1, CHUNK // max(1, 4 * X.shape[1] * X.shape[2]))
        out = np.empty((len(X), len(self.bands), X.shape[1], X.shape[1]))
        for begin in range(0, len(X), rows):
            chunk = X[begin : begin + rows]
            power = np.square(chunk, dtype=np.float64).mean(axis=(1, 2))[:, None, None]
            floor = np.maximum(FLOOR * power, np.finfo(np.float64).tiny) * np.eye(X.shape[1])
            for i, here in enumerate(self._of_bands(chunk)):
                out[begin : begin + rows, i] = here + floor
        return out

    def _of_bands(self, X: NDArray[Any]) -> Iterator[Array]:
        if self.estimator == "lwf":  # its shrinkage looks at every sample
            for filtered in filter_bank(X, self.bands, self.sfreq):
                yield covariances(filtered, "lwf")
            return
        for sample in band_covariances(X, self.bands, self.sfreq):
            yield regularised(sample, X.shape[-1], self.estimator)


def filter_bank(X: NDArray[Any], bands: Sequence[Band], sfreq: float) -> Iterator[NDArray[Any]]:
    """Yield X filtered by a zero-phase Butterworth band-pass of each band.

    One transform serves all bands. The ends are continued by odd reflection, as
    `scipy.signal.sosfiltfilt` does, whose result this is but for what its filter still
    remembers beyond the continuation.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(2, 3, 250))
    >>> [band.shape for band in filter_bank(X, [(8.0, 12.0), (12.0, 16.0)], 125.0)]
    [(2, 3, 250), (2, 3, 250)]
    """
    n_times = X.shape[-1]
    spectrum = _spectrum(X, sfreq)
    n_pad, n_fft = _lengths(n_times, sfreq)
    for low, high in bands:
        passed = spectrum * gain(low, high, sfreq, n_fft).astype(spectrum.real.dtype)
        yield scipy.fft.irfft(passed, n_fft)[..., n_pad : n_pad + n_times]


def band_covariances(X: NDArray[Any], bands: Sequence[Band], sfreq: float) -> Iterator[Array]:
    """Yield the covariance of X in each band: what `covariances` says of `filter_bank`.

    Examples
    --------
    >>> X, bands = np.random.default_rng(0).normal(size=(2, 3, 250)), [(8.0, 12.0)]
    >>> (filtered,), (found,) = filter_bank(X, bands, 125.0), band_covariances(X, bands, 125.0)
    >>> bool(np.allclose(found, covariances(filtered), rtol=1e-9))
    True
    """
    spectrum = _spectrum(X, sfreq)
    flat = spectrum.reshape(-1, spectrum.shape[-1])  # (n * channels, bins)
    precision = spectrum.real.dtype
    for low, high in bands:
        passed, basis = _passed(low, high, sfreq, X.shape[-1], precision.name)
        coordinates = flat[:, passed].view(precision) @ basis
        Y = coordinates.reshape(*X.shape[:-1], basis.shape[1]).astype(np.float64)
        yield Y @ Y.swapaxes(-1, -2)


@lru_cache(maxsize=64)
def _passed(
    low: float, high: float, sfreq: float, n_times: int, precision: str
) -> tuple[slice, NDArray[Any]]:
    """Return the bins that a band lets pass, and coordinates of the samples that they make.

    The Gram matrix of a signal's coordinates is the covariance of its filtered, centred
    samples. Bins and directions that are lost in rounding are left out.
    """
    n_pad, n_fft = _lengths(n_times, sfreq)
    gains = gain(low, high, sfreq, n_fft)
    epsilon = float(np.finfo(precision).eps)
    bins = np.flatnonzero(gains > epsilon ** (2 / 3))  # the ends, 0 and sfreq / 2, have gain 0
    passed = slice(bins[0], bins[-1] + 1) if len(bins) else slice(0, 1)
    phase = 2 * np.pi / n_fft * np.outer(np.arange(n_fft)[passed], np.arange(n_times) + n_pad)
    waves = np.stack([np.cos(phase), -np.sin(phase)], axis=1)  # of real and imaginary parts
    waves *= 2 / n_fft * gains[passed, None, None]
    waves = waves.reshape(-1, n_times)
    waves -= waves.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(waves @ waves.T / n_times)
    kept = values > 0.1 * epsilon * values[-1]
    return passed, (vectors[:, kept] * np.sqrt(values[kept])).astype(precision)


def _spectrum(X: NDArray[Any], sfreq: float) -> NDArray[Any]:
    """Return the spectrum of trials that are centred and continued by odd reflection."""
    n_pad, n_fft = _lengths(X.shape[-1], sfreq)
    X = X - X.mean(axis=-1, keepdims=True)
    left = 2 * X[..., :1] - X[..., n_pad:0:-1]
    right = 2 * X[..., -1:] - X[..., -2 : -n_pad - 2 : -1]
    spectrum: NDArray[Any] = scipy.fft.rfft(np.concatenate([left, X, right], axis=-1), n_fft)
    return spectrum


def _lengths(n_times: int, sfreq: float) -> tuple[int, int]:
    """Return by how many samples a trial is continued, and the length of its transform."""
    n_pad = min(n_times - 1, round(sfreq))
    return n_pad, scipy.fft.next_fast_len(n_times + 3 * n_pad, real=True)


def gain(low: float, high: float, sfreq: float, n_fft: int, order: int = 4) -> Array:
    """Return the squared magnitude of a Butterworth band-pass at each frequency of an FFT."""
    if not 0 < low < high < sfreq / 2:
        raise ValueError(
            f"band {low:g}-{high:g} Hz does not lie between 0 and {sfreq / 2:g} Hz, half the"
            f" sampling rate of {sfreq:g} Hz: choose other bands or resample less"
        )
    sos = butter(order, (low, high), "bandpass", fs=sfreq, output="sos")
    _, response = freqz_sos(sos, worN=scipy.fft.rfftfreq(n_fft, 1 / sfreq), fs=sfreq)
    return np.abs(response) ** 2
