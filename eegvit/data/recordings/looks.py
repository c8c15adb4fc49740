"""What single recordings say of themselves: marks, channels, rates; and what that suggests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mne
import numpy as np

from eegvit.config import Card
from eegvit.data.epoching.channels import plain
from eegvit.data.montage import standard_names
from eegvit.data.recordings import gdf
from eegvit.data.recordings.marks import read_marks
from eegvit.data.recordings.readers import name_channels, read_epochs, read_raw

_ANY = Card(
    name="a look", source="files", classes=("?", "!"), window=(0, 1), truncated="accept"
)  # headers are read as they are; a study is stricter
_NO_CLASS = re.compile(
    r"^(bad|edge|boundary|new segment|start|stop|sync|begin|end|pause|break|fixation|cross|lost"
    r"|bnci_artifact)",
    re.IGNORECASE,
)
_MOST_CLASSES = 8


@dataclass
class Look:
    """What one recording says without its signals."""

    ch_names: list[str]
    sfreq: float
    span: tuple[float, float]  # seconds from the cue, or from the beginning
    texts: list[str]
    seconds: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    stim_channel: str | None = None


def look(path: Path, cut: bool) -> Look:
    if not cut:
        return look_at(read_raw(path, _ANY, preload=False))
    epochs = read_epochs(path, _ANY)
    names = {code: name for name, code in epochs.event_id.items()}
    name_channels(epochs, {})
    return Look(
        ch_names=list(epochs.copy().pick("eeg").ch_names),
        sfreq=float(epochs.info["sfreq"]),
        span=(float(epochs.tmin), float(epochs.tmin) + len(epochs.times) / epochs.info["sfreq"]),
        texts=[names[code] for code in epochs.events[:, 2].tolist()],
    )


def look_at(raw: mne.io.BaseRaw) -> Look:
    name_channels(raw, {})
    stim = next(iter(mne.pick_types(raw.info, stim=True)), None)
    channel = None
    marks = read_marks(raw, None, "")
    if len(set(marks.texts.tolist())) < 2 and stim is not None:
        channel = raw.ch_names[stim]
        marks = read_marks(raw, channel, "")
    eeg = mne.pick_types(raw.info, eeg=True, exclude=[])
    sfreq = float(raw.info["sfreq"])
    return Look(
        ch_names=[raw.ch_names[i] for i in eeg],
        sfreq=sfreq,
        span=(0.0, raw.n_times / sfreq),
        texts=marks.texts.tolist(),
        seconds=(marks.samples / sfreq).tolist(),
        durations=[] if channel else raw.annotations.duration.tolist(),
        stim_channel=channel,
    )


def choose_marks(
    looks: Sequence[Look], *, gdf_file: bool
) -> tuple[dict[str, str], float, list[str]]:
    """Marks that stand for classes, how even they are, and what was decided."""
    counts = Counter(text for look in looks for text in look.texts)
    if gdf_file and set(gdf.EVENTS) & set(counts):
        marks = {code: name for code, name in gdf.EVENTS.items() if counts[code]}
        return marks, 1.0, []
    usual = {text: n for text, n in counts.items() if not _NO_CLASS.match(_last(text))}
    most = max(usual.values(), default=0)
    usual = {text: n for text, n in usual.items() if n >= max(2, most / 12)}
    said = []
    for text, n in sorted(usual.items(), key=lambda item: -item[1]):
        others = sum(usual.values()) - n
        if len(usual) > 2 and 0.9 * others <= n <= 1.5 * others:
            said.append(
                f"'{text}' is as frequent as all others together: taken for rest, or for the"
                " beginning of each trial; name it in `events` and `classes` to have it"
            )
            del usual[text]
            break
    kept = sorted(usual, key=lambda text: (-usual[text], text))[:_MOST_CLASSES]
    if len(kept) < len(usual):
        said.append(f"{len(usual) - len(kept)} rarer marks are left out")
    passed = sorted(set(counts) - set(usual))
    if passed:
        said.append(f"marks that are no class: {', '.join(passed[:8])}")
    names = {text: class_name(text) for text in sorted(kept)}
    if len(set(names.values())) < len(names):
        names = {text: re.sub(r"\W+", "_", text).strip("_") for text in names}
    share = min(usual.values()) / max(usual.values()) if usual else 1.0
    return names, share, said


def cue_window(looks: Sequence[Look], marks: set[str]) -> tuple[float, float]:
    """From the cue to the next or to the mark's end, 4 s at most; 0.8 s where cues are dense."""
    gaps: list[float] = []
    lengths: list[float] = []
    for look in looks:
        cues = [s for s, text in zip(look.seconds, look.texts, strict=True) if text in marks]
        gaps += np.diff(sorted(set(cues))).tolist()
        if len(look.durations) == len(look.texts):
            pairs = zip(look.durations, look.texts, strict=True)
            lengths += [d for d, text in pairs if text in marks and d >= 1.0]
    gap = float(np.quantile(gaps, 0.1)) if gaps else 4.0
    if gap < 1.2:
        return 0.0, 0.8
    length = min(4.0, gap, float(np.median(lengths)) if lengths else 4.0)
    return 0.0, max(0.2, np.floor(10 * length + 1e-6) / 10)


def cut_window(looks: Sequence[Look]) -> tuple[float, float]:
    begin, end = max(look.span[0] for look in looks), min(look.span[1] for look in looks)
    return round(begin, 4), round(end, 4)


def shared_channels(looks: Sequence[Look]) -> tuple[tuple[str, ...] | None, list[str]]:
    """Channels that all recordings have; those of the 10-05 system, if they are more than a few."""
    system = {name.lower(): name for name in standard_names()}
    shared = [
        name for name in looks[0].ch_names
        if all(plain(name) in map(plain, look.ch_names) for look in looks)
    ]  # fmt: skip
    known = [system[plain(name)] for name in shared if plain(name) in system]
    rest = [name for name in shared if plain(name) not in system]
    if len(known) < 2 or len(known) < len(rest):
        same = all(look.ch_names == looks[0].ch_names for look in looks)
        return (None if same else tuple(shared)), ["channels are not called as in the 10-05 system"]
    said = [f"channels left out, unknown to the 10-05 system: {', '.join(rest)}"] if rest else []
    return tuple(dict.fromkeys(known)), said


def texts_of(looks: Sequence[Look]) -> set[str]:
    return {text for look in looks for text in look.texts}


def class_name(text: str) -> str:
    """A class's name from a mark: `Stimulus/S  1` is S1, `769` is class_769."""
    bare = re.sub(r"\W+", "_", re.sub(r"(?<=[A-Za-z])\s+(?=\d)", "", _last(text))).strip("_")
    return f"class_{bare}" if bare.isdigit() or not bare else bare


def _last(text: str) -> str:
    return text.rpartition("/")[2].strip()
