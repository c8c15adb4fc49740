"""Where electrodes sit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any


@cache
def channel_info(ch_names: tuple[str, ...], sfreq: float) -> list[dict[str, Any]] | None:
    """Return MNE's description of each channel, positions of the 10-05 system included.

    None if a name is not in that system.

    Examples
    --------
    >>> [str(channel["ch_name"]) for channel in channel_info(("C3", "Cz"), 250.0)]
    ['C3', 'Cz']
    >>> channel_info(("C3", "EEG1"), 250.0) is None
    True
    """
    import mne

    names = mne.channels.get_builtin_montages()
    name = "colin27_1005" if "colin27_1005" in names else "standard_1005"  # MNE renamed it
    montage = mne.channels.make_standard_montage(name)
    if not _all_known(ch_names, montage.ch_names):
        return None
    info = mne.create_info(list(ch_names), sfreq, "eeg")
    info.set_montage(montage, match_case=False)
    return list(info["chs"])


def _all_known(names: Sequence[str], known: Sequence[str]) -> bool:
    return {name.lower() for name in names} <= {name.lower() for name in known}
