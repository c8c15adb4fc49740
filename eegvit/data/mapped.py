"""Arrays in files of their own, checked and memory-mapped when they are read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.trials import Trials

_PER_TRIAL = ("y", "subject", "session", "run", "index")


def describe(trials: Trials) -> dict[str, Any]:
    """Return everything of Trials but the signals, as plain values."""
    per_trial = {name: getattr(trials, name).tolist() for name in _PER_TRIAL}
    return per_trial | {
        "classes": list(trials.classes),
        "ch_names": list(trials.ch_names),
        "sfreq": trials.sfreq,
        "tmin": trials.tmin,
    }


def assemble(X: NDArray[Any], about: dict[str, Any]) -> Trials:
    """Trials again, from their signals and what `describe` said of them."""
    return Trials(
        X=X,
        y=np.array(about["y"], dtype=np.int64),
        subject=np.array(about["subject"], dtype=np.str_),
        session=np.array(about["session"], dtype=np.str_),
        run=np.array(about["run"], dtype=np.str_),
        index=np.array(about["index"], dtype=np.int64),
        classes=tuple(about["classes"]),
        ch_names=tuple(about["ch_names"]),
        sfreq=about["sfreq"],
        tmin=about["tmin"],
    )


def write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write an array to disk for good; return its size, time and checksum."""
    with path.open("wb") as file:
        np.save(file, np.asarray(array, order="C"), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": checksum(path)}


def open_array(path: Path, file: dict[str, Any]) -> NDArray[Any]:
    """Map an array; one whose time is not as it was written is read through and checked."""
    status = path.stat()
    if status.st_size != file["size"]:
        raise ValueError(f"{path.name} has {status.st_size} bytes instead of {file['size']}")
    if status.st_mtime_ns != file["mtime_ns"] and checksum(path) != file["sha256"]:
        raise ValueError(f"the checksum of {path.name} is wrong")
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
