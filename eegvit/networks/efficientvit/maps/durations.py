"""Durations in samples, so that one set of sizes in seconds serves every sampling rate."""

from __future__ import annotations

STEP = 0.032  # seconds from one column of a map to the next, before any further stride


def samples(seconds: float, sfreq: float) -> int:
    """Return a duration in samples, at least one.

    Examples
    --------
    >>> [samples(0.032, sfreq) for sfreq in (125, 160, 250, 256)]
    [4, 5, 8, 8]
    """
    return max(1, round(seconds * sfreq))


def odd_samples(seconds: float, sfreq: float) -> int:
    """Return a duration as the nearest odd number of samples: a filter that has a middle.

    Examples
    --------
    >>> [odd_samples(0.25, sfreq) for sfreq in (125, 160, 250, 256)]
    [31, 41, 63, 65]
    """
    return max(1, 2 * round((seconds * sfreq - 1) / 2) + 1)
