"""Recordings that were damaged in every way: refused with their name, or read as they were.

`run` writes three people in each format, damages the recording of one, and reads all of them as a
study does. It ends well if the file is named in an error or a warning, or if the same trials come
out. A traceback, a wait of ten seconds, and other trials without a word are wrong. A calibration
in a header that was changed a little is noticed by nothing in the file: a row of its own counts
what only a list of checksums beside the recordings found.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import mne
import numpy as np
from recorded import CHANNELS, CLASSES, CODES, make_raw, write, write_graz
from torture.rows import Row

from eegvit.config import Card
from eegvit.data import read_subject
from eegvit.data.remarks import other_scales, unexpected
from eegvit.trials import Trials

Damage = Callable[[np.random.Generator, Path, "Format"], bool]

N_TRIALS = 10
PATIENCE = 10.0  # seconds
VICTIM = "2"  # of three people
BY_LIST = "noticed by the list of checksums"


class Format:
    """A format's files and card."""

    def __init__(self, name: str, file: str, folder: Path) -> None:
        self.name, self.file, self.folder = name, file, folder / name.replace(" ", "_")
        self.moabb = file.endswith(".mat")
        for subject in "123":
            self.write(self.path(subject), int(subject))
        if not self.moabb:
            files = sorted(p for p in self.folder.iterdir() if p.is_file())
            lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}" for p in files]
            (self.folder / "SHA256SUMS").write_text("\n".join(lines), encoding="utf-8")
        self.clean = {who: self.read(who) for who in "123"}

    @property
    def card(self) -> Card:
        """The card, with what it expects."""
        if self.moabb:
            return Card(
                name="graz", source="moabb", options={"dataset": "BNCI2014_001"}, window=(0, 2),
                classes=("left_hand", "right_hand", "feet", "tongue"), channels=("C3", "Cz", "C4"),
                expected={"trials": 16, "times": 500, "sfreq": 250},
            )  # fmt: skip
        prefix = "Comment/" if self.file.endswith("vhdr") else ""
        events = {prefix + code: label for code, label in CODES.items()}
        options = {"root": str(self.folder), "pattern": self.file, "events": events}
        expected = {"trials": N_TRIALS, "times": 100, "sfreq": 100}
        return Card(
            name="torture", source="files", options=options, classes=CLASSES, channels=CHANNELS,
            window=(0, 1), expected=expected,
        )  # fmt: skip

    def path(self, subject: str) -> Path:
        """Where a person's recording is."""
        if self.moabb:
            place = self.folder / "MNE-bnci-data" / "~bci" / "database" / "001-2014"
            return place / f"A0{subject}T.mat"
        return self.folder / self.file.replace("{subject}", subject)

    def signals(self, subject: str) -> Path:
        """Where a person's signals are: beside the header, in some formats."""
        path = self.path(subject)
        return path.with_suffix(".eeg") if path.suffix == ".vhdr" else path

    def write(self, path: Path, seed: int, raw: mne.io.BaseRaw | None = None) -> None:
        """Write a recording."""
        if self.moabb:
            write_graz(self.folder, int(path.name[2]), seed)
        else:
            write(path, raw or make_raw(["769", "770"] * (N_TRIALS // 2), seed))

    def read(self, subject: str) -> list[Trials]:
        """Read a person."""
        if self.moabb:
            os.environ["MNE_DATA"] = str(self.folder)
        return read_subject(self.card, subject)

    def listed(self) -> bool:
        """Say whether a card with a list of checksums refuses the victim's recording."""
        if self.moabb:
            return False
        options = {**self.card.options, "checksums": "SHA256SUMS"}
        try:
            read_subject(self.card.model_copy(update={"options": options}), VICTIM)
        except ValueError as error:
            return "is not as the list of checksums SHA256SUMS says" in str(error)
        return False


FORMATS = {
    "EDF": "s{subject}.edf", "BDF": "s{subject}.bdf", "GDF": "s{subject}.gdf",
    "FIF": "s{subject}_raw.fif", "FIF epochs": "s{subject}_epo.fif",
    "BrainVision": "s{subject}.vhdr", "SET": "s{subject}.set", "CNT": "s{subject}.cnt",
    "MAT by MOABB": "A0{subject}T.mat",
}  # fmt: skip


def run(n: int, seed: int, folder: Path) -> list[Row]:
    """Damage n recordings, spread over the formats; a row for each format, and one for lists."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    by_list = 0
    before = os.environ.get("MNE_DATA")
    try:
        for i, (name, file) in enumerate(FORMATS.items()):
            here = Format(name, file, folder)
            n_here = len(range(i, n, len(FORMATS)))
            found = [_once(rng, here) for _ in range(n_here)]
            by_list += found.count(BY_LIST)
            tried = n_here - found.count(BY_LIST)
            wrong = tuple(what for what in found if what not in (None, BY_LIST))
            rows.append(Row(f"damaged {name}", tried, tried - len(wrong), wrong))
    finally:
        os.environ.pop("MNE_DATA", None)
        if before is not None:
            os.environ["MNE_DATA"] = before
    return [*rows, Row("recordings that only a list of checksums tells", by_list, by_list)]


def _once(rng: np.random.Generator, here: Format) -> str | None:
    """Damage one recording, read it, mend it; return what went wrong."""
    keep = here.folder.with_name("kept")
    shutil.rmtree(keep, ignore_errors=True)
    shutil.copytree(here.path(VICTIM).parent, keep)
    try:
        done = False
        while not done:
            name = str(rng.choice(list(DAMAGES)))
            done = DAMAGES[name](rng, here.path(VICTIM), here)
        outcome = _outcome(here)
        return outcome if outcome in (None, BY_LIST) else f"{here.name}, {name}: {outcome}"
    finally:
        shutil.rmtree(here.path(VICTIM).parent)
        shutil.copytree(keep, here.path(VICTIM).parent)


def _outcome(here: Format) -> str | None:
    """Read the damaged recording as a study does; None if that ended well."""
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = here.read(VICTIM)
        except (ValueError, OSError) as error:
            words = (here.path(VICTIM).stem, f"subject {VICTIM}", f"subject '{VICTIM}'")
            named = any(word in str(error) for word in words)
            return None if named else f"an error without the file's name: {error}"
        except BaseException as error:
            return f"a traceback: {type(error).__name__}: {error}"
    if time.perf_counter() - begin > PATIENCE:
        return "it took more than ten seconds"
    if _same(found, here.clean[VICTIM]):
        return None
    said = [str(warning.message) for warning in caught if warning.category is UserWarning]
    people = [trials for who in "13" for trials in here.clean[who]] + found
    said += filter(None, [unexpected(here.card, people), other_scales("torture", people)])
    if any(np.isin(trials.X, other.X).all() for trials in found for other in here.clean["1"]):
        said.append("trials of one person under two names")  # a study stops there
    if not said and here.listed():
        return BY_LIST
    return None if said else f"other trials without a word{_difference(found, here.clean[VICTIM])}"


def _same(found: Sequence[Trials], clean: Sequence[Trials]) -> bool:
    return len(found) == len(clean) and all(
        a.X.shape == b.X.shape
        and np.allclose(a.X, b.X, atol=1e-3)
        and a.labels.tolist() == b.labels.tolist()
        for a, b in zip(found, clean, strict=True)
    )


def _difference(found: Sequence[Trials], clean: Sequence[Trials]) -> str:
    a, b = found[0], clean[0]
    if a.X.shape != b.X.shape:
        return f": {a.X.shape} instead of {b.X.shape}"
    odd = ~np.isclose(a.X, b.X, atol=1e-3)
    ratio = a.X.std() / b.X.std()
    labels = int((a.y != b.y).sum())
    return f": {odd.mean():.1%} of samples, {ratio:.3g} times as strong; {labels} labels differ"


def truncated(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Cut a file off anywhere."""
    file = here.signals(VICTIM) if rng.random() < 0.7 else path
    whole = file.read_bytes()
    file.write_bytes(whole[: rng.integers(1, len(whole))])
    return True


def zeroed(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Put zeros over a block of 512 bytes or more, as a bad sector or a lost packet does."""
    file = here.signals(VICTIM)
    whole = bytearray(file.read_bytes())
    size = int(rng.choice([512, 4096]))
    begin = int(rng.integers(0, max(1, len(whole) // 512))) * 512
    whole[begin : begin + size] = bytes(len(whole[begin : begin + size]))
    file.write_bytes(bytes(whole))
    return True


def flipped(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Flip a bit of one to three bytes of the header."""
    whole = bytearray(path.read_bytes())
    end = min(len(whole), HEADERS.get(path.suffix, 3000))
    for at in rng.integers(0, end, int(rng.integers(1, 4))):
        whole[at] ^= 1 << int(rng.integers(0, 8))
    path.write_bytes(bytes(whole))
    return True


def other_channels(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Leave out channels, or say another number of them."""
    if here.moabb:
        return False
    if rng.random() < 0.5:
        names = list(rng.permutation([*CHANNELS, "EOG1"])[: rng.integers(1, 4)])
        here.write(path, 2, make_raw(["769", "770"] * (N_TRIALS // 2), 2).pick(names))
        return True
    whole = path.read_bytes()
    places = {".edf": (252, b"4", b"3"), ".bdf": (252, b"4", b"5"), ".gdf": (252, b"\4", b"\3")}
    if path.suffix == ".vhdr":
        path.write_bytes(whole.replace(b"NumberOfChannels=4", b"NumberOfChannels=5"))
        return True
    if path.suffix not in places:
        return False
    at, old, new = places[path.suffix]
    if rng.random() < 0.5:
        new = b"\7" if path.suffix == ".gdf" else b"7"
    path.write_bytes(whole[:at] + whole[at : at + 4].replace(old, new) + whole[at + 4 :])
    return True


def not_a_number(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Write NaN or infinity over a stretch, in formats that can hold them."""
    if path.suffix == ".vhdr":
        values = np.fromfile(here.signals(VICTIM), "<f4")
        values[rng.integers(0, len(values), 5)] = float(rng.choice([np.nan, np.inf]))
        values.tofile(here.signals(VICTIM))
        return True
    if path.suffix not in (".fif", ".set"):
        return False
    raw = make_raw(["769", "770"] * (N_TRIALS // 2), 2)
    begin = int(rng.integers(0, raw.n_times))
    value = float(rng.choice([np.nan, np.inf]))
    raw._data[rng.integers(0, 4), begin : begin + rng.integers(1, 300)] = value
    here.write(path, 2, raw)
    return True


def repeated(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Write some marks twice, with the same or another text."""
    if here.moabb or path.name.endswith("_epo.fif"):
        return False
    codes = ["769", "770"] * (N_TRIALS // 2)
    raw = make_raw(codes, 2)
    again = rng.choice(N_TRIALS, int(rng.integers(1, N_TRIALS + 1)), replace=False)
    texts = codes if rng.random() < 0.5 else codes[::-1]
    for i in again:
        raw.annotations.append(2 + 1.5 * i, 0.5, texts[i])
    here.write(path, 2, raw)
    return True


def emptied(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Leave nothing of a file, or only zeros."""
    file = here.signals(VICTIM) if rng.random() < 0.5 else path
    file.write_bytes(b"" if rng.random() < 0.5 else bytes(file.stat().st_size))
    return True


def swapped(rng: np.random.Generator, path: Path, here: Format) -> bool:
    """Put another person's file, a file of another format, or part of one in its place."""
    kind = rng.integers(0, 3)
    if kind == 0:
        shutil.copy(here.path("1"), path)
        if path.suffix == ".vhdr":
            shutil.copy(here.signals("1"), here.signals(VICTIM))
    elif kind == 1:
        other = "x.edf" if path.suffix != ".edf" else "x_raw.fif"
        write(path.with_name(other), make_raw(["769", "770"], 9))
        shutil.move(path.with_name(other), path)
    else:
        path.unlink()
    return True


HEADERS = {".edf": 1280, ".bdf": 1280, ".gdf": 1280, ".fif": 1000, ".cnt": 1200, ".mat": 128}

DAMAGES: dict[str, Damage] = {
    "truncated": truncated, "zeroed": zeroed, "flipped": flipped, "channels": other_channels,
    "nan": not_a_number, "repeated": repeated, "empty": emptied, "swapped": swapped,
}  # fmt: skip
