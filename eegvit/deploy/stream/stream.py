"""A decoder on a recording that is being made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Windows
from eegvit.data.epoching.channels import pick_channels
from eegvit.data.epoching.defects import Defects
from eegvit.data.epoching.filters import Running
from eegvit.data.epoching.window import MARGIN, n_samples, reach, segment
from eegvit.data.remarks import strength
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.given import meant
from eegvit.deploy.reading import Cues, Reading
from eegvit.deploy.stream.buffer import Buffer
from eegvit.deploy.stream.chunks import Chunk
from eegvit.deploy.stream.decisions import Account, Decision

Array = NDArray[np.float64]
MEMORY = 10.0  # seconds before a window that are kept for marks that come late
PATIENCE = 1.5  # sampling intervals that a clock may be off, and at least:
JITTER = 0.01  # seconds
LATE = 0.2  # seconds later than the quickest chunk from which one is late
TOO_OLD = "its mark came when its samples were gone already"
NOT_FINITE = "its samples are not all numbers"


@dataclass(frozen=True)
class _Window:
    """A window to decide on: the sample it is counted from, since when it is known, its mark."""

    onset: int
    mark: str = ""


class Stream:
    """A decoder on a recording that is being made.

    Each window is decided when its last sample has come, by what came until then: the filter keeps
    its state, and the alignment goes on from window to window. `Decoder.causal` says the same of
    the whole recording afterwards.

    Parameters
    ----------
    decoder : Decoder
    ch_names : sequence of str
        Channels of the samples that will come.
    sfreq : float
        Their sampling rate.
    to_microvolts : float
        Factor from their unit to microvolts.
    cues : sequence of str, mapping or None
        Marks at which to decode, or what each stands for; those of the study if None.
    windows : (float, float) or None
        Length and step in seconds of windows one after another, instead of cues.

    Examples
    --------
    >>> import tempfile
    >>> card = {"card": "simulated", "subjects": [1, 2], "options": {"n_trials": 24}}
    >>> study = {"name": "small", "data": card, "models": {"csp": {"branch": "csp_lda"}}}
    >>> decoder = Decoder.fit(study, model="csp", jobs=0, cache=tempfile.mkdtemp())
    >>> stream = Stream(decoder, decoder.reading.ch_names, 250.0, windows=(4.0, 2.0))
    >>> noise = np.random.default_rng(0).standard_normal((22, 1500))
    >>> [said.onset for said in stream.push(Chunk(noise, 0.0))]
    [0.0, 2.0]
    """

    def __init__(
        self,
        decoder: Decoder,
        ch_names: Sequence[str],
        sfreq: float,
        *,
        to_microvolts: float = 1.0,
        cues: Sequence[str] | Mapping[str, str] | None = None,
        windows: tuple[float, float] | None = None,
    ) -> None:
        self.decoder = decoder.causal()
        reading = self.decoder.reading
        reading.check_filter()
        renamed = [reading.rename_channels.get(name, name) for name in ch_names]
        self.positions, names = pick_channels(renamed, reading.card.channels, "the stream")
        reading.check_rate(sfreq, "the stream")
        self.card = reading.card_for(names)
        self.sfreq, self.to_microvolts, self.ch_names = sfreq, to_microvolts, names
        self.marks = reading.meaning(Cues(meant(cues, reading.marks)))
        self.windows = _windows(reading, windows, cued=cues is not None)
        self.account = Account()
        self.first, self.last = reach(self.card, sfreq)
        self._start(0)
        self.clock: float | None = None  # the sender's time of the sample that comes next
        self.quickest = np.inf  # least delay of a chunk so far

    def push(self, chunk: Chunk) -> Iterator[Decision]:
        """Take samples and marks; yield a decision for each window that they complete."""
        arrived = time.perf_counter()
        samples = np.asarray(chunk.samples, dtype=np.float64)[self.positions]
        self._look_at_clock(chunk, samples.shape[1])
        self.account.samples += samples.shape[1]
        self._keep(samples)
        for when, text in chunk.marks:
            self._await(when, text)
        while self.windows is not None and self._next_window() is not None:
            pass
        for window in self._complete():
            decision = self._decide(window, arrived)
            if decision is not None:
                yield decision
                arrived = time.perf_counter()
        self._forget()

    def _start(self, at: int) -> None:
        """Begin anew at a sample, after a gap or at first."""
        self.origin = at
        self.filter = Running(self.card.band, self.sfreq)
        self.raw, self.filtered = (Buffer(len(self.positions), at) for _ in range(2))
        self.waiting: deque[_Window] = deque()
        self.n_windows = 0  # that were begun since

    @property
    def end(self) -> int:
        """How many samples came or were lost."""
        return self.raw.end

    def _look_at_clock(self, chunk: Chunk, n: int) -> None:
        """Count what the sender's clock tells: gaps, jumps back, and late chunks."""
        if self.clock is not None:
            off = chunk.clock - self.clock
            if off > max(PATIENCE / self.sfreq, JITTER):
                lost = round(off * self.sfreq)
                self.account.gaps += 1
                self.account.lost += lost
                for _ in self.waiting:
                    self._leave_out(f"it reaches over a gap of {off:.2f} s")
                self._start(self.end + lost)
            elif off < -max(PATIENCE / self.sfreq, JITTER):
                self.account.clock_jumps += 1
        self.clock = chunk.clock + n / self.sfreq
        if chunk.delay > self.quickest + LATE:
            self.account.late_chunks += 1
        self.quickest = min(self.quickest, chunk.delay)

    def _keep(self, samples: Array) -> None:
        self.raw.append(samples)
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)  # or it never recovers
        self.filtered.append(self.filter(finite))

    def _await(self, when: float, text: str) -> None:
        """Put the window of a mark, if it begins one, among those that wait for samples."""
        mark = text if text in self.marks else text.rpartition("/")[2]
        if self.windows is not None or mark not in self.marks:
            return
        assert self.clock is not None
        at = self.end + round((when - self.clock) * self.sfreq)
        window = _Window(at + round(self.decoder.reading.offset * self.sfreq), text)
        if window.onset + self.first < self.raw.begin:
            early = window.onset + self.first < self.origin
            self._leave_out("it reaches before the first sample" if early else TOO_OLD)
        else:
            self.waiting.append(window)

    def _next_window(self) -> _Window | None:
        """Begin the next of windows a step apart, if its first sample is there."""
        assert self.windows is not None
        step = self.windows.step or self.windows.length
        begins = self.origin + round(self.n_windows * step * self.sfreq)
        if begins >= self.end:
            return None
        self.n_windows += 1
        window = _Window(begins - round(self.card.window[0] * self.sfreq))
        if window.onset + self.first < self.origin:  # the baseline lies before
            self._leave_out("it reaches before the first sample")
        else:
            self.waiting.append(window)
        return window

    def _complete(self) -> list[_Window]:
        """Take out the windows all of whose samples are there, in time order."""
        done = [w for w in self.waiting if w.onset + self.last <= self.end]
        self.waiting = deque(w for w in self.waiting if w.onset + self.last > self.end)
        return sorted(done, key=lambda window: window.onset)

    def _decide(self, window: _Window, arrived: float) -> Decision | None:
        judged = self.card.judgement.window
        begin = window.onset + round(judged[0] * self.sfreq)
        raw = self.raw[begin : begin + n_samples(judged, self.sfreq)]
        if not np.isfinite(self.raw[window.onset + self.first : window.onset + self.last]).all():
            self._leave_out(NOT_FINITE)
            return None
        bad = Defects.of_recording(
            raw, self.ch_names, self.sfreq, np.zeros(1, dtype=np.int64), raw.shape[1]
        )
        if reasons := bad.reasons():
            self._leave_out(next(iter(reasons)))
            return None
        reading = self.decoder.reading
        kept, onset = self.filtered.samples, window.onset - self.filtered.begin
        cut = segment(kept, onset, self.card, self.sfreq, reading.n_times)
        X = (cut * self.to_microvolts).astype(np.float32)[None]
        reading.check_strength(strength(X), "the stream")
        told = self.decoder.probabilities(X)[0]
        took = time.perf_counter() - arrived
        if self.decoder.align.mode == "causal":
            self.decoder = replace(self.decoder, align=self.decoder.align.knowing(X))
        self.account.took.append(took)
        cued = self.windows is None
        second = window.onset / self.sfreq + (0.0 if cued else self.card.window[0])
        return Decision(second, window.mark, told, self.decoder.classes, took)

    def _leave_out(self, why: str) -> None:
        self.account.left_out[why] += 1

    def _forget(self) -> None:
        """Let go of samples that no window will need."""
        period = round(2 * MARGIN * self.sfreq) + 1000  # resampling looks back a little
        reached = self.last - self.first + period + round(MEMORY * self.sfreq)
        wanted = min((w.onset + self.first - period for w in self.waiting), default=self.end)
        for kept in (self.raw, self.filtered):
            kept.forget(min(self.end - reached, wanted))


def _windows(reading: Reading, asked: tuple[float, float] | None, *, cued: bool) -> Windows | None:
    if asked is None:
        return None if cued else reading.card.windows
    windows = Windows(length=asked[0], step=asked[1])
    reading.check_windows(windows)
    return windows
