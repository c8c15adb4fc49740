"""Folders of recordings: every format that MNE reads, and trials that MNE saved."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit.config import Card, Windows
from eegvit.data.checksums import stamp
from eegvit.data.epoching.runs import CutTrials, Recording
from eegvit.data.epoching.sessions import session_trials
from eegvit.data.folders import (
    RecordingFile,
    chosen_subjects,
    fill,
    find_files,
    find_root,
    natural,
    same_name,
)
from eegvit.data.recordings import gdf
from eegvit.data.recordings.marks import Marks, cues, read_marks, spoilt, window_onsets
from eegvit.data.recordings.readers import EPOCHS, name_channels, parts_of, read_epochs, read_raw
from eegvit.data.recordings.sums import refuse_changed
from eegvit.data.recordings.table import with_labels
from eegvit.registry import suggest
from eegvit.trials import Trials

FORMAT = 2


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
        Path below the root with `{subject}`, `{session}`, `{run}` and `{class}`; `{subject:2}`
        is exactly two characters, `*` is anything. The suffix says the format (.edf, .bdf,
        .gdf, .vhdr, .fif, .set, .cnt, .mff); `_epo.fif` and `-epo.fif` are trials that MNE
        saved, any other `.fif` a continuous recording. With `{class}` all trials of a file are
        of one class, and the card's `windows` say how they are cut.
    events : dict, optional
        Mark (the text of an annotation, a trigger code, an event's name, what stands at
        `{class}` or in the table) -> class; or -> run -> class, where a mark's meaning depends
        on the run: runs without a class are left out. By default marks are called like the
        classes; in GDF files they are the competition's 769 to 772.
    stim_channel : str, optional
        Channel that holds the trigger codes; by default annotations are read.
    offset : float, default=0
        Seconds from the mark to the cue.
    labels : str, optional
        Path below the root, with the same fields, of a MATLAB file whose `classlabel` holds
        the classes of all cues in their order, as the BCI Competition IV published them.
    table : str, optional
        Path below the root of a table (.csv, .tsv) with a column `class` and one or more of
        file, subject, session and run, instead of `{class}` in the pattern.
    checksums : str, optional
        Path below the root of a list of SHA-256 sums, as `sha256sum` writes it and many data
        sets bring: a recording that differs from it is refused.
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
        events: dict[str, str | dict[str, str]] | None = None,
        stim_channel: str | None = None,
        offset: float = 0.0,
        labels: str | None = None,
        table: str | None = None,
        checksums: str | None = None,
        sessions: tuple[str, ...] | None = None,
        rename_channels: dict[str, str] | None = None,
        to_microvolts: float = 1e6,
    ) -> None:
        self.card = card
        self.root = find_root(root, card)
        self.pattern = pattern
        standard = gdf.EVENTS if pattern.endswith(".gdf") else {name: name for name in card.classes}
        self.events: dict[str, str | dict[str, str]] = dict(events or standard)
        self.stim_channel = stim_channel
        self.offset = offset
        self.labels = labels
        self.table = table
        self.checksums = checksums
        self.sessions = sessions
        self.rename_channels = dict(rename_channels or {})
        self.to_microvolts = to_microvolts
        self._check_events()
        if card.windows and table is None and "{class" not in pattern:
            raise ValueError(
                f"{card.name}: `windows` cut recordings of one class; say of which by {{class}} in"
                " the option `pattern`, or by a `table`"
            )

    def subjects(self) -> tuple[str, ...]:
        """Names of the people: the card's, or all that the folder has."""
        found = tuple(sorted({file.subject for file in self._files}, key=natural))
        return chosen_subjects(self.card, found, str(self.root))

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Format and MNE version; names and checksums of a person's files."""
        files = self._of(subject)
        paths = [path for file in files for path in parts_of(file.path)]
        paths += [path for file in files if (path := self._labels_path(file))]
        paths += [self.root / self.table] if self.table else []
        return {
            "format": FORMAT,
            "mne": importlib.metadata.version("mne"),
            "files": [stamp(path, self.root) for path in paths if path.is_file()],
        }

    def read(self, subject: str) -> list[Trials]:
        """One person's trials, one Trials a session."""
        if self.checksums is not None:
            paths = [path for file in self._of(subject) for path in parts_of(file.path)]
            refuse_changed(paths, self.root / self.checksums, self.root)
        sessions: dict[str, list[RecordingFile]] = {}
        for file in self._of(subject):
            sessions.setdefault(file.session, []).append(file)
        cut = self._trials if EPOCHS.search(self.pattern) else self._recording
        return [
            session_trials(
                (cut(file) for file in files),
                self.card,
                subject=files[0].subject,
                session=session,
            )
            for session, files in sessions.items()
        ]

    def _check_events(self) -> None:
        """Refuse a class that no mark stands for."""
        said = [list(m.values()) if isinstance(m, dict) else [m] for m in self.events.values()]
        classes = [name for names in said for name in names]
        for name in self.card.classes:
            if name not in classes:
                raise ValueError(
                    f"{self.card.name}: no mark stands for the class '{name}' in `events`"
                    f"{suggest(name, classes)}"
                )

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
        if self.table is not None:
            found = with_labels(found, self.root / self.table, self.root)
        if any(isinstance(meaning, dict) for meaning in self.events.values()):
            found = [file for file in found if self._events(file)]
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
        found = sorted({file.subject for file in self._files}, key=natural)
        known = same_name(subject, found)
        if known is None:
            raise ValueError(
                f"{self.root}: no recording of subject '{subject}'{suggest(subject, found)}"
            )
        return [file for file in self._files if file.subject == known]

    def _events(self, file: RecordingFile) -> dict[str, str]:
        """Mark -> class in a recording's run."""
        meanings = {}
        for mark, meaning in self.events.items():
            if isinstance(meaning, dict):
                run = same_name(file.run, meaning)
                if run is not None:
                    meanings[mark] = meaning[run]
            else:
                meanings[mark] = meaning
        return meanings

    def _recording(self, file: RecordingFile) -> Recording:
        raw = read_raw(file.path, self.card)
        name_channels(raw, self.rename_channels)
        where, events = str(file.path), self._events(file)
        sfreq, artifact = raw.info["sfreq"], None
        if file.label is not None:
            onsets = window_onsets(raw.n_times, sfreq, self._windows(where))
            labels = np.full(len(onsets), self._class_of(file, events))
        else:
            marks = read_marks(raw, self.stim_channel, where)
            onsets, labels = self._cues(file, marks, events)
            artifact = gdf.rejected(marks, onsets)
            onsets = onsets + round(self.offset * sfreq)
        bad = spoilt(raw, onsets, self.card.judgement.window)
        artifact = bad if artifact is None else artifact | bad
        return Recording(raw, onsets, labels, artifact, file.run, where, self.to_microvolts)

    def _cues(
        self, file: RecordingFile, marks: Marks, events: Mapping[str, str]
    ) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        where, labels_path = str(file.path), self._labels_path(file)
        if labels_path is not None:
            return gdf.true_labels(labels_path, marks, events, where)
        if file.path.suffix == ".gdf" and gdf.UNKNOWN in marks.texts:
            raise ValueError(
                f"{where}: its cues are unknown (event {gdf.UNKNOWN}); name the MATLAB files of"
                " true labels in the card's option `labels`"
            )
        return cues(marks, events, where)

    def _windows(self, where: str) -> Windows:
        if self.card.windows is None:
            raise ValueError(
                f"{where}: all of it is of one class; say in the card's `windows` how it is cut,"
                " such as {length: 4, step: 4} for 4 s"
            )
        return self.card.windows

    def _class_of(self, file: RecordingFile, events: Mapping[str, str]) -> str:
        if file.label is None or file.label not in events:
            raise ValueError(
                f"{file.path}: '{file.label}' stands for no class in `events`"
                f"{suggest(str(file.label), events)}"
            )
        return events[file.label]

    def _labels_path(self, file: RecordingFile) -> Path | None:
        if self.labels is None:
            return None
        return self.root / fill(self.labels, file)

    def _trials(self, file: RecordingFile) -> CutTrials:
        epochs = read_epochs(file.path, self.card)
        name_channels(epochs, self.rename_channels)
        if "eeg" not in epochs:
            raise ValueError(f"{file.path}: no channel of type EEG")
        return CutTrials(
            epochs.get_data(picks="eeg", verbose="error") * self.to_microvolts,
            self._names(epochs, file),
            ch_names=tuple(epochs.copy().pick("eeg").ch_names),
            sfreq=float(epochs.info["sfreq"]),
            tmin=float(epochs.tmin) - self.offset,
            onset=epochs.events[:, 0] / epochs.info["sfreq"] + self.offset,
            run=file.run,
            where=str(file.path),
        )

    def _names(self, epochs: mne.BaseEpochs, file: RecordingFile) -> NDArray[np.str_]:
        """Class of each trial, by its event's name or code; "" where it stands for none."""
        events = self._events(file)
        if file.label is not None:
            return np.full(len(epochs), self._class_of(file, events))
        names = {code: name for name, code in epochs.event_id.items()}
        classes = {
            code: events.get(name, events.get(str(code), "")) for code, name in names.items()
        }
        labels = np.array([classes[code] for code in epochs.events[:, 2]], dtype=np.str_)
        if not np.isin(labels, self.card.classes).any():
            raise ValueError(
                f"{file.path}: none of its {len(labels)} trials stands for one of the classes"
                f" {list(self.card.classes)} (events: {', '.join(epochs.event_id)}); say in the"
                " card's `events` which event stands for which class"
            )
        return labels
