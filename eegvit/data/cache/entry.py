"""An entry of the cache: a folder of arrays, and `entry.json` that says what they are.

The folder is written under another name and renamed when whole, so a killed process leaves
nothing half-made and two processes may make the same entry at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from eegvit.data.cache.arrays import check_array, open_array, was_checked, write_array
from eegvit.sealed import (
    Damaged,
    Unsealed,
    is_stale,
    read_mapping,
    recall,
    set_aside,
    sync_folder,
    write_sealed,
)

FACTS = "entry.json"

Finished = TypeVar("Finished")
Finish = Callable[[list[NDArray[Any]], list[dict[str, Any]]], Finished]


def facts(folder: Path) -> dict[str, Any] | None:
    """Return what an entry says of itself, or None; one that is damaged is set aside.

    An entry of a version without checksums is deleted: nothing tells whether it is whole.
    """

    def read(folder: Path) -> dict[str, Any]:
        try:
            return read_mapping(folder / FACTS)
        except Unsealed:
            remove(folder)
            raise
        except FileNotFoundError:
            _refuse_parts(folder)
            raise

    return recall(folder, read)


def load(folder: Path, finish: Finish[Finished], *, check: bool) -> Finished | None:
    """Return what is made of an entry's arrays, mapped; None if it is missing or damaged.

    Parameters
    ----------
    folder : Path
    finish : callable
        Takes the arrays and what was said about each.
    check : bool
        Read the arrays through. Without, whoever uses them calls `check_mapped` before.
    """
    told = facts(folder)
    if told is None:
        return None

    def read(folder: Path) -> Finished:
        arrays = []
        try:
            for number, what in enumerate(told["arrays"]):
                path = folder / f"{number}.npy"
                arrays.append(open_array(path, what["file"]))
                if check:
                    check_array(path, what["file"])
        except FileNotFoundError:
            _refuse_parts(folder)
            raise
        return finish(arrays, [what["about"] for what in told["arrays"]])

    found = recall(folder, read)
    if found is not None:
        with contextlib.suppress(OSError):
            os.utime(folder / FACTS)
    return found


def check_mapped(path: Path) -> None:
    """Check an array that was mapped from an entry, before its numbers are used.

    It is read through once a process. If it is damaged its entry is set aside, and made again
    when it is asked for again.
    """
    if path.is_file() and (was_checked(path) or not (path.parent / FACTS).exists()):
        return  # without facts it was never in a cache
    told = facts(path.parent)
    if told is None:
        raise Damaged(f"{path} is gone: what it belongs to was damaged or deleted; run again")
    try:
        check_array(path, told["arrays"][int(path.stem)]["file"])
    except Damaged as error:
        set_aside(path.parent, error)
        raise


def save(
    folder: Path,
    arrays: Sequence[NDArray[Any]],
    about: Sequence[dict[str, Any]],
    told: dict[str, Any],
) -> None:
    """Write an entry to a folder, unless another process is faster."""
    with _workshop(making(folder)) as desk:
        files = [write_array(desk / f"{i}.npy", array) for i, array in enumerate(arrays)]
        whole = [{"file": f, "about": a} for f, a in zip(files, about, strict=True)]
        text = json.dumps(told | {"arrays": whole}, default=str)
        write_sealed(desk / FACTS, text.encode("utf-8"))
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            desk.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
        sync_folder(folder.parent)


def remove(folder: Path) -> bool:
    """Delete an entry whole: out of sight first, then file by file."""
    grave = making(folder) / f"{os.getpid()}-{uuid.uuid4().hex}"
    try:
        grave.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(grave)
    except OSError:
        return False
    shutil.rmtree(grave, ignore_errors=True)
    return True


def making(folder: Path) -> Path:
    """Return where the entries of a cache are made, and go to be deleted."""
    return folder.parents[2] / "making"


def clear_half_made_entries(making: Path) -> None:
    """Delete what processes that died left half-made or half-deleted."""
    for left in making.glob("*"):
        if is_stale(left):
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _workshop(making: Path) -> Iterator[Path]:
    """A folder of one's own to make an entry in."""
    desk = making / f"{os.getpid()}-{uuid.uuid4().hex}"
    desk.mkdir(parents=True)
    try:
        yield desk
    finally:
        shutil.rmtree(desk, ignore_errors=True)


def _refuse_parts(folder: Path) -> None:
    """Raise an error if only a part of an entry is there; it is not there if another deletes it."""
    if folder.is_dir():
        raise Damaged(f"{folder} is damaged: a file of it is missing")
