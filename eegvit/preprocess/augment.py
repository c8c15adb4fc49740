"""Augmentations: random changes to a batch of trials that leave the labels true.

Each takes ``X`` (n, channels, times), ``y`` (n,) and a generator, and returns new X and y.
They depend on neither the scale nor the offset of a channel. Labels may be ``y`` (n, 1 + classes):
the code, and a number for each class, such as a teacher's probabilities, which are mixed and
exchanged as trials are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import hilbert

from eegvit.preprocess.labels import Labels, codes_of
from eegvit.preprocess.reflection import Reflection

Signals = NDArray[np.floating[Any]]
Augmentation = Callable[[Signals, Labels, np.random.Generator], tuple[Signals, Labels]]


def none(X: Signals, y: Labels, rng: np.random.Generator) -> tuple[Signals, Labels]:
    """Change nothing.

    Examples
    --------
    >>> X, y = np.ones((2, 3, 4)), np.array([0, 1])
    >>> none(X, y, np.random.default_rng(0))[0] is X
    True
    """
    return X, y


def segment_recombine(
    X: Signals, y: Labels, rng: np.random.Generator, *, n_segments: int = 8, rate: float = 0.5
) -> tuple[Signals, Labels]:
    """Replace trials by segments of trials of the same class, each kept in its place in time [1]_.

    References
    ----------
    .. [1] Lotte, Signal processing approaches to minimize or suppress calibration time in
       oscillatory activity-based brain-computer interfaces. Proceedings of the IEEE, 2015.

    Examples
    --------
    >>> X, y = np.arange(8.0).reshape(4, 1, 2), np.array([0, 0, 1, 1])
    >>> new, _ = segment_recombine(X, y, np.random.default_rng(0), n_segments=2, rate=1.0)
    >>> bool(new[:2].max() <= 3.0 and new[2:].min() >= 4.0)
    True
    """
    new, codes = X.copy(), codes_of(y)
    labels = y.copy() if y.ndim == 2 else y
    chosen = rng.random(len(X)) < rate
    edges = np.linspace(0, X.shape[-1], n_segments + 1).astype(int)
    for code in np.unique(codes):
        members = np.flatnonzero(codes == code)
        changed = members[chosen[members]]
        donors = members[rng.integers(len(members), size=(n_segments, len(changed)))]
        for start, stop, donor in zip(edges[:-1], edges[1:], donors, strict=True):
            new[changed, :, start:stop] = X[donor, :, start:stop]
        if y.ndim == 2:
            shares = np.diff(edges) / X.shape[-1]
            labels[changed, 1:] = np.einsum("s,snk->nk", shares, y[donors, 1:])
    return new, labels


def channel_dropout(
    X: Signals, y: Labels, rng: np.random.Generator, *, rate: float = 0.1
) -> tuple[Signals, Labels]:
    """Flatten each channel with a probability, never all channels of a trial.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).standard_normal((50, 4, 9)), np.zeros(50, np.int64)
    >>> new, _ = channel_dropout(X, y, np.random.default_rng(0), rate=0.5)
    >>> flat = np.ptp(new, axis=2) < 1e-9
    >>> bool(flat.any()), bool(flat.all(axis=1).any())
    (True, False)
    """
    dropped = rng.random(X.shape[:2]) < rate
    dropped[np.arange(len(X)), rng.integers(X.shape[1], size=len(X))] = False
    return np.where(dropped[:, :, None], X.mean(axis=2, keepdims=True), X), y


def time_mask(
    X: Signals, y: Labels, rng: np.random.Generator, *, longest: float = 0.25
) -> tuple[Signals, Labels]:
    """Flatten one stretch of each trial, of a random length up to a share of the trial.

    Examples
    --------
    >>> X, y = np.arange(40.0).reshape(1, 1, 40), np.array([0])
    >>> new, _ = time_mask(X, y, np.random.default_rng(0))
    >>> int((new != X).sum()) <= 10
    True
    """
    n_times = X.shape[2]
    length = rng.integers(0, int(longest * n_times) + 1, size=(len(X), 1, 1))
    start = rng.integers(0, n_times - length + 1)
    position = np.arange(n_times)
    masked = (position >= start) & (position < start + length)  # (n, 1, times)
    return np.where(masked, X.mean(axis=2, keepdims=True), X), y


def time_shift(
    X: Signals, y: Labels, rng: np.random.Generator, *, longest: float = 0.05
) -> tuple[Signals, Labels]:
    """Shift each trial in time by up to a share of its length, mirroring it at the ends.

    Examples
    --------
    >>> X, y = np.arange(20.0).reshape(1, 1, 20), np.array([0])
    >>> new, _ = time_shift(X, y, np.random.default_rng(1), longest=0.2)
    >>> abs(int(new[0, 0, 10]) - 10) <= 4
    True
    """
    n_times = X.shape[2]
    furthest = int(longest * n_times)
    shift = rng.integers(-furthest, furthest + 1, size=(len(X), 1, 1))
    source = np.abs(np.arange(n_times) + shift)
    source = np.minimum(source, 2 * (n_times - 1) - source)  # (n, 1, times)
    return np.take_along_axis(X, source, axis=2), y


def noise(
    X: Signals, y: Labels, rng: np.random.Generator, *, strength: float = 0.1
) -> tuple[Signals, Labels]:
    """Add white noise, its standard deviation a share of each channel's in the trial.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).standard_normal((8, 3, 99)), np.zeros(8, np.int64)
    >>> new, _ = noise(100 * X, y, np.random.default_rng(0))
    >>> round(float((new - 100 * X).std()))
    10
    """
    scale = (strength * X.std(axis=2, keepdims=True)).astype(X.dtype)
    return X + scale * rng.standard_normal(X.shape, dtype=np.float32).astype(X.dtype), y


def amplitude(
    X: Signals, y: Labels, rng: np.random.Generator, *, spread: float = 0.2
) -> tuple[Signals, Labels]:
    """Scale each trial as a whole by a random factor around 1.

    Examples
    --------
    >>> X, y = np.ones((5, 2, 3)), np.zeros(5, np.int64)
    >>> new, _ = amplitude(X, y, np.random.default_rng(0))
    >>> bool((new.min() >= 0.8) & (new.max() <= 1.2))
    True
    """
    factor = rng.uniform(1 - spread, 1 + spread, size=(len(X), 1, 1))
    return X * factor.astype(X.dtype), y


def frequency_shift(
    X: Signals, y: Labels, rng: np.random.Generator, *, largest: float = 0.004
) -> tuple[Signals, Labels]:
    """Move each trial's rhythms up or down by up to some cycles per sample, power unchanged.

    The default is half a hertz at 125 Hz, which is how much people's rhythms differ within
    a day; the part of a channel that does not oscillate, its mean, stays.

    Examples
    --------
    >>> X = np.cos(2 * np.pi * 0.1 * np.arange(500))[None, None]
    >>> new, _ = frequency_shift(X, np.array([0]), np.random.default_rng(0), largest=0.02)
    >>> peak = np.abs(np.fft.rfft(new[0, 0])).argmax() / 500
    >>> bool(0.08 <= peak <= 0.12), bool(peak != 0.1)
    (True, True)
    """
    mean = X.mean(axis=2, keepdims=True)
    shift = rng.uniform(-largest, largest, size=(len(X), 1, 1))
    turn = np.exp(2j * np.pi * shift * np.arange(X.shape[2])).astype(
        np.complex64 if X.dtype == np.float32 else np.complex128
    )
    return (hilbert(X - mean, axis=2) * turn).real.astype(X.dtype) + mean, y


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": none,
    "segment_recombine": segment_recombine,
    "channel_dropout": channel_dropout,
    "time_mask": time_mask,
    "time_shift": time_shift,
    "noise": noise,
    "amplitude": amplitude,
    "frequency_shift": frequency_shift,
}


REFLECT = "reflect"  # known by name only where channels and classes are: see `reflection`


def augmenter(names: Sequence[str | Reflection]) -> Augmentation:
    """Return the augmentations of these names, one after the other, as one function.

    A reflection is given as what it does, since no name says that.

    Examples
    --------
    >>> augment = augmenter(["time_shift", "noise"])
    >>> X, y = np.ones((2, 3, 4), np.float32), np.array([0, 1])
    >>> augment(X, y, np.random.default_rng(0))[0].shape
    (2, 3, 4)
    """
    given = [name for name in names if isinstance(name, str)]
    unknown = [name for name in given if name not in AUGMENTATIONS]
    if unknown:
        known = ", ".join([*AUGMENTATIONS, REFLECT])
        raise ValueError(f"unknown augmentation '{unknown[0]}'; known: {known}")
    steps = [AUGMENTATIONS[name] if isinstance(name, str) else name for name in names]

    def augment(X: Signals, y: Labels, rng: np.random.Generator) -> tuple[Signals, Labels]:
        for step in steps:
            X, y = step(X, y, rng)
        return X, y

    return augment
