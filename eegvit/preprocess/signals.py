"""Trials as estimators take them, arrays or mne.Epochs, brought into one form and checked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Signals = NDArray[np.floating[Any]]
MICROVOLTS = 1e6  # in the volt of MNE
SAME_RATE = 1e-5  # relative difference of two rates that are the same


class Epochs(Protocol):
    """What is asked of an `mne.Epochs`, so that nobody needs MNE to say so."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Facts of the recording, "sfreq" among them."""

    @property
    def ch_names(self) -> Sequence[str]:
        """Names of the channels."""

    def get_channel_types(self) -> Sequence[str]:
        """Return the type of each channel."""

    def get_data(self, *, copy: bool) -> NDArray[np.float64]:
        """Return the signals in volts (n, channels, times)."""


EEG = ArrayLike | Epochs | Sequence[Epochs]  # trials of an estimator


@dataclass(frozen=True, eq=False)
class Recording:
    """Checked signals (n, channels, times), with what is known of them."""

    X: Signals
    sfreq: float | None
    ch_names: tuple[str, ...] | None


def read(
    X: EEG, who: str, *, sfreq: float | None = None, ch_names: Sequence[str] | None = None
) -> Recording:
    """Return trials as an array, or say what is wrong with them or does not fit.

    Parameters
    ----------
    X : array, mne.Epochs or list of them
        An array is as it is; of Epochs the EEG is taken, in microvolts.
    who : str
        What the trials are for, to be named in an error.
    sfreq : float or None
        The rate that they must have; None takes that of the first.
    ch_names : sequence of str or None
        The channels to take, in this order. None takes all EEG channels of the first, as MNE's
        ``pick("eeg")`` would, and warns of those that are left out.

    Examples
    --------
    >>> read(np.zeros((2, 3, 4), int), "a test", sfreq=250.0).X.dtype
    dtype('float32')
    """
    names = None if ch_names is None else tuple(ch_names)
    if epochs := _epochs_of(X):
        names = _eeg_channels(epochs[0]) if names is None else names
        sfreq = float(epochs[0].info["sfreq"]) if sfreq is None else float(sfreq)
        X = _joined(epochs, who, sfreq, names)
    return Recording(_checked(X), sfreq, names)


def _epochs_of(X: object) -> list[Epochs]:
    """Return the Epochs that X is or is a list of, none if it is an array.

    A list is what scikit-learn takes out of Epochs: one of a single trial for each.
    """
    parts: list[Any] = list(X) if isinstance(X, list | tuple) else [X]
    known = all(hasattr(part, "get_data") and hasattr(part, "info") for part in parts)
    return parts if known else []


def _joined(epochs: Sequence[Epochs], who: str, rate: float, names: tuple[str, ...]) -> Signals:
    """Return the signals of Epochs, their channels in an order that all have."""
    rows: dict[tuple[str, ...], list[int]] = {}  # of each order of channels that occurs
    signals = []
    for part in epochs:
        found = float(part.info["sfreq"])
        if abs(found - rate) > SAME_RATE * rate:
            raise ValueError(
                f"X is sampled at {found:g} Hz, but {who} is for {rate:g} Hz:"
                f" epochs.resample({rate:g}) makes them alike"
            )
        there = tuple(part.ch_names)
        if there not in rows:
            rows[there] = _places(names, there, who)
        data = part.get_data(copy=False)
        signals.append(data if rows[there] == [*range(len(there))] else data.take(rows[there], 1))
    return MICROVOLTS * (signals[0] if len(signals) == 1 else np.concatenate(signals))


def _eeg_channels(epochs: Epochs) -> tuple[str, ...]:
    """Return the names of the EEG channels, and warn of those that are none."""
    kinds = dict(zip(epochs.ch_names, epochs.get_channel_types(), strict=True))
    names = tuple(name for name, kind in kinds.items() if kind == "eeg")
    others = [f"{name} ({kind})" for name, kind in kinds.items() if kind != "eeg"]
    if not names:
        raise ValueError(
            f"X has no EEG channels, only {_few(others)}: tell MNE what they are by"
            " epochs.set_channel_types, or name those to take by ch_names="
        )
    if others:
        warnings.warn(f"{_few(others)} no EEG: left out, as epochs.pick('eeg') would", stacklevel=2)
    return names


def _checked(X: Any) -> Signals:
    signals = np.asarray(X)
    if signals.ndim != 3:
        raise ValueError(
            f"X has shape {signals.shape}, expected (trials, channels, times)."
            " A single trial needs a leading axis: X[None]."
        )
    if signals.dtype not in (np.float32, np.float64):
        signals = signals.astype(np.float32)
    if len(signals) == 0:
        raise ValueError("X has no trials (0 sample(s)); at least one is required")
    if not np.isfinite(signals.sum(dtype=np.float64)):
        _refuse_non_finite(signals)
    return signals


def _places(names: Sequence[str], there: Sequence[str], who: str) -> list[int]:
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(
            f"X lacks {len(missing)} of the {len(names)} channels of {who}: {_few(missing)}."
            f" It has {_few(there)}"
        )
    return [there.index(name) for name in names]


def _refuse_non_finite(X: Signals) -> None:
    trials, channels, _ = np.nonzero(~np.isfinite(X))
    if len(trials):
        raise ValueError(
            f"X contains NaN or infinity in {len(set(trials.tolist()))} of {len(X)} trials,"
            f" first in trial {trials[0]}, channel {channels[0]}:"
            " drop those trials or repair the channel before fitting"
        )


def _few(names: Sequence[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def channel_moments(
    X: Signals, rows: NDArray[np.int64], chunk: int = 256
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and standard deviation of each channel over some trials, in bounded memory.

    A channel that never changes has deviation 1.

    Examples
    --------
    >>> X = np.array([[[1.0, 3.0], [5.0, 5.0]]])
    >>> mean, deviation = channel_moments(X, np.array([0]))
    >>> mean.tolist(), deviation.tolist()
    ([2.0, 5.0], [1.0, 1.0])
    """
    n = len(rows) * X.shape[2]
    parts = [rows[i : i + chunk] for i in range(0, len(rows), chunk)]
    mean = sum(X[part].sum(axis=(0, 2), dtype=np.float64) for part in parts) / n
    square = sum(
        np.square(X[part] - mean[:, None]).sum(axis=(0, 2), dtype=np.float64) for part in parts
    )
    deviation = np.sqrt(square / n)
    deviation[deviation <= 1e-9 * np.abs(mean)] = 1.0
    return mean.astype(np.float32), deviation.astype(np.float32)
