"""Files of named arrays in the safetensors format, which can hold no code.

A file is the length of its header (8 bytes), the header (JSON: for each array its kind,
shape and place; metadata), and the arrays one after the other.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}
NAMES = {np.dtype(kind): name for name, kind in KINDS.items()}
LONGEST_HEADER = 100_000_000


def write(path: Path, arrays: Mapping[str, NDArray], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata to a file, which is whole or not there.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> write(path, {"x": np.ones((2, 3), np.float32)}, {"by": "me"})
    >>> arrays, metadata = read(path)
    >>> arrays["x"].shape, metadata
    ((2, 3), {'by': 'me'})
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    parts, end = [], 0
    for name, array in sorted(arrays.items()):
        kept = np.asarray(array)
        kept = np.ascontiguousarray(kept, dtype=kept.dtype.newbyteorder("<")).reshape(kept.shape)
        if kept.dtype not in NAMES:
            raise ValueError(f"'{name}' holds {kept.dtype}, which such a file cannot")
        start, end = end, end + kept.nbytes
        header[name] = {
            "dtype": NAMES[kept.dtype],
            "shape": list(kept.shape),
            "data_offsets": [start, end],
        }
        parts.append(kept.tobytes())
    told = json.dumps(header, separators=(",", ":")).encode()
    told += b" " * (-len(told) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(len(told).to_bytes(8, "little") + told + b"".join(parts))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read(path: Path) -> tuple[dict[str, NDArray], dict[str, str]]:
    """Return the arrays and the metadata of a file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= min(LONGEST_HEADER, len(content) - 8):
        raise ValueError(f"{path} is no safetensors file: its header is cut off or damaged")
    try:
        header = json.loads(content[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        places = {name: _place(told) for name, told in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from None
    data = memoryview(content)[8 + length :]
    arrays = {}
    for name, (kind, shape, start, stop) in places.items():
        if not 0 <= start <= stop <= len(data) or stop - start != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{path}: '{name}' is not where the header says: the file is damaged")
        arrays[name] = np.frombuffer(data[start:stop], kind).reshape(shape).copy()
    return arrays, {str(key): str(value) for key, value in metadata.items()}


def _place(told: dict) -> tuple[np.dtype, tuple[int, ...], int, int]:
    start, stop = told["data_offsets"]
    shape = tuple(told["shape"])
    if not all(isinstance(n, int) and n >= 0 for n in (*shape, start, stop)):
        raise ValueError("a shape or place is no natural number")
    return np.dtype(KINDS[told["dtype"]]), shape, start, stop
