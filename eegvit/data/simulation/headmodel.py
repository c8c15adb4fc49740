"""A head to simulate in: concentric spheres, a grid of brain sources, scalp electrodes.

The lead field is MNE's three-layer EEG solution for a sphere fitted to the
standard 10-05 positions. It needs no download and is computed once a process.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import mne
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

REFERENCE = "M1"
# above the nasion and below the outer corner of each eye, in the montage's coordinates (m)
EOG = {
    "EOG1": (0.0, 0.090, -0.020),
    "EOG2": (-0.048, 0.072, -0.052),
    "EOG3": (0.048, 0.072, -0.052),
}
GRID_MM = 8.0
DEEPEST_MM = 35.0  # sources nearer to the centre than this are left out


@dataclass(frozen=True, eq=False)
class HeadModel:
    """Electrodes, sources and the lead field between them.

    Attributes
    ----------
    names : tuple of str
        Electrodes: all of the 10-05 system, then EOG1, EOG2, EOG3.
    directions : ndarray (electrodes, 3)
        Unit vectors from the centre; x right, y front, z up.
    positions : ndarray (sources, 3)
        Metres from the centre.
    gain : ndarray (electrodes, sources, 3)
        Microvolts against the left mastoid for 1 nAm along each axis.
    brain_radius : float
        Radius of the brain's sphere in metres.
    """

    names: tuple[str, ...]
    directions: Array
    positions: Array
    gain: Array
    brain_radius: float

    def rows(self, channels: Sequence[str]) -> NDArray[np.intp]:
        """Rows of the named channels; an unknown name is refused."""
        return np.array([self._row(name) for name in channels], dtype=np.intp)

    def _row(self, name: str) -> int:
        known = {other.lower(): other for other in self.names}
        if name.lower() in known:
            return self.names.index(known[name.lower()])
        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f", did you mean {known[near[0]]!r}?" if near else "; rename it in the card"
        raise ValueError(f"simulated channel {name!r} has no 10-05 position{hint}")

    def toward(self, weights: Mapping[str, float]) -> Array:
        """Unit vector between the named electrodes, weighted."""
        rows = self.rows(tuple(weights))
        mean = np.array(list(weights.values())) @ self.directions[rows]
        return mean / np.linalg.norm(mean)

    def patch(self, centre: Array, orientation: Array, extent: float = 0.008) -> Array:
        """Scalp map (electrodes,) of a patch of cortex that peaks at 1 microvolt.

        Sources near ``centre`` (metres from the head's centre) are weighted by a
        Gaussian of width ``extent`` and share one orientation.
        """
        distance = np.linalg.norm(self.positions - centre, axis=1)
        weights = np.exp(-0.5 * (distance / extent) ** 2)
        near = weights > 1e-3 * weights.max()
        scalp_map = np.einsum("esd,s,d->e", self.gain[:, near], weights[near], orientation)
        return scalp_map / np.abs(scalp_map).max()


@lru_cache(maxsize=1)
def head_model() -> HeadModel:
    """The head that all simulated people vary.

    Examples
    --------
    >>> head = head_model()
    >>> hand = head.toward({"C3": 1.0})
    >>> scalp_map = head.patch(0.07 * hand, hand)
    >>> head.names[int(abs(scalp_map).argmax())] in ("C3", "CCP3h", "C3h", "CCP5h", "C5h")
    True
    """
    standard = mne.channels.make_standard_montage(_montage_name()).get_positions()
    montage = mne.channels.make_dig_montage(
        ch_pos={**standard["ch_pos"], **{name: np.array(at) for name, at in EOG.items()}},
        nasion=standard["nasion"],
        lpa=standard["lpa"],
        rpa=standard["rpa"],
        coord_frame=standard["coord_frame"],
    )
    names = tuple(montage.ch_names)
    info = mne.create_info(list(names), 250.0, "eeg")
    info.set_montage(montage)
    sphere = mne.make_sphere_model("auto", "auto", info=info, verbose="ERROR")
    sources = mne.setup_volume_source_space(
        pos=GRID_MM, sphere=sphere, exclude=DEEPEST_MM, mindist=3.0, verbose="ERROR"
    )
    forward = mne.make_forward_solution(
        info, trans=None, src=sources, bem=sphere, meg=False, eeg=True, verbose="ERROR"
    )
    electrodes = np.array([channel["loc"][:3] for channel in info["chs"]]) - sphere["r0"]
    gain = forward["sol"]["data"].reshape(len(names), -1, 3)  # V / Am
    gain = gain - gain[names.index(REFERENCE)]
    return HeadModel(
        names=names,
        directions=electrodes / np.linalg.norm(electrodes, axis=1, keepdims=True),
        positions=forward["source_rr"] - sphere["r0"],
        gain=(gain * 1e-3).astype(np.float32),  # microvolts / nAm
        brain_radius=float(sphere["layers"][0]["rad"]),
    )


def _montage_name() -> str:
    """MNE's name of the 10-05 positions, which changed with version 1.13."""
    builtin = mne.channels.get_builtin_montages()
    return "colin27_1005" if "colin27_1005" in builtin else "standard_1005"
