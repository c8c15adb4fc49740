"""Files that say themselves whether they are whole, and are believed only if they are.

A sealed file is one line, the seal, and then the content. The seal holds the length and the CRC-32
of the content: it is there for damage, not for secrecy, and a CRC is five times as fast as a
cryptographic hash. What is damaged is set aside under another name, said once, and made again by
whoever wanted it. What cannot be read for another reason is an error and stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import shutil
import time
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

MARK = b"eegvit sealed "
STALE = 3600.0  # seconds after which what is half-made belongs to a process that died
BEFORE_SEALS = (b"{", b"PK")  # how JSON and zip files of versions without seals begin

MISSING = (FileNotFoundError, NotADirectoryError)
UNFIT = (  # what readers raise at contents that make no sense
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)

Content = TypeVar("Content")


class Damaged(ValueError):
    """A file does not hold what was written to it."""


class Unsealed(ValueError):
    """A file was written by a version that did not seal: nothing tells whether it is whole."""


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file with its seal; it is whole or not there at any moment.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note"
    >>> write_sealed(path, b"it is so")
    >>> read_sealed(path)
    b'it is so'
    >>> _ = path.write_bytes(path.read_bytes().replace(b"so", b"no"))
    >>> read_sealed(path)
    Traceback (most recent call last):
    eegvit.sealed.Damaged: ...note is damaged: its checksum is wrong
    """
    with replacing(path) as file:
        file.write(_seal(content))
        file.write(content)


def read_sealed(path: Path) -> bytes:
    """Return the content of a file whose seal is right."""
    with reading(path):
        seal, line, content = path.read_bytes().partition(b"\n")
    if seal + line == _seal(content):
        return content
    if seal.startswith(BEFORE_SEALS):
        raise Unsealed(f"{path} was written by an earlier version, without a checksum")
    what = "its checksum is wrong" if seal + content else "it is empty"
    raise Damaged(f"{path} is damaged: {what}")


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the JSON object in a sealed file."""
    told = json.loads(read_sealed(path))
    if not isinstance(told, dict):
        raise Damaged(f"{path} is damaged: it holds a {type(told).__name__}, not an object")
    return told


def recall(path: Path, read: Callable[[Path], Content]) -> Content | None:
    """Return what a file holds; None if it is missing, without a seal, or damaged.

    Parameters
    ----------
    path : Path
        A file that can be made again: a damaged one is set aside.
    read : callable
        Reads the file, or raises an error.

    Examples
    --------
    >>> recall(Path("nowhere.json"), read_mapping) is None
    True
    """
    try:
        return read(path)
    except (*MISSING, Unsealed):
        return None
    except (OSError, MemoryError):
        raise
    except UNFIT as error:
        set_aside(path, error)
        return None


def set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged file or folder to `*.damaged`, and say so."""
    aside = path.with_name(f"{path.name}.damaged")
    told = str(error)
    if not isinstance(error, Damaged):
        told = f"{path} is damaged: {type(error).__name__}: {error}"
    kept = f"it is kept as {aside.name}"
    try:
        if aside.is_dir():
            shutil.rmtree(aside)
        path.replace(aside)
    except FileNotFoundError:
        return  # another process was faster, and says it
    except OSError as refusal:
        kept = f"it cannot be renamed ({refusal.strerror})"
    warnings.warn(f"{told}; {kept} and made again", stacklevel=3)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of an error of the system which file could not be read, and why."""
    try:
        yield
    except MISSING:
        raise
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror or error}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `path` when all of it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whose = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"  # processes of two machines may share a number
    temporary = path.with_name(f".{path.name}.{whose}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def clear_half_made(folder: Path) -> None:
    """Delete what `replacing` left in a folder when its process was killed, an hour ago or more."""
    for left in folder.glob(".*.tmp"):
        if is_stale(left):
            with contextlib.suppress(OSError):  # another process was faster, or it cannot be
                left.unlink()


def is_stale(path: Path) -> bool:
    """Say whether something half-made is so old that whoever made it died."""
    try:
        return time.time() - path.stat().st_mtime > STALE
    except OSError:
        return False


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _seal(content: bytes) -> bytes:
    return MARK + b"%d %08x\n" % (len(content), zlib.crc32(content))
