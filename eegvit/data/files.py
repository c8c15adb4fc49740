"""Folders of recordings: GDF, EDF, BDF, BrainVision, FIF, and trials that MNE saved."""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit.config import Card
from eegvit.data import gdf
from eegvit.data.checksums import stamp
from eegvit.data.epoching import Recording, cut_epochs, label_trials, session_trials
from eegvit.data.folders import (
    RecordingFile,
    chosen_subjects,
    fill,
    find_files,
    find_root,
    natural,
)
from eegvit.data.marks import cues, read_marks, spoilt
from eegvit.registry import suggest
from eegvit.trials import Trials, concatenate

FORMAT = 1
_READERS: dict[str, Callable[..., mne.io.BaseRaw]] = {
    ".gdf": mne.io.read_raw_gdf,
    ".edf": mne.io.read_raw_edf,
    ".bdf": mne.io.read_raw_bdf,
    ".vhdr": mne.io.read_raw_brainvision,
    ".fif": mne.io.read_raw_fif,
}
_EPOCHS = re.compile(r"[-_]epo\.fif(\.gz)?$")


class FilesSource:
    """Recordings in a folder, whose names say the subject, the session and the run.

    Parameters
    ----------
    card : Card
        The effective card.
    root : str
        The folder. `~`, `$NAME`, `${NAME}` and `${NAME:-default}` are replaced; a relative one
        is looked for from the working directory, the card's folder, and the folder above it.
    pattern : str
        Path below the root with `{subject}`, `{session}` and `{run}`; `{subject:2}` is exactly
        two characters, `*` is anything. The suffix says the format; `_epo.fif` and `-epo.fif`
        are trials that MNE saved, any other `.fif` a continuous recording.
    events : dict, optional
        Mark (the text of an annotation, a trigger code, an event's name) -> class. By default
        marks are called like the classes; in GDF files they are the competition's 769 to 772.
    stim_channel : str, optional
        Channel that holds the trigger codes; by default annotations are read.
    offset : float, default=0
        Seconds from the mark to the cue.
    labels : str, optional
        Path below the root, with the same fields, of a MATLAB file whose `classlabel` holds
        the classes of all cues in their order, as the BCI Competition IV published them.
    sessions : tuple of str, optional
        Order of the sessions in time; by default that of their names, numbers by value.
    rename_channels : dict, default={}
        Name in the file -> name of the channel.
    to_microvolts : float, default=1e6
        Factor from the unit in which MNE returns the signals.
    """

    def __init__(
        self,
        card: Card,
        *,
        root: str,
        pattern: str,
        events: dict[str, str] | None = None,
        stim_channel: str | None = None,
        offset: float = 0.0,
        labels: str | None = None,
        sessions: tuple[str, ...] | None = None,
        rename_channels: dict[str, str] | None = None,
        to_microvolts: float = 1e6,
    ) -> None:
        self.card = card
        self.root = find_root(root, card)
        self.pattern = pattern
        standard = gdf.EVENTS if pattern.endswith(".gdf") else {name: name for name in card.classes}
        self.events = {str(mark): name for mark, name in (events or standard).items()}
        self.stim_channel = stim_channel
        self.offset = offset
        self.labels = labels
        self.sessions = sessions
        self.rename_channels = dict(rename_channels or {})
        self.to_microvolts = to_microvolts
        for name in card.classes:
            if name not in self.events.values():
                raise ValueError(
                    f"{card.name}: no mark stands for the class '{name}' in `events`"
                    f"{suggest(name, self.events.values())}"
                )

    def subjects(self) -> tuple[str, ...]:
        """Names of the people: the card's, or all that the folder has."""
        found = tuple(sorted({file.subject for file in self._files}, key=natural))
        return chosen_subjects(self.card, found, str(self.root))

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Format and MNE version; names and checksums of a person's files."""
        files = self._of(subject)
        paths = [file.path for file in files]
        paths += [path for file in files if (path := self._labels_path(file)) and path.is_file()]
        return {
            "format": FORMAT,
            "mne": importlib.metadata.version("mne"),
            "files": [stamp(path, self.root) for path in paths],
        }

    def read(self, subject: str) -> list[Trials]:
        """One person's trials, one Trials a session."""
        sessions: dict[str, list[RecordingFile]] = {}
        for file in self._of(subject):
            sessions.setdefault(file.session, []).append(file)
        cut = self._cut_trials if _EPOCHS.search(self.pattern) else self._continuous
        return [cut(files) for files in sessions.values()]

    @cached_property
    def _files(self) -> list[RecordingFile]:
        """Every recording below the root, in time order for each person."""
        if not self.root.is_dir():
            raise FileNotFoundError(
                f"{self.card.name}: no folder {self.root}; set `root` of the card's options"
            )
        found = find_files(self.root, self.pattern)
        if not found:
            there = sorted(p.name for p in self.root.iterdir())[:5]
            raise FileNotFoundError(
                f"{self.card.name}: no file in {self.root} is called like {self.pattern}"
                f" (there are {', '.join(there) or 'none at all'})"
            )
        return sorted(found, key=lambda f: (natural(f.subject), self._time(f), natural(f.run)))

    def _time(self, file: RecordingFile) -> Any:
        if self.sessions is None:
            return natural(file.session)
        if file.session not in self.sessions:
            raise ValueError(
                f"{file.path}: session '{file.session}' is not among the card's `sessions`"
                f" {list(self.sessions)}"
            )
        return self.sessions.index(file.session)

    def _of(self, subject: str) -> list[RecordingFile]:
        files = [file for file in self._files if file.subject == subject]
        if not files:
            raise ValueError(
                f"{self.root}: no recording of subject '{subject}'"
                f"{suggest(subject, {file.subject for file in self._files})}"
            )
        return files

    def _continuous(self, files: list[RecordingFile]) -> Trials:
        return session_trials(
            (self._recording(file) for file in files),
            self.card,
            subject=files[0].subject,
            session=files[0].session,
        )

    def _recording(self, file: RecordingFile) -> Recording:
        raw = read_raw(file.path)
        name_channels(raw, self.rename_channels)
        where = str(file.path)
        marks = read_marks(raw, self.stim_channel, where)
        labels_path = self._labels_path(file)
        if labels_path is not None:
            onsets, labels = gdf.true_labels(labels_path, marks, self.events, where)
        elif file.path.suffix == ".gdf" and gdf.UNKNOWN in marks.texts:
            raise ValueError(
                f"{where}: its cues are unknown (event {gdf.UNKNOWN}); name the MATLAB files of"
                " true labels in the card's option `labels`"
            )
        else:
            onsets, labels = cues(marks, self.events, where)
        artifact = gdf.rejected(marks, onsets)
        onsets = onsets + round(self.offset * raw.info["sfreq"])
        artifact |= spoilt(raw, onsets, self.card.window)
        return Recording(raw, onsets, labels, artifact, file.run, where, self.to_microvolts)

    def _labels_path(self, file: RecordingFile) -> Path | None:
        if self.labels is None:
            return None
        return self.root / fill(self.labels, file)

    def _cut_trials(self, files: list[RecordingFile]) -> Trials:
        parts: list[Trials] = []
        n_read = 0
        for file in files:
            with _explained(file.path):
                epochs = mne.read_epochs(file.path, proj=False, verbose="error")
                name_channels(epochs, self.rename_channels)
                X = epochs.get_data(picks="eeg", verbose="error")
            labels = self._names(epochs, file.path)
            known = np.flatnonzero(np.isin(labels, self.card.classes))
            trials = cut_epochs(
                X[known] * self.to_microvolts,
                labels[known],
                self.card,
                ch_names=tuple(epochs.copy().pick("eeg").ch_names),
                sfreq=float(epochs.info["sfreq"]),
                tmin=float(epochs.tmin) - self.offset,
                where=str(file.path),
            )
            parts.append(
                label_trials(
                    trials,
                    subject=file.subject,
                    session=file.session,
                    run=file.run,
                    index=n_read + np.arange(len(known)),
                )
            )
            n_read += len(known)
        return concatenate(parts)

    def _names(self, epochs: mne.BaseEpochs, path: Path) -> NDArray[np.str_]:
        """Class of each trial, by its event's name or code; "" where it stands for none."""
        names = {code: name for name, code in epochs.event_id.items()}
        classes = {
            code: self.events.get(name, self.events.get(str(code), ""))
            for code, name in names.items()
        }
        labels = np.array([classes[code] for code in epochs.events[:, 2]], dtype=np.str_)
        if not np.isin(labels, self.card.classes).any():
            raise ValueError(
                f"{path}: none of its {len(labels)} trials stands for one of the classes"
                f" {list(self.card.classes)} (events: {', '.join(epochs.event_id)}); say in the"
                " card's `events` which event stands for which class"
            )
        return labels


def read_raw(path: Path) -> mne.io.BaseRaw:
    """Open a continuous recording, whatever its format."""
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ValueError(
            f"{path}: recordings are read from {', '.join(_READERS)}, not from '{suffix}'"
        )
    with _explained(path):
        raw = _READERS[suffix](path, preload=True, verbose="error")
        if suffix == ".gdf":
            gdf.mend_gaps(raw)
        if not raw.n_times:
            raise ValueError("it has no samples")
    return raw


def name_channels(recording: mne.io.BaseRaw | mne.BaseEpochs, names: dict[str, str]) -> None:
    """Rename channels, and take those called EOG or ECG for what they are."""
    known = {old: new for old, new in names.items() if old in recording.ch_names}
    recording.rename_channels(known)
    kinds = {
        name: kind
        for name, held in zip(recording.ch_names, recording.get_channel_types(), strict=True)
        for kind in ("eog", "ecg", "emg")
        if held == "eeg" and kind in name.lower()
    }
    recording.set_channel_types(kinds, verbose="error")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say which file it was that could not be read, and what is probably wrong with it."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; copy it again")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="This filename .* does not conform")
            yield
    except Exception as error:  # readers raise many kinds on a damaged file
        raise ValueError(
            f"{path}: cannot be read ({type(error).__name__}: {error}). The file is truncated,"
            " damaged, or of another kind than its name says; copy it again."
        ) from error
