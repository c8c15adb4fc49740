"""Where an array lies in a file, so that a worker maps it instead of being sent it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.data.cache.entry import check_mapped


@dataclass(frozen=True)
class Handle:
    """Where an array lies in a file, so that another process can map it."""

    path: str
    offset: int
    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, array: NDArray[Any]) -> Handle | None:
        """Return where a memory-mapped array lies, or None if it is in memory only."""
        base: Any = array
        while base is not None and not isinstance(base, np.memmap):
            base = getattr(base, "base", None)
        if base is None or base.filename is None or not array.flags.c_contiguous:
            return None
        if base.mode == "c":  # what was written to it is not in the file
            return None
        whole = base
        while isinstance(whole.base, np.memmap):
            whole = whole.base
        shift = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        return cls(str(whole.filename), whole.offset + shift, array.shape, array.dtype.str)

    def open(self) -> NDArray[Any]:
        """Return the array, memory-mapped and read-only, if it is whole."""
        check_mapped(Path(self.path))
        if 0 in self.shape:
            return np.empty(self.shape, np.dtype(self.dtype))
        return np.memmap(self.path, np.dtype(self.dtype), "r", offset=self.offset, shape=self.shape)


def opened(X: NDArray[Any]) -> NDArray[Any]:
    """Return an array in a mapping of its own, so that what is read leaves memory with it."""
    handle = Handle.of(X)
    return X if handle is None else handle.open()
