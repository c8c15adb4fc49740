"""Whether a file holds all the samples that its own header promises."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

_BYTES_OF_GDF = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 16: 4, 17: 8, 279: 3, 535: 3}
_BYTES_OF_BRAINVISION = {"INT_16": 2, "INT_32": 4, "UINT_16": 2, "IEEE_FLOAT_32": 4}


class Contradiction(ValueError):
    """A header says two things that cannot both be true."""


def cut_short(path: Path) -> str | None:
    """Say what a file lacks, if it is shorter than its header says.

    None if it is whole, if its format does not tell, or if its header cannot be read, of which
    its reader says more. A header that contradicts itself is an error.
    """
    check = _CHECKS.get(path.suffix.lower())
    try:
        return check(path) if check else None
    except Contradiction:
        raise
    except (ValueError, KeyError, struct.error, ZeroDivisionError, OverflowError):
        return None


def _records(path: Path, data: int, n_records: int, record: int) -> str | None:
    """Compare a file's size with a header, a number of records, and the bytes of each."""
    size = path.stat().st_size
    if n_records < 0:  # the recording was never closed; whole records are all that there was
        rest = (size - data) % record
        return f"its last record has {rest} of {record} bytes" if rest else None
    if size >= data + n_records * record:
        return None
    there = max(0, size - data) // record
    return f"its header says {n_records} records of samples, the file has {there}"


def _check_header(size: int, n_signals: int, *, longer: bool = False) -> None:
    wanted = 256 * (n_signals + 1)
    if size < wanted or (size > wanted and not longer):
        raise Contradiction(f"its header has {size} bytes, that of {n_signals} channels {wanted}")


def _edf(path: Path, bytes_a_sample: int = 2) -> str | None:
    with path.open("rb") as file:
        head = file.read(256)
        data, n_records, n_signals = int(head[184:192]), int(head[236:244]), int(head[252:256])
        _check_header(data, n_signals)
        file.seek(256 + 216 * n_signals)
        samples = [int(file.read(8)) for _ in range(n_signals)]
    return _records(path, data, n_records, sum(samples) * bytes_a_sample)


def _bdf(path: Path) -> str | None:
    return _edf(path, 3)


def _gdf(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(256)
        old = float(head[4:8]) < 1.9
        data = struct.unpack("<q", head[184:192])[0] if old else 256 * _short(head[184:186])
        (n_records,) = struct.unpack("<q", head[236:244])
        n_signals = struct.unpack("<I", head[252:256])[0] if old else _short(head[252:254])
        _check_header(data, n_signals, longer=not old)
        file.seek(256 + 216 * n_signals)
        samples = struct.unpack(f"<{n_signals}I", file.read(4 * n_signals))
        kinds = struct.unpack(f"<{n_signals}I", file.read(4 * n_signals))
        record = sum(n * _BYTES_OF_GDF[kind] for n, kind in zip(samples, kinds, strict=True))
        missing = _records(path, data, n_records, record)
        if missing or n_records < 0:
            return missing
        file.seek(data + n_records * record)
        table = file.read(8)
    if len(table) < 8:
        return None  # no table of marks
    n_marks = struct.unpack("<I", table[4:])[0] if old else int.from_bytes(table[1:4], "little")
    wanted = data + n_records * record + 8 + n_marks * (12 if table[0] == 3 else 6)
    if path.stat().st_size < wanted:
        return f"its table of {n_marks} marks is cut off"
    return None


def _brainvision(path: Path) -> str | None:
    text = path.read_text(encoding="latin-1")
    said = dict(re.findall(r"^(\w+)=(.*?)\s*$", text, re.MULTILINE))
    signals = path.with_name(said["DataFile"].replace("$b", path.stem))
    frame = int(said["NumberOfChannels"]) * _BYTES_OF_BRAINVISION[said["BinaryFormat"]]
    there, rest = divmod(signals.stat().st_size, frame) if signals.is_file() else (0, 0)
    wanted = int(said.get("DataPoints", there))
    if there < wanted:
        return f"its header says {wanted} samples, {signals.name} has {there}"
    return f"the last sample in {signals.name} is cut off" if rest else None


def _short(two_bytes: bytes) -> int:
    return int.from_bytes(two_bytes, "little")


_CHECKS: dict[str, Callable[[Path], str | None]] = {
    ".edf": _edf, ".bdf": _bdf, ".gdf": _gdf, ".vhdr": _brainvision,
}  # fmt: skip
