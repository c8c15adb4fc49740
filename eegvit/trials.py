"""Trials: the one value that flows through the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_PER_TRIAL = ("y", "subject", "session", "run", "index", "onset")


@dataclass(frozen=True)
class Account:
    """What became of the trials of one person's session when it was read.

    Parameters
    ----------
    found : int
        Cues of the wanted classes, or trials that were cut already.
    left_out : dict
        Why trials were left out, in words -> how many.
    notes : tuple of str
        What the reader had to say, each with the file's name.

    Examples
    --------
    >>> Account(120, {"a flat channel": 3}).read
    117
    """

    found: int
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """Trials that were kept."""
        return self.found - sum(self.left_out.values())


@dataclass(frozen=True, eq=False)
class Trials:
    """EEG trials of one or many people, all of one shape.

    Parameters
    ----------
    X : array of float32, shape (n, channels, times)
        The signals, in microvolts. Memory-mapped when they came from the cache.
    y : array of int64, shape (n,)
        Codes into `classes`.
    subject, session, run : arrays of str, shape (n,)
        Whose trial it is, and when it was recorded.
    index : array of int64, shape (n,)
        Position of the trial in its subject and session, given once at reading.
    classes, ch_names : tuple of str
        Names of the classes and of the channels.
    sfreq : float
        Sampling rate in Hz.
    tmin : float
        Time of the first sample relative to the cue, in seconds.
    onset : array of float64, shape (n,)
        Second of its run at which each trial's cue stands; nan where nobody knows.
    account : Account, optional
        What became of the other trials, where these come from one session.

    Examples
    --------
    >>> trials = Trials.from_arrays(np.zeros((4, 3, 50)), ["a", "b", "a", "b"], sfreq=100.0)
    >>> len(trials[[0, 2]]), trials.n_channels, trials.classes
    (2, 3, ('a', 'b'))
    >>> trials
    Trials(4 x 3 channels x 50 samples at 100 Hz; 1 person, 1 session; classes a, b)
    >>> str(trials[[2]].ids[0])
    '1/0/0/2'
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    subject: NDArray[np.str_]
    session: NDArray[np.str_]
    run: NDArray[np.str_]
    index: NDArray[np.int64]
    classes: tuple[str, ...]
    ch_names: tuple[str, ...]
    sfreq: float
    tmin: float = 0.0
    onset: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    account: Account | None = None

    def __post_init__(self) -> None:
        if self.X.ndim != 3:
            raise ValueError(
                f"X has shape {self.X.shape}: trials are (trials, channels, times)."
                " A single trial needs a leading axis: X[None]."
            )
        if self.X.dtype != np.float32:
            object.__setattr__(self, "X", self.X.astype(np.float32))
        if not len(self.onset):
            object.__setattr__(self, "onset", np.full(len(self.X), np.nan))
        for name in _PER_TRIAL:
            if len(getattr(self, name)) != len(self.X):
                raise ValueError(
                    f"{name} has {len(getattr(self, name))} entries for {len(self.X)} trials"
                )
        if len(self.ch_names) != self.X.shape[1]:
            raise ValueError(
                f"{len(self.ch_names)} channel names for {self.X.shape[1]} channels of X"
            )
        if len(self.y) and not (self.y.min() >= 0 and self.y.max() < len(self.classes)):
            raise ValueError(f"y has codes outside 0..{len(self.classes) - 1}, the classes given")

    @classmethod
    def from_arrays(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sfreq: float,
        subject: ArrayLike = "1",
        session: ArrayLike = "0",
        run: ArrayLike = "0",
        classes: Sequence[str] | None = None,
        ch_names: Sequence[str] | None = None,
        tmin: float = 0.0,
    ) -> Trials:
        """Trials from plain arrays; labels may be strings or numbers."""
        signals = np.asarray(X, dtype=np.float32)
        labels = np.asarray(y).astype(str)
        names = tuple(classes) if classes is not None else tuple(sorted(set(labels.tolist())))
        unknown = sorted(set(labels.tolist()) - set(names))
        if unknown:
            raise ValueError(f"labels {unknown} are not among the classes {list(names)}")
        n = len(signals)
        who, when, part = (
            np.broadcast_to(np.asarray(value).astype(str), (n,))
            for value in (subject, session, run)
        )
        if ch_names is None:
            ch_names = [f"EEG{i + 1}" for i in range(signals.shape[1] if signals.ndim > 1 else 0)]
        return cls(
            X=signals,
            y=np.array([names.index(label) for label in labels], dtype=np.int64),
            subject=who,
            session=when,
            run=part,
            index=_positions(who, when),
            classes=names,
            ch_names=tuple(ch_names),
            sfreq=float(sfreq),
            tmin=float(tmin),
        )

    @classmethod
    def from_epochs(
        cls,
        epochs: Any,
        *,
        subject: ArrayLike = "1",
        session: ArrayLike = "0",
        run: ArrayLike = "0",
        classes: Sequence[str] | None = None,
    ) -> Trials:
        """Trials from `mne.Epochs`: EEG channels in microvolts, classes by the events' names.

        A column `subject`, `session` or `run` of the epochs' metadata goes before the argument.
        """
        kinds = epochs.get_channel_types()
        if "eeg" not in kinds:
            raise ValueError(f"the epochs have no EEG channel; there are {', '.join(set(kinds))}")
        chosen = [place for place, kind in enumerate(kinds) if kind == "eeg"]
        names = {code: str(name) for name, code in epochs.event_id.items()}
        known = {"subject": subject, "session": session, "run": run}
        for name in known if epochs.metadata is not None else ():
            if name in epochs.metadata:
                known[name] = epochs.metadata[name].to_numpy()
        return cls.from_arrays(
            1e6 * epochs.get_data(copy=False)[:, chosen],
            [names[code] for code in epochs.events[:, 2].tolist()],
            sfreq=float(epochs.info["sfreq"]),
            classes=classes if classes is not None else list(epochs.event_id),
            ch_names=[epochs.ch_names[place] for place in chosen],
            tmin=float(epochs.tmin),
            **known,
        )

    def to_epochs(self) -> Any:
        """Return these trials as `mne.EpochsArray`, who and when in its metadata."""
        import mne
        import pandas as pd

        info = mne.create_info(list(self.ch_names), self.sfreq, "eeg")
        info.set_montage("standard_1005", match_case=False, on_missing="ignore")
        times = np.arange(len(self))
        return mne.EpochsArray(
            1e-6 * np.asarray(self.X, np.float64),
            info,
            np.stack([times, np.zeros_like(times), self.y], axis=1),
            self.tmin,
            {name: code for code, name in enumerate(self.classes)},
            metadata=pd.DataFrame({n: getattr(self, n) for n in ("subject", "session", "run")}),
            on_missing="ignore",
            verbose="error",
        )

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        people, sessions = set(self.subject.tolist()), set(self.session.tolist())
        return (
            f"Trials({len(self)} x {self.n_channels} channels x {self.n_times} samples"
            f" at {self.sfreq:g} Hz; {_several(people, 'person', 'people')},"
            f" {_several(sessions, 'session', 'sessions')}; classes {', '.join(self.classes)})"
        )

    def __getitem__(self, rows: Any) -> Trials:
        """Return the chosen rows (a slice, a list of positions or a mask) as Trials."""
        if isinstance(rows, (int, np.integer)):
            rows = [int(rows)]
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            rows = rows.astype(np.int64) if rows.size == 0 else rows
        chosen = {name: getattr(self, name)[rows] for name in ("X", *_PER_TRIAL)}
        return replace(self, **chosen)

    def replace(self, **changes: Any) -> Trials:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.X.shape[1])

    @property
    def n_times(self) -> int:
        """Number of samples in a trial."""
        return int(self.X.shape[2])

    @property
    def labels(self) -> NDArray[np.str_]:
        """Class name of each trial."""
        return np.asarray(self.classes)[self.y]

    @property
    def ids(self) -> NDArray[np.str_]:
        """Identity of each trial: subject/session/run/index."""
        parts = zip(self.subject, self.session, self.run, self.index, strict=True)
        return np.array(["/".join(map(str, part)) for part in parts], dtype=np.str_)


def concatenate(parts: Sequence[Trials]) -> Trials:
    """Join Trials that share classes, channels, rate and window.

    Examples
    --------
    >>> one = Trials.from_arrays(np.zeros((2, 3, 50)), ["a", "b"], sfreq=100.0)
    >>> len(concatenate([one, one]))
    4
    """
    if not parts:
        raise ValueError("nothing to concatenate: no Trials given")
    first = parts[0]
    for part in parts[1:]:
        for name in ("classes", "ch_names", "sfreq", "tmin"):
            if getattr(part, name) != getattr(first, name):
                raise ValueError(
                    f"Trials with different {name} cannot be joined:"
                    f" {getattr(first, name)} and {getattr(part, name)}"
                )
        if part.n_times != first.n_times:
            raise ValueError(
                f"Trials of {first.n_times} and {part.n_times} samples cannot be joined"
            )
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts]) for name in ("X", *_PER_TRIAL)
    }
    kept = {f.name: getattr(first, f.name) for f in fields(first) if f.name not in joined}
    if len(parts) > 1:
        kept["account"] = None
    return Trials(**joined, **kept)


def _several(names: set[str], one: str, more: str) -> str:
    return f"{len(names)} {one if len(names) == 1 else more}"


def _positions(subject: NDArray[np.str_], session: NDArray[np.str_]) -> NDArray[np.int64]:
    seen: dict[tuple[str, str], int] = {}
    index = np.empty(len(subject), dtype=np.int64)
    for i, key in enumerate(zip(subject.tolist(), session.tolist(), strict=True)):
        index[i] = seen.get(key, 0)
        seen[key] = int(index[i]) + 1
    return index
