"""A trial's window and baseline in samples, and cutting it out of a signal.

Resampling is polyphase over the trial and a margin around it, so its first sample stays where
it was relative to the cue. What is filtered causally has no margin behind the trial.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Card

MARGIN = 0.5  # seconds on either side of a trial that resampling may look at


def n_samples(window: tuple[float, float], sfreq: float) -> int:
    """Samples in a half-open window.

    Examples
    --------
    >>> n_samples((0.5, 3.5), 250.0)
    750
    """
    return round((window[1] - window[0]) * sfreq)


def resample(X: NDArray[Any], sfreq: float, new_sfreq: float) -> NDArray[Any]:
    """Polyphase resampling along the last axis; the first sample stays where it is.

    Examples
    --------
    >>> resample(np.ones((2, 3, 250)), 250.0, 128.0).shape
    (2, 3, 128)
    """
    from scipy.signal import resample_poly  # a fifth of a second: what is cached needs none

    ratio = _ratio(sfreq, new_sfreq)
    return np.asarray(resample_poly(X, ratio.numerator, ratio.denominator, axis=-1, padtype="line"))


def reach(card: Card, sfreq: float) -> tuple[int, int]:
    """Samples relative to the cue that a trial and its baseline need: first, one past last."""
    start, n_in = _span(card, sfreq)
    low, high = _baseline(card, sfreq) or (start, start + n_in)
    return min(start, low), max(start + n_in, high)


def _span(card: Card, sfreq: float) -> tuple[int, int]:
    """First sample of a trial relative to its cue, and how many it is cut from."""
    rate = card.resample or sfreq
    n_out = n_samples(card.window, rate)
    n_in = max(n_samples(card.window, sfreq), math.ceil(n_out / _ratio(sfreq, rate)))
    return round(card.window[0] * sfreq), n_in


def _baseline(card: Card, sfreq: float) -> tuple[int, int] | None:
    """Samples of the baseline relative to the cue: first, one past the last."""
    if card.baseline is None:
        return None
    low, high = card.baseline
    start, n_in = _span(card, sfreq)
    first = start if low is None else math.ceil(round(low * sfreq, 6))
    return first, start + n_in if high is None else math.floor(round(high * sfreq, 6)) + 1


def segment(
    signals: NDArray[np.float64], onset: int, card: Card, sfreq: float, n_out: int
) -> NDArray[np.float64]:
    """One trial (channels, n_out) of a signal (channels, samples), given its cue's sample."""
    start, n_in = _span(card, sfreq)
    begin, rate = onset + start, card.resample or sfreq
    baseline = _baseline(card, sfreq)
    level = np.zeros((len(signals), 1))
    if baseline is not None:
        span = slice(onset + baseline[0], onset + baseline[1])
        level = signals[:, span].mean(axis=1, keepdims=True)
    if rate == sfreq:
        return signals[:, begin : begin + n_out] - level
    ratio = _ratio(sfreq, rate)
    period = ratio.denominator  # input samples after which output samples fall on them again
    margin = math.ceil(MARGIN * sfreq / period)
    before = min(margin, begin // period)
    after = margin * period if card.phase == "zero" else 0
    wide = signals[:, begin - before * period : begin + n_in + after]
    return resample(wide, sfreq, rate)[:, before * ratio.numerator :][:, :n_out] - level


def _ratio(sfreq: float, new_sfreq: float) -> Fraction:
    return (Fraction(new_sfreq) / Fraction(sfreq)).limit_denominator(1000)
