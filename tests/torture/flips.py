"""Bits flipped, files cut and emptied, one at a time, in all that a study keeps.

After each damage the study is run again, as by a new process. Handled is what was noticed and made
again with the same scores; wrong are other scores without a word, damage that nobody noticed, and
errors that are not said in a sentence.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torture import small_study
from torture.rows import Row

from eegvit.sealed import read_mapping

DAMAGES = ("bit flipped", "cut", "emptied")
NEVER_BELIEVED = (
    "checksums of recordings",  # damaged lines are passed over, and the recording is read again
    "failures",  # what failed is tried again, and why it fails is written anew
)


@dataclass
class Kept:
    """Every file of a study that is well, to put it back after each damage."""

    folder: Path
    content: dict[Path, bytes] = field(default_factory=dict)
    state: dict[Path, tuple[int, int, int]] = field(default_factory=dict)

    def keep(self) -> None:
        """Remember every file as it is."""
        for path in _files(self.folder):
            self.content[path], self.state[path] = path.read_bytes(), _state(path)

    def put_back(self) -> None:
        """Make every file what it was, and remove what came."""
        for path in self.folder.rglob("*.damaged"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in _files(self.folder):
            if path not in self.content:
                path.unlink()
        for path, content in self.content.items():
            if not path.exists() or _state(path) != self.state[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self.state[path] = _state(path)


@dataclass(frozen=True)
class Target:
    """A file to damage, and what has to go so that a run reads it."""

    kind: str
    path: Path
    gone: tuple[Path, ...] = ()


def run(n: int, seed: int, folder: Path) -> list[Row]:
    """Flip n bits, cut n / 10 files and empty as many, spread over all kinds of files.

    Parameters
    ----------
    n : int
        How many bits are flipped.
    seed : int
        Of the recordings, and of where the damage is.
    folder : Path
        For the recordings, the cache and the store; it must not exist yet.
    """
    rng = np.random.default_rng(seed)
    small_study.record(folder / "recordings", seed)
    first = small_study.found(folder)
    kept = Kept(folder / "cache")
    kept.keep()
    targets = _targets(folder)
    kept.keep()
    kept.put_back()
    groups = _by_kind(targets)
    tried: dict[str, list[str]] = defaultdict(list)
    for damage, times in zip(DAMAGES, (n, n // 10, n // 10), strict=True):
        for number in range(times):
            group = groups[number % len(groups)]
            target = group[int(rng.integers(len(group)))]
            wrong = _one(target, damage, rng, lambda: small_study.found(folder), first)
            tried[f"{damage}: {target.kind}"].append(wrong)
            kept.put_back()
    return [
        Row(kind, len(said), said.count(""), tuple(one for one in said if one))
        for kind, said in tried.items()
    ]


def _one(
    target: Target,
    damage: str,
    rng: np.random.Generator,
    found: Callable[[], small_study.Found],
    first: small_study.Found,
) -> str:
    """Damage a file and run the study again; return what went wrong, if anything did."""
    for path in target.gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    status, content = target.path.stat(), bytearray(target.path.read_bytes())
    place = int(rng.integers(8 * len(content)))
    if damage == "bit flipped":
        content[place // 8] ^= 1 << place % 8
    target.path.write_bytes(content[: {"cut": place // 8, "emptied": 0}.get(damage)])
    os.utime(target.path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as a failing disk does
    where = f"{damage} at {place} of {target.path.name} ({target.kind})"
    try:
        differs = first.differs(found())
    except Exception as error:
        return f"{where}: {type(error).__name__}: {error}"
    aside = (target.path, target.path.parent)
    noticed = any(path.with_name(f"{path.name}.damaged").exists() for path in aside)
    if differs:
        return f"{where}: {differs}{'' if noticed else ', without a word'}"
    return "" if noticed or target.kind in NEVER_BELIEVED else f"{where}: not noticed"


def _targets(folder: Path) -> list[Target]:
    """Return every file that is worth damaging, with a checkpoint that is left on purpose."""
    cache = folder / "cache"
    plan = small_study.plan_of(folder)
    fits = {fit.name.partition(",")[0]: key for key, fit in plan.fits.items()}
    file = {name: cache / "fits" / f"{key}.npz" for name, key in fits.items()}
    found = [Target("predictions", path) for path in cache.glob("fits/*/*.npz")]
    found += [Target("failures", path) for path in cache.glob("fits/*/*.failed.json")]
    found += [Target("notes", path) for path in cache.glob("fits/represented/*.json")]
    weights = {fit.pretraining.key: key for key, fit in plan.fits.items() if fit.pretraining}
    for pretraining, key in weights.items():
        path = cache / "fits" / f"{pretraining}.safetensors"
        found.append(Target("weights", path, (cache / "fits" / f"{key}.npz",)))
    entries = {path.parent: read_mapping(path) for path in cache.glob("entries/*/*/entry.json")}
    aligned = [folder for folder, told in entries.items() if "align" in told["recipe"]]
    kin = [folder for folder, told in entries.items() if told["recipe"].get("what") == "kin"]
    for entry, told in entries.items():
        kind, gone = _read_when(told["recipe"], aligned, kin, file["tangent"])
        found.append(Target("facts of cached arrays", entry / "entry.json", gone))
        found += [Target(kind, path, gone) for path in entry.glob("*.npy")]
    found.append(Target("forms", cache / "forms.json", (file["net"],)))
    found.append(Target("checksums of recordings", cache / "checksums.jsonl"))
    small_study.interrupted(folder, fits["net"])
    checkpoint = cache / "fits" / f"{fits['net']}.checkpoint"
    found.append(Target("checkpoints", checkpoint, (file["net"],)))
    return found


def _read_when(
    recipe: dict[str, object], aligned: Sequence[Path], kin: Sequence[Path], fit: Path
) -> tuple[str, tuple[Path, ...]]:
    """Return the kind of a cached array, and what must be missing for a run to read it."""
    if "what" in recipe:
        return "trials that are alike", ()
    if "card" in recipe:
        return "signals as recorded", tuple(aligned)
    if "digests" in recipe:
        return "hashes of trials", ()
    if "fingerprints" in recipe:
        return "fingerprints of trials", tuple(kin)
    return ("features" if "steps" in recipe else "signals aligned"), (fit,)


def _by_kind(targets: Sequence[Target]) -> list[list[Target]]:
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.kind, []).append(target)
    return list(groups.values())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
