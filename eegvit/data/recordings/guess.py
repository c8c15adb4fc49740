"""What a folder holds, by looking at it: names, marks, channels, rates. Nothing is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eegvit.data.folders import RecordingFile, find_files
from eegvit.data.recordings.bids import FORMATS
from eegvit.data.recordings.looks import (
    Look,
    choose_marks,
    class_name,
    cue_window,
    cut_window,
    look,
    look_at,
    shared_channels,
    texts_of,
)
from eegvit.data.recordings.names import Names, common_names, roles_of
from eegvit.data.recordings.readers import EPOCHS, READERS

_WINDOW = 4.0  # seconds of fixed windows
_LOOKED_AT = 12  # recordings, of three people
_T1_T2 = {  # of EEGMMIDB: runs -> what T1 and T2 stand for
    ("4", "8", "12"): ("left_hand", "right_hand"),
    ("6", "10", "14"): ("hands", "feet"),
}

_EEGMMIDB = ("S{subject:3}/S{subject:3}R{run:2}.edf", "S{subject:3}R{run:2}.edf")
_KNOWN = (
    *_EEGMMIDB,
    "A{subject:2}{session:1}.gdf",  # BCI Competition IV 2a
    "B{subject:2}{session:3}.gdf",  # and 2b
)


@dataclass(frozen=True)
class Guess:
    """What a folder's recordings seem to be, as plain values.

    Parameters
    ----------
    source, options
        As a card names them.
    classes : tuple of str
    channels : tuple of str, optional
        Channels of the 10-05 system; None for all that are of EEG.
    sfreq : float
    window : (float, float)
        Seconds from the cue.
    band : (float, float), optional
        None where trials were cut already.
    remarks : tuple of str
        What was decided and could be otherwise.
    windows : float, optional
        Length of fixed windows, where a recording's name says its class.
    people, sessions : int
        How many there are; sessions of a person at most.
    share : float
        Trials of the rarest class for one of the most frequent.
    """

    source: str
    options: dict[str, object]
    classes: tuple[str, ...]
    channels: tuple[str, ...] | None
    sfreq: float
    window: tuple[float, float]
    band: tuple[float, float] | None
    remarks: tuple[str, ...]
    windows: float | None = None
    people: int = 1
    sessions: int = 1
    share: float = 1.0


def guess(folder: Path) -> Guess:
    """Look at a folder of recordings and say what they are.

    Parameters
    ----------
    folder : path
        A BIDS data set, or any folder with files of one of the formats that `files` reads.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    if (folder / "dataset_description.json").is_file():
        found = _guess_bids(folder)
        if found is not None:
            return found
    return _guess_files(folder)


def _guess_files(folder: Path) -> Guess:
    names, remarks = _usual_files(folder)
    cut = bool(EPOCHS.search(names.paths[0]))
    pattern = _known_pattern(folder, names) or names.pattern(roles_of(names))
    files = find_files(folder, pattern)
    looks = _looks(files, cut)
    options: dict[str, object] = {"root": str(folder.resolve()), "pattern": pattern}
    if pattern in _EEGMMIDB and {"T1", "T2"} <= texts_of(looks):
        events: dict[str, object] = _eegmmidb_events({file.run for file in files})
        share, said = 1.0, ["T1 and T2 mean what they do in the runs of EEGMMIDB; no other is read"]
    else:
        marks, share, said = choose_marks(looks, gdf_file=pattern.endswith(".gdf"))
        if len(marks) < 2:
            return _guess_by_name(folder, names, looks, cut, remarks)
        events = {**marks}
    options["events"] = events
    if looks[0].stim_channel:
        options["stim_channel"] = looks[0].stim_channel
    if pattern.endswith(".gdf") and any(f.path.with_suffix(".mat").is_file() for f in files):
        options["labels"] = pattern.removesuffix(".gdf") + ".mat"
    window = cut_window(looks) if cut else cue_window(looks, set(events))
    classes = tuple(dict.fromkeys(_flat(events)))
    made = _made("files", options, classes, looks, window, cut, remarks + said)
    people, sessions = _people(files)
    return replace(made, share=share, people=people, sessions=sessions)


def _guess_by_name(
    folder: Path, names: Names, looks: Sequence[Look], cut: bool, remarks: list[str]
) -> Guess:
    """Recordings without marks of two classes: their names say of which class each is."""
    try:
        roles = roles_of(names, class_in_name=True)
    except ValueError as error:
        found = ", ".join(sorted(texts_of(looks))[:10]) or "none"
        raise ValueError(
            f"{folder}: its recordings have no marks of two classes (marks: {found}), and {error}."
            " Write a table of classes, and a card from datasets/template.yaml with `table`."
        ) from None
    pattern = names.pattern(roles)
    files = find_files(folder, pattern)
    events = {label: class_name(label) for label in sorted({str(file.label) for file in files})}
    options: dict[str, object] = {
        "root": str(folder.resolve()), "pattern": pattern, "events": events,
    }  # fmt: skip
    window = cut_window(looks) if cut else (0.0, _WINDOW)
    remarks = [*remarks, "no marks of two classes: the class of a recording is taken from its name"]
    made = _made("files", options, tuple(events.values()), looks, window, cut, remarks)
    people, sessions = _people(files)
    windows = None if cut else _WINDOW
    return replace(made, windows=windows, people=people, sessions=sessions)


def _guess_bids(folder: Path) -> Guess | None:
    import mne_bids

    paths = mne_bids.find_matching_paths(
        folder, datatypes="eeg", suffixes="eeg", extensions=FORMATS
    )
    if not paths:
        return None
    tasks = Counter(path.task for path in paths)
    people = sorted({path.subject for path in paths})
    sessions = max(len({p.session for p in paths if p.subject == who}) for who in people)
    for task in sorted(tasks, key=lambda name: -tasks[name]):
        chosen = [p for p in paths if p.task == task and p.subject in people[:3]][:_LOOKED_AT]
        looks = [look_at(mne_bids.read_raw_bids(path, verbose="error")) for path in chosen]
        marks, share, said = choose_marks(looks, gdf_file=False)
        if len(marks) > 1:
            options: dict[str, object] = {"root": str(folder.resolve()), "events": dict(marks)}
            if len(tasks) > 1:
                options["task"] = task
                said.append(f"tasks are {', '.join(sorted(tasks))}; {task} has most recordings")
            window = cue_window(looks, set(marks))
            classes = tuple(dict.fromkeys(marks.values()))
            made = _made("bids", options, classes, looks, window, False, said)
            return replace(made, share=share, people=len(people), sessions=sessions)
    return None


def _usual_files(folder: Path) -> tuple[Names, list[str]]:
    """The recordings of the kind that there is most of, and what was passed over."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        suffix = path.suffix.lower()
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        split = re.search(r"-\d+\.fif$", name) is not None
        inside = any(parent.suffix == ".mff" for parent in path.parents)
        if suffix in READERS and not (hidden or split or inside):
            kinds.setdefault("epochs" if EPOCHS.search(name) else suffix, []).append(name)
    if not kinds:
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise FileNotFoundError(
            f"{folder}: no recording in it ({', '.join(READERS)}); there is {there}"
        )
    kind = max(kinds, key=lambda k: len(kinds[k]))
    names = common_names(kinds[kind])
    n = sum(map(len, kinds.values()))
    passed = n - len(names.paths)
    remarks = [f"{passed} of {n} recordings have another name or format and are passed over"]
    return names, remarks if passed else []


def _eegmmidb_events(runs: set[str]) -> dict[str, object]:
    """What T1 and T2 stand for in each imagined run that is there."""
    events: dict[str, dict[str, str]] = {"T1": {}, "T2": {}}
    for numbers, (first, second) in _T1_T2.items():
        for run in sorted(runs):
            if run.lstrip("0") in numbers:
                events["T1"][run], events["T2"][run] = first, second
    if not events["T1"]:
        raise ValueError(
            "EEGMMIDB without one of the runs 4, 6, 8, 10, 12 and 14, in which movements are"
            " imagined; write a card from datasets/template.yaml"
        )
    return dict(events)


def _known_pattern(folder: Path, names: Names) -> str | None:
    """The pattern of a set that many people have, of which a part may be there."""
    fit = (pattern for pattern in _KNOWN if len(find_files(folder, pattern)) == len(names.paths))
    return next(fit, None)


def _made(
    source: str, options: dict[str, object], classes: tuple[str, ...], looks: Sequence[Look],
    window: tuple[float, float], cut: bool, remarks: Sequence[str],
) -> Guess:  # fmt: skip
    channels, said = shared_channels(looks)
    sfreq = looks[0].sfreq
    if len({one.sfreq for one in looks}) > 1:
        said.append("sampling rates differ: `resample` brings them to one")
    high = min(40.0, np.floor(0.4 * sfreq))
    band = None if cut else (1.0, min(high, 24.0)) if window[1] < 1 else (4.0, high)
    return Guess(source, options, classes, channels, sfreq, window, band, (*remarks, *said))


def _looks(files: Sequence[RecordingFile], cut: bool) -> list[Look]:
    """Look at some recordings of the first three people."""
    first = list(dict.fromkeys(file.subject for file in files))[:3]
    chosen = [file for file in files if file.subject in first][:_LOOKED_AT]
    return [look(file.path, cut) for file in chosen]


def _people(files: Sequence[RecordingFile]) -> tuple[int, int]:
    """How many people there are, and how many sessions a person has at most."""
    people = {file.subject for file in files}
    each = [len({f.session for f in files if f.subject == who}) for who in people]
    return len(people), max(each)


def _flat(events: dict[str, object]) -> list[str]:
    said = [list(m.values()) if isinstance(m, dict) else [m] for m in events.values()]
    return [str(name) for names in said for name in names]
