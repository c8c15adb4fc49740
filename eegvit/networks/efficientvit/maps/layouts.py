"""Ways to lay a trial (n, channels, times) on a map (n, width, rows, columns).

`LAYOUTS` has them by name:

- conv: temporal and spatial filters; one row, a column every 64 ms. No electrode keeps a place.
- power: the same filters, but the logarithm of their power in the 0.32 s around each column.
- patch: a row for each electrode along a walk over the scalp, then overlapping patches every
  two rows and 128 ms. Of the 32 neighbour pairs of the 22 electrodes of data set 2a, 16 are
  next to each other and 20 within two rows. The usual order keeps 16 as well, but leaps by up
  to 113 degrees from one row to the next; the walk's longest step is 43 degrees.
- lattice: electrodes on a small grid, its rows the map's rows and its columns input planes, so
  that a filter over three rows sees whole rows of the grid. All 32 pairs are in touch, on 6 x 7
  cells.
- grid: as lattice, on 5 x 7 virtual electrodes that any montage is interpolated to. The
  parameters are the same for every montage, so that one network serves several data sets.
- bands: as patch, with the signals and powers of six frequency bands as input planes.

Sizes are in seconds. Montages of 8 electrode rows or more are thinned by 2, of more than 32
by 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from torch import nn

from eegvit.networks.efficientvit.maps import scalp
from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.power_map import PowerMap
from eegvit.networks.efficientvit.maps.temporal_map import TemporalSpatialMap
from eegvit.registry import suggest

Layout = Literal["conv", "power", "patch", "lattice", "grid", "bands"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
FILTERED: dict[str, Callable[..., nn.Module]] = {
    "conv": TemporalSpatialMap,
    "power": PowerMap,
}


def make_layout(
    layout: str,
    n_channels: int,
    width: int,
    *,
    sfreq: float,
    ch_names: Sequence[str] | None = None,
) -> nn.Module:
    """Return the module that maps (n, channels, times) to (n, width, rows, columns).

    "lattice" and "grid" need names of the 10-05 system; "patch" and "bands" keep the order
    given if a name is not in it.

    Examples
    --------
    >>> import torch
    >>> make_layout("patch", 22, 16, sfreq=250.0)(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 16, 11, 32])
    """
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout '{layout}'{suggest(layout, LAYOUTS)}")
    if layout in FILTERED:
        return FILTERED[layout](n_channels, width, sfreq=sfreq)
    if ch_names is not None and len(ch_names) != n_channels:
        raise ValueError(f"{len(ch_names)} channel names for {n_channels} channels")
    if layout == "lattice":
        matrix = lattice_matrix(scalp.directions_of(ch_names, "layout 'lattice'"))
    elif layout == "grid":
        matrix = grid_matrix(scalp.directions_of(ch_names, "layout 'grid'"))
    else:
        matrix = walk_matrix(n_channels, ch_names)
    return ElectrodeMap(matrix, width, sfreq=sfreq, bands=layout == "bands")


def walk_matrix(n_channels: int, ch_names: Sequence[str] | None) -> scalp.Array:
    """Return (1, rows, channels) that puts electrodes in the order of a walk over the scalp.

    Examples
    --------
    >>> walk_matrix(3, ("C3", "C4", "Cz"))[0].argmax(axis=1).tolist()
    [0, 2, 1]
    """
    from eegvit.data.montage import electrode_directions

    known = electrode_directions(tuple(ch_names)) if ch_names else {}
    if len(known) < n_channels:
        return np.eye(n_channels)[None]
    walk = scalp.along_the_scalp(np.stack(list(known.values())))
    return np.eye(n_channels)[walk][None]


def lattice_matrix(directions: scalp.Array) -> scalp.Array:
    """Return (grid columns, grid rows, channels): 1 where an electrode has its cell.

    Examples
    --------
    >>> lattice_matrix(scalp.directions_of(("C3", "Cz", "C4", "Pz"), "")).shape
    (3, 2, 4)
    """
    cells = scalp.lattice(directions)
    n_rows, n_columns = cells.max(axis=0) + 1
    matrix = np.zeros((n_columns, n_rows, len(cells)))
    matrix[cells[:, 1], cells[:, 0], np.arange(len(cells))] = 1.0
    return matrix


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
