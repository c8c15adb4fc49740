"""Arrays in files of their own, with what it takes to map them and to know that they are whole."""

from __future__ import annotations

import dataclasses
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from eegvit.sealed import Damaged, reading
from eegvit.trials import Account, Trials

_PER_TRIAL = ("y", "subject", "session", "run", "index")
_CHUNK = 2**20  # bytes read at once

_whole: set[tuple[str, int, int, int]] = set()  # files that this process has read through


def describe(trials: Trials) -> dict[str, Any]:
    """Return everything of Trials but the signals, as plain values."""
    per_trial = {name: getattr(trials, name).tolist() for name in _PER_TRIAL}
    seconds = [None if np.isnan(second) else second for second in trials.onset.tolist()]
    return per_trial | {
        "onset": seconds,
        "account": None if trials.account is None else dataclasses.asdict(trials.account),
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
        onset=np.array(about["onset"], dtype=np.float64),  # None becomes nan
        account=_account(about["account"]),
    )


def _account(about: dict[str, Any] | None) -> Account | None:
    if about is None:
        return None
    return Account(about["found"], about["left_out"], tuple(about["notes"]))


def write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write an array to disk for good; return its size, checksum, and how to map it."""
    array = np.asarray(array, order="C")
    with path.open("wb") as file:
        summing = _Summing(file)
        np.save(summing, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {
        "size": summing.size,
        "crc32": summing.crc32,
        "offset": summing.size - array.nbytes,
        "dtype": array.dtype.str,
        "shape": list(array.shape),
    }


def open_array(path: Path, file: dict[str, Any]) -> NDArray[Any]:
    """Map an array; nothing of it is read yet, its header included."""
    with reading(path):
        size = path.stat().st_size
        if size != file["size"]:
            raise Damaged(f"{path} is damaged: it has {size} bytes instead of {file['size']}")
        dtype, shape = np.dtype(file["dtype"]), tuple(file["shape"])
        return np.memmap(path, dtype, "r", offset=file["offset"], shape=shape)


def check_array(path: Path, file: dict[str, Any]) -> None:
    """Read an array through, once a process, and raise an error if it is not as it was written."""
    if not was_checked(path):
        with reading(path):
            state = _state(path)
            if crc32(path) != file["crc32"]:
                raise Damaged(f"{path} is damaged: its checksum is wrong")
        _whole.add(state)


def was_checked(path: Path) -> bool:
    """Say whether this process has read through the array that is in a file now."""
    with reading(path):
        return _state(path) in _whole


def crc32(path: Path) -> int:
    """Return the CRC-32 of a file."""
    found, chunk = 0, bytearray(_CHUNK)
    view = memoryview(chunk)
    with path.open("rb", buffering=0) as file:
        while n := file.readinto(chunk):
            found = zlib.crc32(view[:n], found)
    return found


def _state(path: Path) -> tuple[str, int, int, int]:
    status = path.stat()
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns


class _Summing:
    """A file to write to, and the length and the checksum of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size, self.crc32 = file, 0, 0

    def write(self, part: bytes) -> int:
        self.size += len(part)
        self.crc32 = zlib.crc32(part, self.crc32)
        return self.file.write(part)
