"""Covariances of each trial in several frequency bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import butter, freqz_sos

from eegvit.features.covariances import CHUNK, Array, Estimator, PerTrial, covariances

Bands = tuple[tuple[float, float], ...]
NINE_BANDS: Bands = tuple((float(low), float(low + 4)) for low in range(4, 40, 4))
MU_AND_BETA: Bands = tuple((float(low), float(low + 6)) for low in range(7, 26, 3))
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
            for i, filtered in enumerate(filter_bank(chunk, self.bands, self.sfreq)):
                here = covariances(filtered, self.estimator)
                out[begin : begin + rows, i] = here + floor
        return out


def filter_bank(X: NDArray[Any], bands: Sequence[tuple[float, float]], sfreq: float) -> Any:
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
    n_pad = min(n_times - 1, round(sfreq))
    X = X - X.mean(axis=-1, keepdims=True)
    left = 2 * X[..., :1] - X[..., n_pad:0:-1]
    right = 2 * X[..., -1:] - X[..., -2 : -n_pad - 2 : -1]
    padded = np.concatenate([left, X, right], axis=-1)
    n_fft = scipy.fft.next_fast_len(padded.shape[-1] + n_pad, real=True)
    spectrum = scipy.fft.rfft(padded, n_fft)
    for low, high in bands:
        spectrum_of_band = spectrum * gain(low, high, sfreq, n_fft).astype(X.dtype)
        yield scipy.fft.irfft(spectrum_of_band, n_fft)[..., n_pad : n_pad + n_times]


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
