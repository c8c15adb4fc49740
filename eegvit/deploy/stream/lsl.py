"""Lab streaming layer: samples and marks from the network, decisions onto it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.data.recordings.xdf import STIM, TO_MICROVOLTS
from eegvit.deploy.stream.chunks import Chunk
from eegvit.deploy.stream.decisions import Decision
from eegvit.registry import optional

SILENCE = 0.2  # seconds without a sample after which it is asked whether the sender is still there
SYNCHRONISED = ("clocksync", "dejitter", "monotize")


class LSLSource:
    """Chunks of a stream on the network, with marks of another or of a channel.

    Parameters
    ----------
    name : str
        Name of the stream of samples.
    marks : str or None
        Name of the stream of marks; None takes the stimulus channel of the samples, if any.
    timeout : float
        Seconds to wait for each of them to appear.
    silence : float
        Seconds without a sample after which the stream is over.
    """

    def __init__(
        self, name: str, marks: str | None = None, *, timeout: float = 10.0, silence: float = 5.0
    ) -> None:
        self.lsl: Any = optional("mne_lsl").lsl
        self.inlet = self._open(name, timeout)
        self.marks = None if marks is None else self._open(marks, timeout)
        info = self.inlet.get_sinfo()
        self.sfreq = float(info.sfreq)
        n = info.n_channels
        self.ch_names = tuple(info.get_channel_names() or (str(i) for i in range(1, n + 1)))
        if not self.sfreq > 0:
            raise ValueError(f"the stream '{name}' has no sampling rate: it holds marks, not EEG")
        types = [str(kind).lower() for kind in info.get_channel_types() or [""] * n]
        self.stim = [i for i, kind in enumerate(types) if kind in STIM]
        units = [str(unit).lower() for unit in info.get_channel_units() or ["microvolts"] * n]
        of_eeg = {unit for unit, kind in zip(units, types, strict=True) if kind not in STIM}
        self.to_microvolts = _to_microvolts(of_eeg, name)
        self.level: NDArray[Any] | None = None  # of the stimulus channels at the last sample
        self.silence = silence

    def _open(self, name: str, timeout: float) -> Any:
        found = self.lsl.resolve_streams(timeout, name=name)
        if not found:
            there = ", ".join(sorted(s.name for s in self.lsl.resolve_streams(1.0))) or "none"
            raise ValueError(f"no stream called '{name}' in {timeout:g} s; there are: {there}")
        inlet = self.lsl.StreamInlet(found[0], processing_flags=SYNCHRONISED)
        inlet.open_stream(timeout=timeout)
        return inlet

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks as they come, until none came for a while."""
        quiet = 0.0
        while quiet < self.silence:
            samples, times = self.inlet.pull_chunk(timeout=SILENCE)
            if not len(times):
                quiet += SILENCE
                continue
            quiet = 0.0
            X = np.asarray(samples, dtype=np.float64).T  # (channels, n)
            delay = self.lsl.local_clock() - float(times[-1])
            for part in _without_gaps(times, self.sfreq):
                marks = (*self._changes(X[:, part], times[part]), *self._marks())
                yield Chunk(X[:, part], float(times[part][0]), marks, delay)

    def _marks(self) -> Iterator[tuple[float, str]]:
        if self.marks is None:
            return
        texts, times = self.marks.pull_chunk(timeout=0.0)
        for text, when in zip(texts, times, strict=True):
            yield float(when), str(np.ravel(text)[0])

    def _changes(
        self, X: NDArray[np.float64], times: NDArray[np.float64]
    ) -> Iterator[tuple[float, str]]:
        """Yield a mark wherever a stimulus channel rises to a code."""
        if not self.stim:
            return
        now = X[self.stim]  # (channels, n)
        before = np.concatenate([now[:, :1] if self.level is None else self.level, now[:, :-1]], 1)
        self.level = now[:, -1:]
        for channel, i in np.argwhere((now != before) & (now > 0)):
            yield float(times[i]), str(int(now[channel, i]))


class LSLOutlet:
    """Decisions as a stream of probabilities on the network, one channel a class.

    Parameters
    ----------
    name : str
        Name of the stream.
    classes : tuple of str
    """

    def __init__(self, name: str, classes: tuple[str, ...]) -> None:
        lsl = optional("mne_lsl").lsl
        info = lsl.StreamInfo(name, "Probabilities", len(classes), 0.0, "float32", f"eegvit-{name}")
        info.set_channel_names(list(classes))
        self.outlet = lsl.StreamOutlet(info)

    def __call__(self, decision: Decision) -> None:
        """Send a decision."""
        self.outlet.push_sample(decision.probabilities.astype(np.float32))


def _to_microvolts(units: set[str], name: str) -> float:
    """Return the factor from the unit of all channels; one that is not said is microvolts."""
    factors = {TO_MICROVOLTS.get(unit, 1.0) for unit in units}
    if len(factors) > 1:
        raise ValueError(
            f"the channels of the stream '{name}' have several units: {', '.join(sorted(units))}"
        )
    return factors.pop()


def _without_gaps(times: NDArray[np.float64], sfreq: float) -> list[slice]:
    """Return the parts of a chunk between which samples are missing or the clock went back."""
    steps = np.diff(times)
    broken = np.flatnonzero(np.abs(steps - 1 / sfreq) > max(1.5 / sfreq, 0.01)) + 1
    edges = [0, *broken.tolist(), len(times)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
