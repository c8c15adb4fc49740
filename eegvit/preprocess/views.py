"""Views: random changes after which a trial still shows the same brain.

Each takes ``X`` (n, channels, times), a generator, a strength and the directions of the
electrodes, which only a rotation needs. At strength 0 nothing changes. Trials are changed
independently of each other, but for `background`, which mixes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from eegvit.preprocess import augment
from eegvit.preprocess.rotation import Directions, Signals, rotation

View = Callable[[Signals, np.random.Generator, float, Directions | None], Signals]


def time_shift(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Shift by up to a share of the trial, mirrored at the ends.

    Examples
    --------
    >>> X = np.arange(20.0).reshape(1, 1, 20)
    >>> abs(int(time_shift(X, np.random.default_rng(1), 0.2)[0, 0, 10]) - 10) <= 4
    True
    """
    n_times = X.shape[2]
    furthest = min(int(strength * n_times), n_times - 1)
    shift = rng.integers(-furthest, furthest + 1, size=(len(X), 1))
    return taken(X, shift + np.arange(n_times), n_times)


def crop(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Cut up to a share of the trial off, and mirror the rest to and fro up to the old length.

    Examples
    --------
    >>> X = np.arange(10.0).reshape(1, 1, 10)
    >>> new = crop(X, np.random.default_rng(0), 0.5)
    >>> new.shape, bool(np.abs(np.diff(new)).max() <= 1)
    ((1, 1, 10), True)
    """
    n_times = X.shape[2]
    most = min(int(strength * n_times), n_times - 2)
    kept = n_times - rng.integers(0, most + 1, size=(len(X), 1))
    start = rng.integers(0, n_times - kept + 1)
    return taken(X, np.broadcast_to(np.arange(n_times), (len(X), n_times)), kept, start)


def band_stop(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Take out a band of a random width up to `strength` cycles per sample, at random places.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((1, 1, 400))
    >>> power = np.abs(np.fft.rfft(band_stop(X, np.random.default_rng(0), 0.05)))
    >>> bool(0 < (power < 1e-3).sum() <= 0.05 * 400 + 1)
    True
    """

    def stop(frequency: Signals) -> Signals:
        width = strength * rng.random((len(X), 1, 1))
        centre = rng.random((len(X), 1, 1)) / 2
        return (np.abs(frequency - centre) > width / 2).astype(X.dtype)

    return filtered(X, stop)


def phase_noise(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Turn the phase of each frequency by a random angle, normal with `strength` radians.

    All channels turn alike, so that the spectra and coherences of a trial stay.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((1, 2, 32))
    >>> new = phase_noise(X, np.random.default_rng(0), 0.5)
    >>> np.allclose(np.abs(np.fft.rfft(new)), np.abs(np.fft.rfft(X))), np.allclose(new, X)
    (True, False)
    """

    def turn(frequency: Signals) -> NDArray[np.complexfloating[Any]]:
        angle = strength * rng.standard_normal((len(X), 1, len(frequency)), dtype=np.float32)
        angle[..., frequency == 0] = 0  # the mean and the last frequency have no phase
        angle[..., frequency == 0.5] = 0
        turned = np.cos(angle) + 1j * np.sin(angle)
        return turned.astype(np.complex64 if X.dtype == np.float32 else np.complex128)

    return filtered(X, turn, exact=True)


def channel_amplitude(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Scale each channel by a factor of its own, its logarithm normal with that deviation.

    Examples
    --------
    >>> X = np.ones((2, 3, 4))
    >>> float(np.ptp(channel_amplitude(X, np.random.default_rng(0), 0.3), axis=2).max())
    0.0
    """
    factor = np.exp(strength * rng.standard_normal((*X.shape[:2], 1)))
    return X * factor.astype(X.dtype)


def amplitude(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Scale each trial as a whole by a factor in ``1 - strength .. 1 + strength``.

    Examples
    --------
    >>> bool(amplitude(np.ones((1, 2, 3)), np.random.default_rng(0), 0.2).std() < 1e-12)
    True
    """
    return augment.amplitude(X, no_labels(X), rng, spread=strength)[0]


def channel_dropout(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Flatten each channel with a probability, never all channels of a trial.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((4, 3, 9))
    >>> channel_dropout(X, np.random.default_rng(0), 0.5).shape
    (4, 3, 9)
    """
    return augment.channel_dropout(X, no_labels(X), rng, rate=strength)[0]


def time_mask(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Flatten one stretch of up to a share of the trial.

    Examples
    --------
    >>> time_mask(np.ones((1, 2, 8)), np.random.default_rng(0), 0.5).tolist() == [[[1.0] * 8] * 2]
    True
    """
    return augment.time_mask(X, no_labels(X), rng, longest=strength)[0]


def noise(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Add white noise, its deviation a share of each channel's.

    Examples
    --------
    >>> float(noise(np.ones((1, 2, 8)), np.random.default_rng(0), 0.5).std())
    0.0
    """
    return augment.noise(X, no_labels(X), rng, strength=strength)[0]


def frequency_shift(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Move rhythms up or down by up to `strength` cycles per sample.

    Examples
    --------
    >>> frequency_shift(np.ones((1, 2, 8)), np.random.default_rng(0), 0.01).shape
    (1, 2, 8)
    """
    return augment.frequency_shift(X, no_labels(X), rng, largest=strength)[0]


def background(
    X: Signals, rng: np.random.Generator, strength: float, _: Directions | None = None
) -> Signals:
    """Add up to a share of another trial of the batch, and keep the power.

    Examples
    --------
    >>> X = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> new = background(X, np.random.default_rng(0), 0.5)
    >>> bool(np.allclose(np.square(new).sum(2), 1)), bool(new[0, 0, 1] > 0)
    (True, True)
    """
    if len(X) < 2:
        return X
    other = (np.arange(len(X)) + rng.integers(1, len(X), size=len(X))) % len(X)
    share = (strength * rng.random((len(X), 1, 1))).astype(X.dtype)
    return (X + share * X[other]) / np.sqrt(1 + np.square(share))


# name -> the view and its usual strength
VIEWS: dict[str, tuple[View, float]] = {
    "time_shift": (time_shift, 0.1),
    "crop": (crop, 0.3),
    "band_stop": (band_stop, 0.04),
    "phase_noise": (phase_noise, 0.5),
    "amplitude": (amplitude, 0.2),
    "channel_amplitude": (channel_amplitude, 0.1),
    "channel_dropout": (channel_dropout, 0.1),
    "time_mask": (time_mask, 0.25),
    "noise": (noise, 0.1),
    "frequency_shift": (frequency_shift, 0.004),
    "rotation": (rotation, 0.1),
    "background": (background, 0.3),
}


USUAL = ("time_shift", "crop", "noise")  # of pretraining, where nothing else is said


def strengths(views: Sequence[str] | Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return each view's name and strength, the usual one where only names are given.

    Examples
    --------
    >>> strengths(["crop", "noise"])
    (('crop', 0.3), ('noise', 0.1))
    """
    unknown = [name for name in views if name not in VIEWS]
    if unknown:
        raise ValueError(f"there is no view '{unknown[0]}'; known: {', '.join(VIEWS)}")
    given = views if isinstance(views, Mapping) else {name: VIEWS[name][1] for name in views}
    for name, strength in given.items():
        if not strength >= 0:
            raise ValueError(f"view '{name}' has strength {strength}: it must be 0 or more")
    return tuple((name, float(strength)) for name, strength in given.items())


def view(
    X: Signals,
    rng: np.random.Generator,
    views: Sequence[tuple[str, float]],
    directions: Directions | None = None,
) -> Signals:
    """Return X after several views, one after the other.

    Examples
    --------
    >>> X = np.ones((2, 3, 40), np.float32)
    >>> view(X, np.random.default_rng(0), [("crop", 0.0)]) is X
    True
    """
    for name, strength in views:
        if strength:
            X = VIEWS[name][0](X, rng, strength, directions)
    return X


def no_labels(X: Signals) -> NDArray[np.int64]:
    """Return a label for each trial, all the same."""
    return np.zeros(len(X), dtype=np.int64)


def taken(X: Signals, place: NDArray[np.int64], length: Any, start: Any = 0) -> Signals:
    """Return X at places (n, times) of a stretch of it, which is mirrored to and fro."""
    place = place % np.maximum(1, 2 * (length - 1))
    source = start + np.minimum(place, 2 * (length - 1) - place)
    new = np.empty_like(X)
    for trial, own, into in zip(X, source, new, strict=True):
        trial.take(own, axis=1, out=into)
    return new


def filtered(X: Signals, gain: Callable[[Signals], NDArray[Any]], exact: bool = False) -> Signals:
    """Return X times a gain at each frequency (cycles per sample); `exact` adds no samples."""
    n_times = X.shape[2]
    length = n_times if exact else next_fast_len(n_times, real=True)
    spectrum = rfft(X, length, axis=2)
    spectrum *= gain(np.fft.rfftfreq(length).astype(np.float32))
    return irfft(spectrum, length, axis=2)[..., :n_times].astype(X.dtype, copy=False)
