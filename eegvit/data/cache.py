"""Arrays on disk, found again by the hash of everything that decided them.

An entry is a folder named by the hash of its recipe: a `.npy` an array, memory-mapped when
read, and `entry.json` with the recipe, the CPU seconds that it took, what the arrays are, and
a checksum of each. It is written under another name and renamed when whole, so a killed
process leaves nothing half-made and two processes may make the same entry at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import sha256
from eegvit.data.mapped import assemble, describe, open_array, sync_folder, write_array
from eegvit.data.stages import measured
from eegvit.trials import Trials

LIMIT_GB = 50.0
_STALE = 3600.0  # seconds after which a half-made entry belongs to a dead process


class Cache:
    """Trials and features on disk.

    Parameters
    ----------
    root : path, optional
        Folder of the cache; by default the environment's `EEGVIT_CACHE`, or ~/.cache/eegvit.
    limit_gb : float, optional
        Size above which the entries that were used longest ago are deleted; by default what
        `python -m eegvit.data.cache limit` was last told, or 50.

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

    def key(self, recipe: dict[str, Any]) -> str:
        """Return the hash of a recipe, whatever the order of its keys."""
        return sha256(recipe)

    def has(self, recipe: dict[str, Any]) -> bool:
        """Say whether a recipe's arrays are there."""
        return (self._folder(recipe) / "entry.json").is_file()

    def sessions(self, recipe: dict[str, Any], make: Callable[[], list[Trials]]) -> list[Trials]:
        """Return the Trials of a recipe, made if they are not there; signals memory-mapped."""

        def take_apart() -> tuple[list[NDArray[Any]], list[dict[str, Any]]]:
            made = make()
            return [trials.X for trials in made], [describe(trials) for trials in made]

        arrays, about = self._entry(recipe, take_apart, "read")
        return [assemble(X, what) for X, what in zip(arrays, about, strict=True)]

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

        return self._entry(recipe, take, stage)[0]

    def seconds(self, recipe: dict[str, Any]) -> dict[str, float]:
        """Return the CPU seconds that a recipe's arrays took, by stage; empty if not known."""
        with contextlib.suppress(OSError, ValueError):
            about = json.loads((self._folder(recipe) / "entry.json").read_text(encoding="utf-8"))
            return dict(about.get("seconds", {}))
        return {}

    def entries(self) -> list[dict[str, Any]]:
        """What there is, last used first: key, recipe, bytes, used (time), folder."""
        found = []
        for folder in self.root.glob("entries/*/*"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                about = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
                size = sum(f.stat().st_size for f in folder.iterdir())
                used = (folder / "entry.json").stat().st_mtime
                found.append(
                    {
                        "key": folder.name,
                        "recipe": about["recipe"],
                        "bytes": size,
                        "used": used,
                        "folder": folder,
                    }
                )
        return sorted(found, key=lambda entry: -entry["used"])

    def clear(self) -> int:
        """Delete every entry and what dead processes left; return the bytes freed."""
        freed = sum(self._remove(entry["folder"]) * entry["bytes"] for entry in self.entries())
        shutil.rmtree(self.root / "entries", ignore_errors=True)
        shutil.rmtree(self.root / "making", ignore_errors=True)
        return freed

    def shrink(self, keep: str = "") -> int:
        """Delete entries down to the limit, last used last, sparing one; return how many."""
        entries = self.entries()
        excess = sum(entry["bytes"] for entry in entries) - self.limit_gb * 1e9
        deleted = 0
        for entry in reversed(entries):
            if excess <= 0:
                break
            if entry["key"] != keep and self._remove(entry["folder"]):
                excess -= entry["bytes"]
                deleted += 1
        return deleted

    def _folder(self, recipe: dict[str, Any]) -> Path:
        key = self.key(recipe)
        return self.root / "entries" / key[:2] / key

    def _entry(
        self,
        recipe: dict[str, Any],
        make: Callable[[], tuple[list[NDArray[Any]], list[dict[str, Any]]]],
        stage: str,
    ) -> tuple[list[NDArray[Any]], list[dict[str, Any]]]:
        folder = self._folder(recipe)
        key = folder.name
        loaded = self._load(folder)
        if loaded is not None:
            return loaded
        with measured(stage) as seconds:
            arrays, about = make()
        try:
            self._save(folder, recipe, arrays, about, seconds)
            # to measure the whole cache takes long: about once for each hundredth of the limit
            chance = sum(array.nbytes for array in arrays) / (self.limit_gb * 1e7)
            if int(key[:8], 16) < chance * 2**32:
                self.shrink(keep=key)
        except OSError as error:
            warnings.warn(
                f"nothing can be kept in the cache {self.root}: {error}; going on without",
                stacklevel=4,
            )
        return self._load(folder) or (arrays, about)

    def _load(self, folder: Path) -> tuple[list[NDArray[Any]], list[dict[str, Any]]] | None:
        """Return an entry, or None if it is missing; a damaged one is deleted."""
        if not folder.is_dir():
            return None
        try:
            entry = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
            arrays = [
                open_array(folder / f"{i}.npy", what["file"])
                for i, what in enumerate(entry["arrays"])
            ]
            about = [what["about"] for what in entry["arrays"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            if folder.is_dir():  # else another process has just deleted it
                warnings.warn(
                    f"the cache entry {folder} is damaged ({error}) and is made again",
                    stacklevel=5,
                )
                self._remove(folder)
            return None
        with contextlib.suppress(OSError):
            os.utime(folder / "entry.json")
        return arrays, about

    def _save(
        self,
        folder: Path,
        recipe: dict[str, Any],
        arrays: list[NDArray[Any]],
        about: list[dict[str, Any]],
        seconds: dict[str, float],
    ) -> None:
        with self._workshop() as desk:
            files = [write_array(desk / f"{i}.npy", array) for i, array in enumerate(arrays)]
            whole = [{"file": f, "about": a} for f, a in zip(files, about, strict=True)]
            entry = {"recipe": recipe, "seconds": seconds, "arrays": whole}
            text = json.dumps(entry, default=str)
            with (desk / "entry.json").open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(desk)
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                desk.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster
                    raise
            sync_folder(folder.parent)

    @contextlib.contextmanager
    def _workshop(self) -> Iterator[Path]:
        """A folder of one's own to make an entry in."""
        making = self.root / "making"
        desk = making / f"{os.getpid()}-{uuid.uuid4().hex}"
        desk.mkdir(parents=True)
        for old in making.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _STALE:
                    shutil.rmtree(old, ignore_errors=True)
        try:
            yield desk
        finally:
            shutil.rmtree(desk, ignore_errors=True)

    def _remove(self, folder: Path) -> bool:
        """Delete an entry whole: out of sight first, then file by file."""
        grave = self.root / "making" / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            grave.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(grave)
        except OSError:
            return False
        shutil.rmtree(grave, ignore_errors=True)
        return True


def _title(recipe: dict[str, Any]) -> str:
    """A recipe in a line: the plain values that name things."""
    flat = [recipe, *(value for value in recipe.values() if isinstance(value, dict))]
    words = [str(part[key]) for key in ("name", "subject", "what") for part in flat if key in part]
    return " ".join(words) or ", ".join(recipe)


def main(arguments: Sequence[str]) -> int:
    """Show, clear or limit the cache."""
    cache = Cache()
    match list(arguments):
        case ["show"] | []:
            entries = cache.entries()
            for entry in entries:
                used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["used"]))
                title = _title(entry["recipe"])
                print(f"{entry['key'][:12]}  {entry['bytes'] / 1e6:9.1f} MB  {used}  {title}")
            total = sum(entry["bytes"] for entry in entries) / 1e9
            print(f"{len(entries)} entries, {total:.2f} of {cache.limit_gb:g} GB in {cache.root}")
        case ["clear"]:
            print(f"{cache.clear() / 1e9:.2f} GB freed in {cache.root}; fits are kept")
        case ["limit", size] if _is_size(size):
            cache.root.mkdir(parents=True, exist_ok=True)
            (cache.root / "limit_gb").write_text(size, encoding="utf-8")
            deleted = cache.shrink()
            print(f"the limit is {cache.limit_gb:g} GB; {deleted} entries deleted")
        case _:
            print("usage: python -m eegvit.data.cache [show | clear | limit GB]", file=sys.stderr)
            return 2
    return 0


def _is_size(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return 0 < float(text) < float("inf")
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
