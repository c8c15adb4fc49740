"""How recordings become the trials that a decoder takes: as those it learned from did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit import data
from eegvit.config import Card, Windows
from eegvit.data.epoching.runs import CutTrials, Recording, cut
from eegvit.data.recordings import gdf
from eegvit.data.recordings.marks import read_marks, spoilt, window_onsets
from eegvit.data.recordings.readers import EPOCHS, name_channels, read_epochs
from eegvit.data.remarks import SCALES_APART, strength
from eegvit.deploy.files import open_raw
from eegvit.trials import Trials
from eegvit.views.view import DataView

_DECIDES = {
    "name", "source", "classes", "channels", "band", "phase", "window", "baseline", "resample",
    "windows", "artifacts", "bad_trials", "truncated", "scales",
}  # fmt: skip
RATE = 1e-6  # relative difference of two sampling rates that are the same


@dataclass(frozen=True)
class Cues:
    """Where in a recording to decode: at its marks, or in windows a step apart.

    Parameters
    ----------
    marks : mapping or None
        Mark -> class, or "" where a mark tells no class. None for those of the study.
    windows : Windows or None
        Length and step in seconds, instead of marks.
    """

    marks: Mapping[str, str] | None = None
    windows: Windows | None = None


@dataclass(frozen=True, eq=False)
class Read:
    """Trials of one recording.

    Parameters
    ----------
    trials : Trials
    known : array of bool, shape (n,)
        Whose label is one, and not made up.
    where : str
        What the recording is called.
    cued : bool
        Whether onsets are those of cues, or of windows throughout the recording.
    """

    trials: Trials
    known: NDArray[np.bool_]
    where: str
    cued: bool = True


@dataclass(frozen=True, eq=False)
class Reading:
    """Channels, filter, window and marks of the recordings that a decoder learned from.

    Parameters
    ----------
    card : Card
        Channels, band, window, baseline and rate, without where the data lie.
    marks : mapping
        Mark -> class, "" where that depends on the run.
    stim_channel : str or None
        Channel that holds the marks.
    offset : float
        Seconds from a mark to the cue.
    rename_channels : mapping
        Name in a file -> name of the channel.
    to_microvolts : float
        Factor from the unit in which MNE returns the signals.
    strength : float or None
        Median deviation of a channel in microvolts, where its unit matters.
    from_memory : bool
        Whether trials came from Python, so that nothing is known of their filter.
    """

    card: Card
    marks: Mapping[str, str]
    stim_channel: str | None = None
    offset: float = 0.0
    rename_channels: Mapping[str, str] = field(default_factory=dict)
    to_microvolts: float = 1e6
    strength: float | None = None
    from_memory: bool = False

    @classmethod
    def of_study(cls, cards: Sequence[Card], view: DataView, *, aligned: bool) -> Reading:
        """Return how the trials of a view were read, by cards that agree on it."""
        first = cards[0]
        for card in cards[1:]:
            if _cutting(card) != _cutting(first):
                raise ValueError(
                    f"'{first.name}' and '{card.name}' are filtered or cut differently, so that"
                    " nothing says how a new recording is to be: set the study's `view`"
                )
        from_memory = bool(view.recipe.get("arrays"))
        kept = first.model_dump(mode="json", include=_DECIDES)
        kept["judged"] = first.judgement.model_dump(mode="json")
        if from_memory:
            tmin = view.blocks[0].trials.tmin
            kept |= {"window": (tmin, tmin + view.n_times / view.sfreq), "judged": None}
        made = Card.model_validate(
            kept | {"channels": view.ch_names, "resample": view.sfreq, "classes": view.classes}
        )
        about: dict[str, Any] = {}
        marks = {name: name for name in view.classes}
        if not from_memory:
            sources = [data.source(card) for card in cards]
            for source in reversed(sources):
                marks |= _marks(getattr(source, "events", {}))
            about = {
                name: getattr(sources[0], name)
                for name in ("stim_channel", "offset", "rename_channels", "to_microvolts")
                if hasattr(sources[0], name)
            }
        if not aligned:
            few = np.linspace(0, len(view) - 1, min(len(view), 200)).astype(np.int64)
            about["strength"] = strength(view.take(np.unique(few)).X)
        return cls(made, marks, **about, from_memory=from_memory)

    @property
    def n_times(self) -> int:
        """Samples of a trial."""
        return round((self.card.window[1] - self.card.window[0]) * self.sfreq)

    @property
    def sfreq(self) -> float:
        """Sampling rate of a trial."""
        assert self.card.resample is not None  # `of_study` sets it
        return self.card.resample

    @property
    def ch_names(self) -> tuple[str, ...]:
        """Channels of a trial, in order."""
        assert self.card.channels is not None
        return self.card.channels

    def read(self, recording: Path | mne.io.BaseRaw, cues: Cues) -> Read:
        """Return the trials of a file, or of a recording that MNE holds."""
        self.check_filter()
        if isinstance(recording, Path) and EPOCHS.search(recording.name):
            return self.checked(self._epochs(recording, cues))
        raw = open_raw(recording, self.card) if isinstance(recording, Path) else recording
        where = str(recording) if isinstance(recording, Path) else "the recording"
        raw = raw.copy().load_data(verbose="error")
        name_channels(raw, dict(self.rename_channels))
        self.check_rate(float(raw.info["sfreq"]), where)
        return self.checked(self._continuous(raw, cues, where))

    def _continuous(self, raw: mne.io.BaseRaw, cues: Cues, where: str) -> Read:
        sfreq = float(raw.info["sfreq"])
        windows = cues.windows if cues.windows or cues.marks else self.card.windows
        if windows is not None:
            self.check_windows(windows)
            begins = window_onsets(raw.n_times, sfreq, windows)
            onsets = begins - round(self.card.window[0] * sfreq)
            labels = np.full(len(onsets), "", dtype=np.str_)
            artifact = np.zeros(len(onsets), dtype=bool)
        else:
            onsets, labels, artifact = self._cued(raw, cues, where)
        artifact |= spoilt(raw, onsets, self.card.judgement.window)
        order = np.argsort(onsets, kind="stable")
        onsets, labels, artifact = onsets[order], labels[order], artifact[order]
        made_up = np.where(labels == "", self.card.classes[0], labels)
        whole = Recording(raw, onsets, made_up, artifact, "0", where, self.to_microvolts)
        run = cut(whole, self.card_for(raw.ch_names))
        return Read(run.trials, labels[run.kept] != "", where, windows is None)

    def _cued(
        self, raw: mne.io.BaseRaw, cues: Cues, where: str
    ) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.bool_]]:
        held = self.stim_channel if self.stim_channel in raw.ch_names else None
        marks = read_marks(raw, held, where)
        meant = self.meaning(cues, gdf_codes=where.endswith(".gdf"))
        texts = marks.texts
        if not np.isin(texts, list(meant)).any():  # BrainVision says "Comment/left"
            texts = np.array([text.rpartition("/")[2] for text in texts.tolist()], dtype=np.str_)
        chosen = np.isin(texts, list(meant))
        if not chosen.any():
            there = ", ".join(sorted(set(marks.texts.tolist()))[:20])
            raise ValueError(
                f"{where}: none of its {len(marks.texts)} marks is one of {', '.join(meant)}"
                f" (marks: {there or 'none'}). Say at which to decode by --cue MARK, or decode it"
                " throughout by --windows LENGTH,STEP"
            )
        at = marks.samples[chosen]
        labels = np.array([meant[text] for text in texts[chosen]], dtype=np.str_)
        onsets = at + round(self.offset * raw.info["sfreq"])
        return onsets, labels, gdf.rejected(marks, at)

    def meaning(self, cues: Cues, *, gdf_codes: bool = False) -> dict[str, str]:
        """Return which marks begin a trial, and the class of each or ""."""
        if cues.marks is not None:
            return dict(cues.marks)
        if not gdf_codes:
            return dict(self.marks)
        own = {m: name for m, name in gdf.EVENTS.items() if name in self.card.classes}
        return {**own, gdf.UNKNOWN: "", **self.marks}

    def _epochs(self, path: Path, cues: Cues) -> Read:
        if cues.windows is not None:
            raise ValueError(f"{path}: it holds trials already; leave --windows out")
        epochs = read_epochs(path, self.card)
        name_channels(epochs, dict(self.rename_channels))
        self.check_rate(float(epochs.info["sfreq"]), str(path))
        meant = self.marks if cues.marks is None else cues.marks
        names = {code: name for name, code in epochs.event_id.items()}
        texts = [names[code] for code in epochs.events[:, 2].tolist()]
        codes = epochs.events[:, 2].astype(np.str_).tolist()
        labels = np.array(
            [meant.get(t, meant.get(c, "")) for t, c in zip(texts, codes, strict=True)], np.str_
        )
        given = CutTrials(
            epochs.get_data(picks="eeg", verbose="error") * self.to_microvolts,
            np.where(labels == "", self.card.classes[0], labels),
            ch_names=tuple(epochs.copy().pick("eeg").ch_names),
            sfreq=float(epochs.info["sfreq"]),
            tmin=float(epochs.tmin) - self.offset,
            onset=epochs.events[:, 0] / epochs.info["sfreq"] + self.offset,
            where=str(path),
        )
        run = cut(given, self.card_for(given.ch_names))
        return Read(run.trials, labels[run.kept] != "", str(path))

    def card_for(self, ch_names: Sequence[str]) -> Card:
        """Return the card; trials are judged by channels that are there, and no others."""
        judged = self.card.judgement
        if judged.channels is None:
            judged = judged.model_copy(update={"channels": self.card.channels})
        return self.card.model_copy(update={"judged": judged, "windows": None})

    def checked(self, found: Read) -> Read:
        """Refuse signals that are far stronger or weaker than those that were learned from."""
        self.check_strength(strength(found.trials.X) if len(found.trials) else 0.0, found.where)
        return found

    def check_strength(self, own: float, where: str) -> None:
        """Refuse a median deviation far from that of what was learned from."""
        if not (self.strength and own and self.card.scales == "refuse"):
            return
        ratio = own / self.strength
        if not 1 / SCALES_APART < ratio < SCALES_APART:
            times = f"{max(ratio, 1 / ratio):,.0f} times {'stronger' if ratio > 1 else 'weaker'}"
            raise ValueError(
                f"{where}: its signals are {times} than those that the decoder learned from. Its"
                " unit is another: say by --to-microvolts FACTOR how many microvolts one of it is"
            )

    def check_filter(self) -> None:
        """Refuse to guess how trials were filtered that came from Python."""
        if self.from_memory:
            raise ValueError(
                "this decoder learned from trials that were given from Python, so nothing is known"
                " of their filter: give it such trials, or fit it on a study that reads recordings"
            )

    def check_rate(self, sfreq: float, where: str) -> None:
        """Refuse a rate so low that the recording lacks what the decoder learned from."""
        high = None if self.card.band is None else self.card.band[1]
        if sfreq < self.sfreq * (1 - RATE) and (high is None or high >= sfreq / 2):
            raise ValueError(
                f"{where}: it is sampled at {sfreq:g} Hz, and the decoder is for {self.sfreq:g} Hz:"
                " what a lower rate has lost cannot be made up"
            )

    def check_windows(self, windows: Windows) -> None:
        length = self.card.window[1] - self.card.window[0]
        if round(windows.length * self.sfreq) != self.n_times:
            raise ValueError(
                f"windows of {windows.length:g} s: this decoder takes {length:g} s, the length that"
                f" it learned from: --windows {length:g},{windows.step or windows.length:g}"
            )

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self)) | {"card": self.card.model_dump(mode="json", exclude={"origin"})}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Reading:
        """Return the reading that plain values describe."""
        return cls(**plain | {"card": Card.model_validate(plain["card"])})


def _cutting(card: Card) -> tuple[Any, ...]:
    return card.band, card.phase, card.window, card.baseline


def _marks(events: Mapping[str, Any]) -> dict[str, str]:
    """Return mark -> class, "" where a mark means another class in another run."""
    return {mark: meaning if isinstance(meaning, str) else "" for mark, meaning in events.items()}


def onsets_of(part: Read) -> NDArray[np.float64]:
    """Return the second of each cue, or where a window without one begins."""
    return part.trials.onset if part.cued else part.trials.onset + part.trials.tmin
