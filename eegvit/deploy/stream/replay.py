"""A recording that was made before, as if it were being made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import mne
import numpy as np

from eegvit.data.recordings.marks import read_marks
from eegvit.deploy.files import open_raw
from eegvit.deploy.reading import Reading
from eegvit.deploy.stream.chunks import Chunk


class Replay:
    """Chunks of a recording, at its own speed or another.

    Parameters
    ----------
    recording : path or mne.io.Raw
    reading : Reading
        How the decoder reads recordings.
    speed : float
        Times as fast as it was recorded; 0 for as fast as may be.
    length : float
        Seconds of a chunk.

    Examples
    --------
    >>> from eegvit.config import Card
    >>> info = mne.create_info(["C3", "C4"], 100.0, "eeg")
    >>> raw = mne.io.RawArray(np.zeros((2, 250)), info, verbose="error")
    >>> _ = raw.set_annotations(mne.Annotations([1.2], [0.0], ["left"]))
    >>> card = Card(name="a", source="files", classes=("left", "right"), window=(0.0, 1.0))
    >>> chunks = list(Replay(raw, Reading(card, {"left": "left"}), speed=0, length=1.0))
    >>> [chunk.samples.shape[1] for chunk in chunks], chunks[1].marks
    ([100, 100, 50], ((1.2, 'left'),))
    """

    def __init__(
        self,
        recording: str | Path | mne.io.BaseRaw,
        reading: Reading,
        *,
        speed: float = 1.0,
        length: float = 0.02,
    ) -> None:
        self.raw: mne.io.BaseRaw
        where = "the recording"
        if isinstance(recording, str | Path):
            where, self.raw = str(recording), open_raw(Path(recording), reading.card)
        else:
            self.raw = recording
        self.ch_names = tuple(self.raw.ch_names)
        self.sfreq = float(self.raw.info["sfreq"])
        self.to_microvolts = reading.to_microvolts
        held = reading.stim_channel if reading.stim_channel in self.ch_names else None
        self.marks = read_marks(self.raw, held, where)
        self.speed, self.length = speed, length

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks, each when its last sample would have been recorded."""
        n = max(1, round(self.length * self.sfreq))
        start = time.perf_counter()
        for begin in range(0, self.raw.n_times, n):
            end = min(begin + n, self.raw.n_times)
            due = start + end / self.sfreq / self.speed if self.speed else 0.0
            time.sleep(max(0.0, due - time.perf_counter()))
            now = (self.marks.samples >= begin) & (self.marks.samples < end)
            marks = zip(self.marks.samples[now], self.marks.texts[now], strict=True)
            yield Chunk(
                np.asarray(self.raw[:, begin:end][0]),
                begin / self.sfreq,
                tuple((float(at / self.sfreq), str(text)) for at, text in marks),
                (time.perf_counter() - due) * self.speed if self.speed else 0.0,
            )
