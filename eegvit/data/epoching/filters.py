"""The band-pass: over a whole recording in both directions, or forwards as samples come."""

from __future__ import annotations

from typing import Literal, TypeAlias

import mne
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Band: TypeAlias = tuple[float | None, float | None]
Phase: TypeAlias = Literal["zero", "causal"]


class Running:
    """A Butterworth filter of order 4 that looks at no later sample.

    It begins as if the first sample had always been there. What comes out does not depend on how
    the signal is divided.

    Parameters
    ----------
    band : (low, high) or None
        Hz; None, and null for both edges, lets everything pass.
    sfreq : float
        Sampling rate.

    Examples
    --------
    >>> signals = np.random.default_rng(0).standard_normal((2, 100)) + 50
    >>> whole, parts = (Running((8.0, 30.0), 100.0) for _ in range(2))
    >>> said = np.hstack([parts(signals[:, :7]), parts(signals[:, 7:])])
    >>> bool(np.array_equal(whole(signals), said))
    True
    """

    def __init__(self, band: Band | None, sfreq: float) -> None:
        self.sections = None if band in (None, (None, None)) else _sections(*band, sfreq)
        self.state: Array | None = None  # (sections, channels, 2)

    def __call__(self, signals: Array) -> Array:
        """Return the next samples (channels, n) filtered."""
        if self.sections is None or not signals.shape[1]:
            return np.asarray(signals, dtype=np.float64)
        from scipy.signal import sosfilt, sosfilt_zi

        if self.state is None:
            settled = sosfilt_zi(self.sections)[:, None, :]
            self.state = settled * signals[None, :, :1]
        filtered, self.state = sosfilt(self.sections, signals, axis=-1, zi=self.state)
        return np.asarray(filtered)


def band_pass(signals: Array, sfreq: float, band: Band, phase: Phase) -> Array:
    """Return a whole recording (channels, samples) filtered; `signals` may be overwritten."""
    if phase == "causal":
        return Running(band, sfreq)(signals)
    low, high = band
    filtered: Array = mne.filter.filter_data(
        signals, sfreq, low, high, method="iir", copy=False, verbose="error"
    )
    return filtered


def _sections(low: float | None, high: float | None, sfreq: float) -> Array:
    """Return the second-order sections of the filter that MNE runs in both directions."""
    made = mne.filter.create_filter(None, sfreq, low, high, method="iir", verbose="error")
    sections: Array = made["sos"]
    return sections
