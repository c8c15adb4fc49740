"""Channels of a recording: which there are, which a card means, whether they hold numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from eegvit.config import Card
from eegvit.registry import suggest

_REFERENCE = r"[-_ ](ref|le|re|ar|avg|a1|a2|a1a2|m1|m2)$"


def pick_channels(
    names: Iterable[str], wanted: tuple[str, ...] | None, where: str
) -> tuple[list[int], tuple[str, ...]]:
    """Positions of the wanted channels, and their names.

    Without a channel of that very name, one is taken that differs in case, dots, a leading
    "EEG" or the name of a reference behind it.

    Examples
    --------
    >>> pick_channels(["Fz", "C3", "CZ"], ("Cz", "C3"), "a.edf")
    ([2, 1], ('Cz', 'C3'))
    >>> pick_channels(["Fc5.", "EEG C3-REF"], ("C3", "FC5"), "a.edf")
    ([1, 0], ('C3', 'FC5'))
    """
    found = list(names)
    if wanted is None:
        return list(range(len(found))), tuple(found)
    very = {name.lower(): i for i, name in reversed(list(enumerate(found)))}
    bare = {plain(name): i for i, name in reversed(list(enumerate(found)))}
    positions = [very.get(name.lower(), bare.get(plain(name), -1)) for name in wanted]
    missing = [name for name, i in zip(wanted, positions, strict=True) if i < 0]
    if missing:
        raise ValueError(
            f"{where}: no channel '{missing[0]}'{suggest(missing[0], found)}"
            f" ({len(missing)} of the card's {len(wanted)} channels are missing;"
            f" the recording has {', '.join(found)})"
        )
    return positions, tuple(wanted)


def pick_present(ch_names: Iterable[str], card: Card) -> tuple[list[int], tuple[str, ...]]:
    """Positions and names of the channels by which trials are judged, those that are there."""
    found = list(ch_names)
    wanted = {plain(name) for name in card.judgement.channels or found}
    positions = [i for i, name in enumerate(found) if plain(name) in wanted]
    return positions, tuple(found[i] for i in positions)


def check_finite(X: NDArray[Any], ch_names: tuple[str, ...], where: str) -> None:
    """Refuse NaN and infinity, naming the trial and the channel; X is (n, channels, times)."""
    if X.size and not np.isfinite(X.sum(dtype=np.float64)):
        spoilt = ~np.isfinite(X).all(axis=-1)  # (n, channels)
        trial, channel = np.argwhere(spoilt)[0]
        raise ValueError(
            f"{where}: {int(spoilt.any(axis=1).sum())} of {len(X)} trials have NaN or infinite"
            f" samples, first trial {trial}, channel {ch_names[channel]}. The recording has gaps"
            " or was damaged; mend or cut it first."
        )


def eeg_channels(raw: mne.io.BaseRaw, card: Card, where: str) -> list[str]:
    """Channels that a card's may be: all by name, or those of EEG if it names none."""
    if card.channels is not None:
        return list(raw.ch_names)
    eeg = mne.pick_types(raw.info, eeg=True, exclude=[])
    if not len(eeg):
        raise ValueError(f"{where}: no channel of type EEG; name the card's `channels`")
    return [raw.ch_names[i] for i in eeg]


def plain(name: str) -> str:
    """Return a channel's name without what amplifiers put around it.

    Examples
    --------
    >>> plain("EEG Fp1-REF"), plain("Fc5..")
    ('fp1', 'fc5')
    """
    bare = re.sub(r"^eeg[ _:-]*(?=[a-z])", "", name.lower().strip().strip("."))
    return re.sub(_REFERENCE, "", bare).strip(". ")
