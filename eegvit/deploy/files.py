"""Files of recordings by their paths: those of a BIDS data set with their events."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import mne

from eegvit.config import Card
from eegvit.data.recordings.bids import FORMATS
from eegvit.data.recordings.readers import opened, read_raw

DESCRIPTION = "dataset_description.json"


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """Return the recordings that paths stand for: of a BIDS folder all that it holds.

    Examples
    --------
    >>> [path.name for path in files_of(["a.edf"])]
    Traceback (most recent call last):
    FileNotFoundError: a.edf: no such recording
    """
    found: list[Path] = []
    for given in map(Path, paths):
        if not given.exists():
            raise FileNotFoundError(f"{given}: no such recording")
        if not given.is_dir() or given.suffix == ".mff":
            found.append(given)
            continue
        root = _root_of(given)
        if root is None:
            raise ValueError(
                f"{given}: a folder, and no BIDS data set ({DESCRIPTION} is missing); name its"
                " recordings"
            )
        inside = [
            path
            for path in sorted(given.rglob("*_eeg.*"))
            if path.suffix in FORMATS and "derivatives" not in path.relative_to(root).parts
        ]
        if not inside:
            raise FileNotFoundError(f"{given}: no EEG recording in this BIDS folder")
        found += inside
    return found


def open_raw(path: Path, card: Card) -> mne.io.BaseRaw:
    """Return a file's recording; marks of one in a BIDS data set come from its `events.tsv`."""
    if _root_of(path) is None or not path.stem.endswith("_eeg"):
        return read_raw(path, card)
    import mne_bids

    with opened(path, card):
        return mne_bids.read_raw_bids(mne_bids.get_bids_path_from_fname(path))


def _root_of(path: Path) -> Path | None:
    """Return the folder of the BIDS data set that a path is in, if it is in one."""
    for folder in (path, *path.resolve().parents):
        if (folder / DESCRIPTION).is_file():
            return folder.resolve()
    return None
