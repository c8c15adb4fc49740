"""Ways to lay a trial (n, channels, times) on a map (n, width, rows, columns).

`LAYOUTS` has them by name:

- scalp: rows are places on the scalp, columns sixteenths of the trial, planes the log-power of
  filtered signals and their means. The only one in which power is formed in place. Its right half
  may be the left one in a mirror: `hemispheres` is then "shared".
- conv: temporal and spatial filters; one row, a column every 64 ms. No electrode keeps a place.
- grid: 5 x 7 virtual electrodes that any montage is interpolated to, its rows the map's rows
  and its columns input planes. The parameters are the same for every montage, so that one
  network serves several data sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from torch import nn

from eegvit.networks.efficientvit.maps import scalp
from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.hemispheres import SharedScalpMap
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.maps.temporal_map import TemporalSpatialMap
from eegvit.registry import suggest

Layout = Literal["scalp", "conv", "grid"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
HEMISPHERES = ("apart", "shared")


def make_layout(
    layout: str,
    n_channels: int,
    n_times: int,
    width: int,
    *,
    sfreq: float,
    ch_names: Sequence[str] | None = None,
    hemispheres: str = "apart",
) -> nn.Module:
    """Return the module that maps (n, channels, times) to (n, width, rows, columns).

    "grid" needs names of the 10-05 system; "scalp" does without places if a name is not in it.

    Examples
    --------
    >>> import torch
    >>> make_layout("grid", 2, 1000, 16, sfreq=250.0, ch_names=("C3", "C4"))(
    ...     torch.randn(2, 2, 1000)
    ... ).shape
    torch.Size([2, 16, 5, 32])
    """
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout '{layout}'{suggest(layout, LAYOUTS)}")
    if hemispheres not in HEMISPHERES:
        raise ValueError(
            f"hemispheres={hemispheres!r}: it must be 'apart' or 'shared'"
            f"{suggest(hemispheres, HEMISPHERES)}"
        )
    if hemispheres == "shared" and layout != "scalp":
        raise ValueError(
            f"hemispheres 'shared' is of places on the scalp, which layout '{layout}' has not:"
            " take layout 'scalp' or 'both'"
        )
    if layout == "conv":
        return TemporalSpatialMap(n_channels, width, sfreq=sfreq)
    if ch_names is not None and len(ch_names) != n_channels:
        raise ValueError(f"{len(ch_names)} channel names for {n_channels} channels")
    if layout == "scalp":
        build = SharedScalpMap if hemispheres == "shared" else ScalpMap
        return build(n_channels, n_times, width, sfreq=sfreq, ch_names=ch_names)
    matrix = grid_matrix(scalp.directions_of(ch_names, "layout 'grid'"))
    return ElectrodeMap(matrix, width, sfreq=sfreq)


def grid_matrix(directions: scalp.Array) -> scalp.Array:
    """Return (grid columns, grid rows, channels): the interpolation to virtual electrodes.

    Examples
    --------
    >>> grid_matrix(scalp.directions_of(("C3", "Cz", "C4", "Pz"), "")).shape
    (7, 5, 4)
    """
    grid = scalp.grid_directions()  # (rows, columns, 3)
    matrix = scalp.interpolation(directions, grid.reshape(-1, 3))
    return matrix.reshape(*grid.shape[:2], -1).transpose(1, 0, 2)
