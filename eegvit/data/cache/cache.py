"""Trials and features on disk, found again by the hash of everything that decided them.

An entry is a folder named by the hash of its recipe: a `.npy` an array, memory-mapped when
read, and `entry.json` with the recipe, the CPU seconds that it took, what the arrays are, and
a checksum of each. Nothing is believed before its checksum was found to be right.
"""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
import uuid
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import sha256
from eegvit.data.cache import entry as on_disk
from eegvit.data.cache.arrays import assemble, describe
from eegvit.data.cache.entry import FACTS, Finish, Finished
from eegvit.data.cache.running import alone, marked, running
from eegvit.data.stages import measured
from eegvit.sealed import clear_half_made, read_mapping
from eegvit.trials import Trials

LIMIT_GB = 50.0


class Cache:
    """Trials and features on disk.

    Parameters
    ----------
    root : path, optional
        Folder of the cache; by default the environment's `EEGVIT_CACHE`, or ~/.cache/eegvit.
    limit_gb : float, optional
        Size above which the entries that were used longest ago are deleted; by default what
        `eegvit cache limit` was last told, or 50.

    Examples
    --------
    >>> import tempfile
    >>> cache = Cache(tempfile.mkdtemp())
    >>> made = cache.arrays({"what": "zeros"}, lambda: [np.zeros((2, 3))])
    >>> again = cache.arrays({"what": "zeros"}, lambda: [np.ones((2, 3))])
    >>> float(again[0].sum())
    0.0
    """

    def __init__(self, root: str | Path | None = None, limit_gb: float | None = None) -> None:
        home = root or os.environ.get("EEGVIT_CACHE") or Path.home() / ".cache" / "eegvit"
        self.root = Path(home).expanduser()
        self._limit_gb = limit_gb
        self._checks = True

    @property
    def fits(self) -> Path:
        """Folder for the predictions of fits; the size limit leaves it alone."""
        return self.root / "fits"

    @property
    def limit_gb(self) -> float:
        """Size in GB above which entries are deleted."""
        if self._limit_gb is not None:
            return self._limit_gb
        with contextlib.suppress(OSError, ValueError):
            return float((self.root / "limit_gb").read_text(encoding="utf-8"))
        return LIMIT_GB

    def limit(self, gigabytes: float) -> int:
        """Keep a limit from now on; return how many entries were deleted for it."""
        if not 0 < gigabytes < float("inf"):
            raise ValueError(f"a limit of {gigabytes:g} GB: it must be above 0")
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "limit_gb").write_text(f"{gigabytes:g}", encoding="utf-8")
        return self.shrink()

    def key(self, recipe: dict[str, Any]) -> str:
        """Return the hash of a recipe, whatever the order of its keys."""
        return sha256(recipe)

    def has(self, recipe: dict[str, Any]) -> bool:
        """Say whether a recipe's arrays are there."""
        return on_disk.facts(self._folder(recipe)) is not None

    def has_key(self, key: str) -> bool:
        """Say whether the arrays of a recipe with this hash are there."""
        return on_disk.facts(self.root / "entries" / key[:2] / key) is not None

    def unchecked(self) -> Cache:
        """Return this cache, with arrays that are only mapped: `check_mapped` reads them through.

        For whoever wants to know what there is, and may never use the numbers.
        """
        other = copy.copy(self)
        other._checks = False
        return other

    def in_use(self, name: str) -> AbstractContextManager[None]:
        """Return a block in which nothing is deleted that is used in it, by any process.

        What processes that died left is deleted before.
        """
        on_disk.clear_half_made_entries(self._making)
        for folder in (self.root, self.root / "known"):
            clear_half_made(folder)
        with contextlib.suppress(OSError):  # a cache that cannot be written to stays as it is
            running(self._running)
        return marked(self._running, name)

    def sessions(self, recipe: dict[str, Any], make: Callable[[], list[Trials]]) -> list[Trials]:
        """Return the Trials of a recipe, made if they are not there; signals memory-mapped."""

        def take_apart() -> tuple[list[NDArray[Any]], list[dict[str, Any]]]:
            made = make()
            return [trials.X for trials in made], [describe(trials) for trials in made]

        def put_together(arrays: list[NDArray[Any]], about: list[dict[str, Any]]) -> list[Trials]:
            return [assemble(X, what) for X, what in zip(arrays, about, strict=True)]

        return self._entry(recipe, take_apart, put_together, "read")

    def arrays(
        self,
        recipe: dict[str, Any],
        make: Callable[[], Sequence[NDArray[Any]]],
        stage: str = "compute",
    ) -> list[NDArray[Any]]:
        """Return the arrays of a recipe, made if they are not there; memory-mapped.

        The CPU seconds of `make` are kept as those of `stage`.
        """

        def take() -> tuple[list[NDArray[Any]], list[dict[str, Any]]]:
            made = [np.asarray(array) for array in make()]
            return made, [{} for _ in made]

        return self._entry(recipe, take, lambda arrays, _: arrays, stage)

    def seconds(self, recipe: dict[str, Any]) -> dict[str, float]:
        """Return the CPU seconds that a recipe's arrays took, by stage; empty if not known."""
        told = on_disk.facts(self._folder(recipe)) or {}
        return dict(told.get("seconds", {}))

    def entries(self) -> list[dict[str, Any]]:
        """What there is, last used first: key, recipe, bytes, used (time), folder.

        The recipe of what is damaged is empty.
        """
        found = []
        for folder in self.root.glob("entries/*/*"):
            with contextlib.suppress(FileNotFoundError):  # another process deletes it
                recipe, used = {}, folder
                with contextlib.suppress(OSError, ValueError):
                    recipe, used = read_mapping(folder / FACTS).get("recipe", {}), folder / FACTS
                found.append(
                    {
                        "key": folder.name,
                        "recipe": recipe,
                        "bytes": sum(f.stat().st_size for f in folder.iterdir()),
                        "used": used.stat().st_mtime,
                        "folder": folder,
                    }
                )
        return sorted(found, key=lambda entry: -entry["used"])

    def clear(self) -> int:
        """Delete every entry and what dead processes left; return the bytes freed.

        Nothing is deleted while a study is running on the cache.
        """
        if studies := running(self._running):
            who = ", ".join(study.who for study in studies)
            raise ValueError(f"nothing was deleted: {who} is using the cache {self.root}")
        grave = self._making / uuid.uuid4().hex
        freed = sum(entry["bytes"] for entry in self.entries())
        with contextlib.suppress(FileNotFoundError):
            grave.parent.mkdir(parents=True, exist_ok=True)
            (self.root / "entries").rename(grave)  # at once: a study that starts now makes its own
        shutil.rmtree(self._making, ignore_errors=True)
        return freed

    def shrink(self, keep: str = "") -> int:
        """Delete entries down to the limit, last used last; return how many.

        Spared are one entry, and those that a running study may have used.
        """
        entries = self.entries()
        began = min((study.since for study in running(self._running)), default=float("inf"))
        excess = sum(entry["bytes"] for entry in entries) - self.limit_gb * 1e9
        deleted = 0
        for entry in reversed(entries):
            if excess <= 0 or entry["used"] >= began:
                break
            if entry["key"] != keep and on_disk.remove(entry["folder"]):
                excess -= entry["bytes"]
                deleted += 1
        return deleted

    @property
    def _making(self) -> Path:
        return self.root / "making"

    @property
    def _running(self) -> Path:
        return self.root / "running"

    def _folder(self, recipe: dict[str, Any]) -> Path:
        key = self.key(recipe)
        return self.root / "entries" / key[:2] / key

    def _entry(
        self,
        recipe: dict[str, Any],
        make: Callable[[], tuple[list[NDArray[Any]], list[dict[str, Any]]]],
        finish: Finish[Finished],
        stage: str,
    ) -> Finished:
        folder = self._folder(recipe)
        loaded = on_disk.load(folder, finish, check=self._checks)
        if loaded is not None:
            return loaded
        with alone(self._running / f"{folder.name}.lock"):
            loaded = on_disk.load(folder, finish, check=self._checks)  # another may have made it
            if loaded is not None:
                return loaded
            with measured(stage) as seconds:
                arrays, about = make()
            try:
                on_disk.save(folder, arrays, about, {"recipe": recipe, "seconds": seconds})
                # to measure the whole cache takes long: about once for each hundredth of the limit
                chance = sum(array.nbytes for array in arrays) / (self.limit_gb * 1e7)
                if int(folder.name[:8], 16) < chance * 2**32:
                    self.shrink(keep=folder.name)
            except OSError as error:
                warnings.warn(
                    f"nothing can be kept in the cache {self.root}: {error}; going on without",
                    stacklevel=4,
                )
            loaded = on_disk.load(folder, finish, check=self._checks)
            return finish(arrays, about) if loaded is None else loaded
