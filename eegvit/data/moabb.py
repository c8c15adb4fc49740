"""Any data set that MOABB can read.

MOABB's own loaders and event pipelines find the recordings and their cues; filtering and
cutting are those of every other source (`eegvit.data.epoching`), with MOABB's filter.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import io
import logging
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mne
import numpy as np
import pooch  # type: ignore[import-untyped]

from eegvit.config import Card, shipped
from eegvit.data.checksums import stamp
from eegvit.data.epoching.runs import Recording
from eegvit.data.epoching.sessions import session_trials
from eegvit.data.folders import chosen_subjects, same_name
from eegvit.data.notes import heard, note
from eegvit.data.recordings.marks import spoilt
from eegvit.data.recordings.readers import check_whole
from eegvit.registry import suggest
from eegvit.trials import Trials

SIMULATED = "SIMULATED.txt"  # lies beside files that nobody was recorded for
FORMAT = 2
_PARADIGMS = {"imagery": "MotorImagery", "p300": "P300", "ssvep": "SSVEP"}
_PATIENCE = 1.5  # seconds that a server has to answer before a download is given up


class MissingRecording(FileNotFoundError):
    """A recording is neither on this machine nor can it be downloaded."""

    def __init__(self, file: str, address: str) -> None:
        super().__init__(f"{file} is missing, and {address} cannot be reached")
        self.file, self.address = file, address


class MoabbSource:
    """A MOABB data set, one person at a time.

    A card's `window` counts from the beginning of the task as MOABB defines it
    (`dataset.interval`), as `tmin` and `tmax` of MOABB's paradigms do.

    Parameters
    ----------
    card : Card
        The effective card.
    dataset : str
        Name of a class in `moabb.datasets`, such as "BNCI2014_001".
    dataset_parameters : dict, default={}
        What that class is constructed with.
    paradigm : str, optional
        Name of a class in `moabb.paradigms` that finds the events; by default
        MotorImagery, P300 or SSVEP, after the card's `paradigm`.
    paradigm_parameters : dict, default={}
        What that class is constructed with.
    """

    def __init__(
        self,
        card: Card,
        *,
        dataset: str,
        dataset_parameters: dict[str, Any] | None = None,
        paradigm: str | None = None,
        paradigm_parameters: dict[str, Any] | None = None,
    ) -> None:
        self.card = card
        self.dataset = dataset
        self.dataset_parameters = dict(dataset_parameters or {})
        self.paradigm = paradigm or _PARADIGMS[card.paradigm]
        self.paradigm_parameters = dict(paradigm_parameters or {})

    def subjects(self) -> tuple[str, ...]:
        """Names of the people: the card's, or all that MOABB lists."""
        listed = tuple(str(s) for s in self._dataset.subject_list)
        return chosen_subjects(self.card, listed, self.dataset)

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Versions, and names and checksums of a person's files; downloads what is missing."""
        return {
            "format": FORMAT,
            "mne": importlib.metadata.version("mne"),
            "moabb": importlib.metadata.version("moabb"),
            "files": [stamp(path, path.parent) for path in self._recorded(subject)],
        }

    def read(self, subject: str) -> list[Trials]:
        """One person's trials, one Trials a session."""
        number = self._number(subject)
        unknown = [c for c in self.card.classes if c not in self._events]
        if unknown:
            raise ValueError(
                f"{self.card.name}: {self.dataset} has no class '{unknown[0]}'"
                f"{suggest(unknown[0], self._events)}"
            )
        with _quiet(), self._explained(subject), heard() as said:
            sessions = self._dataset.get_data(subjects=[number])[number]
        for path in self._recorded(subject):
            check_whole(path, self.card)
        for text in said:
            note(f"{self.card.name}, subject {subject}: {text}")
        return [
            session_trials(
                (
                    self._recording(raw, run, f"{self.dataset} subject {subject} session {name}")
                    for run, raw in runs.items()
                ),
                self.card,
                subject=subject,
                session=str(name),
            )
            for name, runs in sessions.items()
        ]

    def _recording(self, raw: Any, run: str, where: str) -> Recording:
        with _quiet():
            find_events = self._finder.make_labels_pipeline(self._dataset, return_raws=True)[0]
            events = find_events.transform(raw)
        events = np.zeros((0, 3), dtype=np.int64) if events is None else np.asarray(events)
        begin = round(self.offset * raw.info["sfreq"])
        onsets = events[:, 0].astype(np.int64) - raw.first_samp + begin
        names = {
            code: name for name, codes in self._events.items() for code in np.atleast_1d(codes)
        }
        return Recording(
            raw,
            onsets,
            [names[code] for code in events[:, 2]],
            artifact=spoilt(raw, onsets, self.card.judgement.window),
            run=str(run),
            where=f"{where} run {run}",
            to_microvolts=float(self._dataset.unit_factor),
        )

    @property
    def offset(self) -> float:
        """Seconds from the trigger to the task."""
        return float(self._dataset.interval[0])

    @cached_property
    def _dataset(self) -> Any:
        cls = _find("moabb.datasets", self.dataset)
        parameters = dict(self.dataset_parameters)
        if "artifact_handling" in inspect.signature(cls).parameters:
            parameters.setdefault("artifact_handling", "annotate")
        with _quiet():
            return cls(**parameters)

    @cached_property
    def _finder(self) -> Any:
        cls = _find("moabb.paradigms", self.paradigm)
        with _quiet():
            paradigm = cls(**self.paradigm_parameters)
        if not paradigm.is_valid(self._dataset):
            raise ValueError(
                f"{self.card.name}: MOABB's {self.paradigm} does not fit {self.dataset}, a data"
                f" set of kind {self._dataset.paradigm} with events"
                f" {', '.join(self._dataset.event_id)}; set the card's `paradigm`"
            )
        return paradigm

    @cached_property
    def _events(self) -> dict[str, Any]:
        with _quiet():
            return dict(self._finder.used_events(self._dataset))

    def _number(self, subject: str) -> Any:
        listed = {str(number): number for number in self._dataset.subject_list}
        known = same_name(subject, listed)
        if known is None:
            raise ValueError(f"{self.dataset} has no subject '{subject}'{suggest(subject, listed)}")
        return listed[known]

    def _recorded(self, subject: str) -> list[Path]:
        """A person's files; simulated ones are refused where the card promises recordings."""
        files = self._files(self._number(subject))
        marks = [path.with_name(SIMULATED) for path in files if path.with_name(SIMULATED).exists()]
        if marks and not self.card.simulated:
            other = f"{self.card.name}_simulated"
            such = f", such as --set data={other}" if other in shipped("datasets") else ""
            raise ValueError(
                f"{self.card.name}: the files of subject {subject} are simulated ({marks[0]} says"
                " so), and the card does not say it. Point MNE_DATA to recordings, or use a card"
                f" with `simulated: true`{such}."
            )
        return files

    def _files(self, number: Any) -> list[Path]:
        """A person's files; where some are missing, those that lie where they should be."""
        try:
            with _quiet():
                found = self._dataset.data_path(number)
        except MissingRecording as error:
            found = sorted(Path(error.file).parent.glob("*"))
        except Exception:  # whatever a loader raises without a network; reading says what
            return []
        paths = [Path(p) for p in np.ravel(np.asarray(found, dtype=object))]
        files = [p for path in paths for p in ([path] if path.is_file() else path.rglob("*"))]
        return sorted({p for p in files if p.is_file()})

    @contextlib.contextmanager
    def _explained(self, subject: str) -> Iterator[None]:
        """Say where a recording should be when it is missing or damaged."""
        who = f"{self.card.name}: subject {subject} of {self.dataset}"
        try:
            yield
        except MissingRecording as error:
            raise FileNotFoundError(
                f"{who} is not on this machine and {urlsplit(error.address).hostname} cannot be"
                f" reached.\n  expected: {error.file}\n  from:     {error.address}\n"
                "Put the file there, or set MNE_DATA to the folder that has it."
            ) from None
        except Exception as error:
            folder = os.environ.get("MNE_DATA") or "~/mne_data"
            raise ValueError(
                f"{who} cannot be read: {type(error).__name__}: {error}\n"
                f"MOABB looks for it below {folder} (MNE_DATA). A file may be missing, truncated"
                " or damaged: delete it, and it is downloaded again."
            ) from error


def _find(module: str, name: str) -> Any:
    """Return a class of MOABB by its name."""
    with _quiet():
        found = importlib.import_module(module)
    if not inspect.isclass(getattr(found, name, None)):
        known = [n for n in dir(found) if inspect.isclass(getattr(found, n))]
        raise ValueError(f"{module} has no '{name}'{suggest(name, known)}")
    return getattr(found, name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence MOABB and MNE; stop a download at once where its server is out of reach."""
    if mne.get_config("MOABB_DOWNLOAD_PROVIDER") is None:
        # by default MOABB asks a mirror first and waits for it 44 s a person without a network
        os.environ["MOABB_DOWNLOAD_PROVIDER"] = "upstream"
    folder = mne.get_config("MNE_DATA")
    if folder:
        with contextlib.suppress(OSError):
            Path(folder).mkdir(parents=True, exist_ok=True)  # MOABB refuses one that is missing
    moabb_log, pooch_log, watch = logging.getLogger("moabb"), pooch.get_logger(), _Watch()
    level = moabb_log.level
    moabb_log.setLevel(logging.ERROR)
    pooch_log.addFilter(watch)
    try:
        with (
            mne.use_log_level("ERROR"),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        moabb_log.setLevel(level)
        pooch_log.removeFilter(watch)


class _Watch(logging.Filter):
    """Reads pooch's announcement of a download: its last two values are address and file."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) >= 2:
            address, file = (str(value) for value in record.args[-2:])
            if "://" in address and not _answers(address):
                raise MissingRecording(file, address)
        return False


def _answers(address: str) -> bool:
    """Return whether a server, or the proxy in front of it, can be reached."""
    parts = urlsplit(address)
    proxy = os.environ.get(f"{parts.scheme}_proxy") or os.environ.get(
        f"{parts.scheme.upper()}_PROXY"
    )
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    place = (parts.hostname or "", parts.port or {"http": 80, "ftp": 21}.get(parts.scheme, 443))
    reached: list[bool] = []

    def knock() -> None:
        with contextlib.suppress(OSError):
            socket.create_connection(place, timeout=_PATIENCE).close()
            reached.append(True)

    thread = threading.Thread(target=knock, daemon=True)  # looking a name up knows no time limit
    thread.start()
    thread.join(_PATIENCE)
    return bool(reached)
