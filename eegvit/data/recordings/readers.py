"""Opening recordings with MNE's readers; whatever goes wrong is said with the file's name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import mne

from eegvit.config import Card
from eegvit.data.notes import heard, note
from eegvit.data.recordings import gdf
from eegvit.data.recordings.length import Contradiction, cut_short
from eegvit.data.recordings.xdf import read_raw_xdf

READERS: dict[str, Callable[..., mne.io.BaseRaw]] = {
    ".gdf": mne.io.read_raw_gdf,
    ".edf": mne.io.read_raw_edf,
    ".bdf": mne.io.read_raw_bdf,
    ".vhdr": mne.io.read_raw_brainvision,
    ".fif": mne.io.read_raw_fif,
    ".set": mne.io.read_raw_eeglab,
    ".cnt": mne.io.read_raw_cnt,
    ".mff": mne.io.read_raw_egi,
    ".xdf": read_raw_xdf,
}
EPOCHS = re.compile(r"[-_]epo\.fif(\.gz)?$")
_BEYOND_THE_END = re.compile(r"Omitted \d+ annotation\(s\) that were outside data range")
_OTHER_KINDS = ("eog", "ecg", "emg")


def read_raw(path: Path, card: Card, *, preload: bool = True) -> mne.io.BaseRaw:
    """Open a continuous recording, whatever its format."""
    suffix = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    reader = READERS.get(f".{suffix}")
    if reader is None:
        raise ValueError(
            f"{path}: recordings are read from {', '.join(READERS)}, not from '.{suffix}'"
        )
    with opened(path, card):
        raw = reader(path, preload=preload)
        if suffix == "gdf" and preload:
            gdf.mend_gaps(raw)
        if not raw.n_times:
            raise ValueError("it has no samples")
    return raw


def read_epochs(path: Path, card: Card) -> mne.BaseEpochs:
    """Open trials that MNE saved."""
    with opened(path, card):
        epochs = mne.read_epochs(path, proj=False)
        if not len(epochs):
            raise ValueError("it has no trials")
    return epochs


@contextlib.contextmanager
def opened(path: Path, card: Card) -> Iterator[None]:
    """Name the file in what goes wrong and in what MNE says while it is read."""
    for part in parts_of(path):
        if part.is_file():
            check_whole(part, card)
    try:
        with heard() as said:
            yield
    except ImportError as error:  # MFF, XDF
        raise ValueError(f"{path}: its reader needs a package that is missing: {error}") from None
    except Exception as error:  # readers raise many kinds on a damaged file
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".: ")
        raise ValueError(
            f"{path}: cannot be read ({reason}). The file is truncated, damaged, or of another"
            " kind than its name says; copy it again."
        ) from error
    for text in said:
        if _BEYOND_THE_END.search(text):
            _truncated(path, "marks stand beyond the end of the signals", card)
        else:
            note(f"{path}: {text}")


def check_whole(path: Path, card: Card) -> None:
    """Refuse a file that is empty or, unless the card accepts it, shorter than its header says."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; copy it again")
    try:
        missing = cut_short(path)
    except Contradiction as error:
        raise ValueError(f"{path}: {error}; the file is damaged, copy it again") from None
    if missing:
        _truncated(path, missing, card)


def parts_of(path: Path) -> list[Path]:
    """Every file that a recording consists of: what its header names, and files split by size."""
    if path.is_dir():  # MFF
        return sorted(part for part in path.rglob("*") if part.is_file())
    if path.suffix == ".vhdr":
        text = path.read_text(encoding="latin-1")
        named = re.findall(r"^(?:Data|Marker)File=(.*?)\s*$", text, re.MULTILINE)
        return [path, *(path.with_name(name.replace("$b", path.stem)) for name in named)]
    if path.suffix == ".set":
        return [path, *path.parent.glob(f"{_literal(path.stem)}.fdt")]
    if path.name.endswith((".fif", ".fif.gz")):
        stem, _, end = path.name.partition(".fif")
        return [path, *sorted(path.parent.glob(f"{_literal(stem)}-[0-9]*.fif{end}"))]
    return [path]


def name_channels(recording: mne.io.BaseRaw | mne.BaseEpochs, names: dict[str, str]) -> None:
    """Rename channels, and take those called EOG, ECG or EMG for what they are."""
    known = {old: new for old, new in names.items() if old in recording.ch_names}
    recording.rename_channels(known)
    kinds = {
        name: kind
        for name, held in zip(recording.ch_names, recording.get_channel_types(), strict=True)
        for kind in _OTHER_KINDS
        if held == "eeg" and kind in name.lower()
    }
    recording.set_channel_types(kinds, verbose="error")


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _truncated(path: Path, what: str, card: Card) -> None:
    if card.truncated == "refuse":
        raise ValueError(
            f"{path}: {what}. The recording was broken off or copied in part: copy it again, or"
            " say `truncated: accept` in the card to use what is there."
        )
    note(f"{path}: {what}; what is there is used")
