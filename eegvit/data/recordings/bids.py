"""Recordings in a BIDS folder, through MNE-BIDS."""

from __future__ import annotations

import importlib.metadata
from functools import cached_property
from pathlib import Path
from typing import Any

import mne_bids
import numpy as np

from eegvit.config import Card
from eegvit.data.checksums import stamp
from eegvit.data.epoching.runs import Recording
from eegvit.data.epoching.sessions import session_trials
from eegvit.data.folders import chosen_subjects, find_root, natural, same_name
from eegvit.data.recordings.marks import cues, read_marks, spoilt
from eegvit.data.recordings.readers import opened
from eegvit.registry import suggest
from eegvit.trials import Trials

FORMAT = 2
FORMATS = [".edf", ".bdf", ".vhdr", ".set", ".fif"]


class BidsSource:
    """EEG recordings of a BIDS data set; cues come from its `events.tsv` files.

    Channels listed as bad are kept: which channels there are must not differ between people.

    Parameters
    ----------
    card : Card
        The effective card.
    root : str
        The data set's folder, with `~` and `${NAME:-default}` replaced as in `files`.
    task : str, optional
        Name of the task to read; by default all.
    events : dict, optional
        `trial_type` in `events.tsv` -> class; by default they are called like the classes.
    offset : float, default=0
        Seconds from the event to the cue.
    """

    def __init__(
        self,
        card: Card,
        *,
        root: str,
        task: str | None = None,
        events: dict[str, str] | None = None,
        offset: float = 0.0,
    ) -> None:
        self.card = card
        self.root = find_root(root, card)
        self.task = task
        self.events = dict(events or {name: name for name in card.classes})
        self.offset = offset

    def subjects(self) -> tuple[str, ...]:
        """Names of the people: the card's, or all with a recording."""
        found = tuple(sorted({path.subject for path in self._paths}, key=natural))
        return chosen_subjects(self.card, found, str(self.root))

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Versions; names and checksums of everything in the folders of a person's files."""
        folders = {path.fpath.parent for path in self._of(subject)}
        files = sorted(f for folder in folders for f in folder.iterdir() if f.is_file())
        return {
            "format": FORMAT,
            "mne": importlib.metadata.version("mne"),
            "mne_bids": importlib.metadata.version("mne-bids"),
            "files": [stamp(f, self.root) for f in files],
        }

    def read(self, subject: str) -> list[Trials]:
        """One person's trials, one Trials a session."""
        sessions: dict[str, list[mne_bids.BIDSPath]] = {}
        for path in self._of(subject):
            sessions.setdefault(path.session or "0", []).append(path)
        return [
            session_trials(
                (self._recording(path, i) for i, path in enumerate(paths)),
                self.card,
                subject=subject,
                session=session,
            )
            for session, paths in sessions.items()
        ]

    @cached_property
    def _paths(self) -> list[mne_bids.BIDSPath]:
        if not self.root.is_dir():
            raise FileNotFoundError(
                f"{self.card.name}: no folder {self.root}; set `root` of the card's options"
            )
        paths = mne_bids.find_matching_paths(
            self.root, tasks=self.task, datatypes="eeg", suffixes="eeg", extensions=FORMATS
        )
        if not paths:
            task = f" of task '{self.task}'" if self.task else ""
            raise FileNotFoundError(
                f"{self.card.name}: no EEG recording{task} in the BIDS folder {self.root}"
            )
        return sorted(
            paths, key=lambda p: tuple(natural(x or "") for x in (p.subject, p.session, p.run))
        )

    def _of(self, subject: str) -> list[mne_bids.BIDSPath]:
        found = sorted({path.subject for path in self._paths}, key=natural)
        known = same_name(subject, found)
        if known is None:
            raise ValueError(
                f"{self.root}: no recording of subject '{subject}'{suggest(subject, found)}"
            )
        return [path for path in self._paths if path.subject == known]

    def _recording(self, path: mne_bids.BIDSPath, position: int) -> Recording:
        file = Path(path.fpath)
        with opened(file, self.card):
            raw = mne_bids.read_raw_bids(path)
        onsets, labels = cues(read_marks(raw, None, str(file)), self.events, str(file))
        onsets = onsets + np.int64(round(self.offset * raw.info["sfreq"]))
        return Recording(
            raw,
            onsets,
            labels,
            spoilt(raw, onsets, self.card.judgement.window),
            run=path.run or str(position),
            where=str(file),
        )
