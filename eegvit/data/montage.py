"""Where electrodes sit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    montage = standard_montage()
    if not _all_known(ch_names, montage.ch_names):
        return None
    info = mne.create_info(list(ch_names), sfreq, "eeg")
    info.set_montage(montage, match_case=False)
    return list(info["chs"])


@cache
def electrode_directions(ch_names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Return, for each channel that the 10-05 system knows, a unit vector from the head's centre.

    x points right, y to the front, z up. The centre is that of the sphere through all
    positions.

    Examples
    --------
    >>> found = electrode_directions(("Cz", "EEG1"))
    >>> list(found), bool(found["Cz"][2] > 0.99)
    (['Cz'], True)
    """
    positions = standard_montage().get_positions()["ch_pos"]
    points = np.array(list(positions.values()))  # |p|^2 = 2 p c + (r^2 - |c|^2)
    columns = np.column_stack([2 * points, np.ones(len(points))])
    centre = np.linalg.lstsq(columns, np.square(points).sum(axis=1), rcond=None)[0][:3]
    rays = points - centre
    unit = dict(
        zip(
            (name.lower() for name in positions),
            rays / np.linalg.norm(rays, axis=1, keepdims=True),
            strict=True,
        )
    )
    return {name: unit[name.lower()] for name in ch_names if name.lower() in unit}


def standard_names() -> list[str]:
    """Names of the electrodes of the 10-05 system.

    Examples
    --------
    >>> {"Fz", "C3", "PO7"} <= set(standard_names())
    True
    """
    return list(standard_montage().ch_names)


def standard_montage() -> Any:
    """Return MNE's montage of the 10-05 system, whatever its release calls it."""
    import mne

    names = mne.channels.get_builtin_montages()
    name = "colin27_1005" if "colin27_1005" in names else "standard_1005"  # MNE renamed it
    return mne.channels.make_standard_montage(name)


def _all_known(names: Sequence[str], known: Sequence[str]) -> bool:
    return {name.lower() for name in names} <= {name.lower() for name in known}
