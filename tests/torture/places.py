"""Places that fail a study: full and read-only disks, too little memory, a clock that goes back.

Each time a study is begun, in part or wholly, a place fails it at a random moment or all along,
and it is run again where nothing is wrong. It ends well if what failed was said in a sentence, with
an exit code, nothing was lost or called damaged, and the second run has the scores of an
undisturbed one.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from torture.rows import Row
from torture.victims import CHANGES, Home, Spoil, run_study, start, wrong_words

CODES = (0, 1, 2)  # all is well, or a sentence says what is not; 2 if it is the study file
SAID = ("error: ", "failed", "cannot be read")


@dataclass(frozen=True)
class Place:
    """What is wrong with a place."""

    spoil: Callable[[Random], Spoil | None] = lambda _: None
    around: Callable[[Home, Random], AbstractContextManager[None]] = lambda *_: nullcontext()
    jobs: int = 0
    works: Callable[[Path], bool] = lambda _: True
    share: int = 6  # tried once in so many tries of all


def run(n: int, seed: int, folder: Path) -> list[Row]:
    """Fail n studies, spread over the kinds of places that this machine allows to make.

    Parameters
    ----------
    n : int
        How many studies.
    seed : int
        Of what is wrong, and when.
    folder : Path
        For the recordings, the caches and the reports.
    """
    rng = Random(seed)
    well = Home(folder / "undisturbed")
    code, said = run_study(well)
    if code != 0:
        raise RuntimeError(f"the undisturbed run ended with {code}: {said}")
    rows = []
    for kind, place in PLACES.items():
        if not (n >= place.share and place.works(folder)):
            continue
        tries = n // place.share
        found = [_once(place, folder / f"{kind}{i}", well, rng) for i in range(tries)]
        wrong = tuple(one for one in found if one)
        rows.append(Row(kind, tries, tries - len(wrong), wrong))
    return rows


def _once(place: Place, folder: Path, well: Home, rng: Random) -> str:
    """Fail a study and run it again; return what went wrong, if anything did."""
    home = Home(folder)
    begun = rng.random() < 0.5
    if begun:  # something is stored already
        begun_by = start(home, die_at=rng.randint(100, 300))
        begun_by.wait()
    stored = home.fits()
    with place.around(home, rng):
        code, said = run_study(home, jobs=place.jobs, spoil=place.spoil(rng))
    wrong = [*wrong_words(said)]
    if code not in CODES:
        wrong.append(f"it ended with {code}: {said[-500:]}")
    if code != 0 and not any(words in said for words in SAID):
        wrong.append(f"it does not say what failed: {said[-500:]}")
    if stored.items() - home.fits().items():
        wrong.append("what was stored is gone")
    code, said = run_study(home)
    wrong += wrong_words(said)
    if code != 0:
        wrong.append(f"then it ended with {code}: {said[-500:]}")
    elif home.scores() != well.scores():
        wrong.append("then it had other scores")
    left = [path.name for path in home.left_over() if path.suffix != ".tmp"]
    wrong += [f"left over: {name}" for name in left if not name[0].isdigit()]
    if strays := sorted(home.strays() - well.strays()):
        wrong.append(f"outside the output: {strays[0]}")
    if not wrong:
        shutil.rmtree(folder)
    return "; ".join(wrong)


def full(rng: Random) -> Spoil:
    """Let every write fail from a moment on, as a full disk does."""
    return partial(_fail_writes, rng.randint(1, 300), errno.ENOSPC)


def quota(rng: Random) -> Spoil:
    """Let no file be longer than some bytes, which are enough for what stands on the terminal."""
    return partial(_limit, "RLIMIT_FSIZE", rng.randint(6_000, 40_000))


def few_files(rng: Random) -> Spoil:
    """Let few files be open at once."""
    return partial(_limit, "RLIMIT_NOFILE", rng.randint(5, 16))


def back(rng: Random) -> Spoil:
    """Let the clock go back by up to a year, once or all the time."""
    return partial(_set_back, rng.choice([60.0, 86400.0, 3e7]), rng.choice([1, 50, 10**9]))


def little_memory(rng: Random) -> Spoil:
    """Let workers have little memory."""
    return partial(_starve, rng.randint(300, 1200))


def _limit(name: str, value: int) -> None:
    number = getattr(resource, name)
    resource.setrlimit(number, (value, resource.getrlimit(number)[1]))


def _set_back(seconds: float, times: int) -> None:
    clock, left = time.time, iter(range(times))

    def earlier() -> float:
        return clock() - (seconds if next(left, None) is not None else 0.0)

    time.time = earlier


def _starve(megabytes: int) -> None:
    from eegvit.execute import local

    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20},) * 2)"
    local.COMMAND = f"import resource; {limit}; {local.COMMAND}"


def _fail_writes(after: int, number: int) -> None:
    """Let the changes of files fail after some, those that only read excepted."""
    left = iter(range(after))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event in CHANGES and event not in ("os.remove", "os.rmdir")
        if event == "open" and isinstance(arguments[2], int):
            writes = bool(arguments[2] & os.O_CREAT) and not str(arguments[0]).startswith("/dev")
        if writes and next(left, None) is None:
            raise OSError(number, os.strerror(number), str(arguments[0]))

    sys.addaudithook(hook)


@contextmanager
def small_disk(home: Home, rng: Random) -> Iterator[None]:
    """Put the cache on a disk with little room, which grows afterwards."""
    mounted = home.cache if rng.random() < 0.7 else home.out
    mounted.mkdir(exist_ok=True)
    kept = home.folder / "kept"
    shutil.copytree(mounted, kept)
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    size = used // 512 + rng.randint(40, 900)  # in kB: small files take pages of 4 kB
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(mounted)], check=True
    )
    try:
        shutil.copytree(kept, mounted, dirs_exist_ok=True)
        yield
        shutil.rmtree(kept)
        shutil.copytree(mounted, kept)
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
    shutil.rmtree(mounted)
    kept.rename(mounted)


@contextmanager
def read_only(home: Home, rng: Random) -> Iterator[None]:
    """Let nothing be written to the cache or to the output."""
    folder = rng.choice([home.cache, home.out])
    folder.mkdir(exist_ok=True)
    bind = ["mount", "--bind", str(folder), str(folder)]
    subprocess.run(bind, check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def in_the_way(home: Home, rng: Random) -> Iterator[None]:
    """Put a file where a folder should be."""
    places = (home.cache, home.out, home.out / "tortured", home.cache / "fits")
    place = rng.choice([place for place in places if not place.exists()] or [home.out / "tortured"])
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    place.write_text("in the way", encoding="utf-8")
    try:
        yield
    finally:
        place.unlink()


def can_mount(folder: Path) -> bool:
    """Say whether this user may mount."""
    place = folder / "mounted"
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        if subprocess.run(command, capture_output=True).returncode:
            return False
    except OSError:
        return False
    return subprocess.run(["umount", str(place)]).returncode == 0


PLACES = {
    "full disk, by a real one": Place(around=small_disk, works=can_mount),
    "full disk, every write refused": Place(full),
    "files of limited size": Place(quota, share=4),
    "read-only cache or output": Place(around=read_only, works=can_mount),
    "a file where a folder should be": Place(around=in_the_way),
    "too many open files": Place(few_files, share=4),
    "clock going back": Place(back, share=4),
    "memory limit of workers": Place(little_memory, jobs=1, share=12),
}
