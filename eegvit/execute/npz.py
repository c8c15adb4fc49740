"""Several small arrays in one file, read without the cost of opening each by itself.

The file is NumPy's: `np.savez` writes it, and `np.load` reads it too, in several times the time.
What is taken apart here is what `np.savez` makes; anything else is left to `np.load`.
"""

from __future__ import annotations

import io
import math
import struct
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MEMBER = struct.Struct("<4sHHHHHLLLHH")  # what stands before each array in a zip file
LARGE = struct.Struct("<HHQQ")  # beside it, where sizes are given in 64 bits


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays in a file's content, by name.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> np.savez(file, ids=np.array(["a", "b"]), share=np.array([0.5, 0.25]))
    >>> {name: array.tolist() for name, array in read_arrays(file.getvalue()).items()}
    {'ids': ['a', 'b'], 'share': [0.5, 0.25]}
    """
    try:
        found = _members(content)
    except struct.error as error:
        raise ValueError(f"it is cut short: {error}") from error
    if not found:
        raise ValueError("it holds no arrays")
    return found


def _members(content: bytes) -> dict[str, NDArray[Any]]:
    found, at = {}, 0
    while content[at : at + 4] == b"PK\x03\x04":
        _, _, flags, method, _, _, _, size, _, n_name, n_extra = MEMBER.unpack_from(content, at)
        at += MEMBER.size
        name, at = content[at : at + n_name].decode(), at + n_name
        if size == 0xFFFFFFFF and n_extra >= LARGE.size:
            size = LARGE.unpack_from(content, at)[3]
        at += n_extra
        if flags & 8 or method or not name.endswith(".npy"):  # not as `np.savez` writes it
            with np.load(io.BytesIO(content), allow_pickle=False) as saved:
                return dict(saved)
        found[name.removesuffix(".npy")] = _array(content, at)
        at += size
    return found


def _array(content: bytes, at: int) -> NDArray[Any]:
    """Return the array that begins at some place of a file's content."""
    width, form = (2, "<H") if content[at + 6] == 1 else (4, "<L")
    start = at + 8 + width + struct.unpack_from(form, content, at + 8)[0]
    shape, columns_first, dtype = _header(content[at:start])
    flat = np.frombuffer(content, dtype, math.prod(shape), start)
    return flat.reshape(shape, order="F" if columns_first else "C").copy()


@lru_cache(maxsize=4096)
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type of an array, as the header of `.npy` files says them."""
    file = io.BytesIO(header)
    read = (
        npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
    )
    shape, columns_first, dtype = read(file)
    return shape, columns_first, dtype
