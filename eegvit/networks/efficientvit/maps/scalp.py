"""Electrodes on a sphere: which are neighbours, and how to lay them on a small grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.floating]
Indices = NDArray[np.int64]


def directions_of(ch_names: Sequence[str] | None, wanted_by: str) -> Array:
    """Return a unit vector (electrodes, 3) for each channel, or say which are unknown.

    Examples
    --------
    >>> directions_of(("C3", "Cz"), "layout 'grid'").shape
    (2, 3)
    """
    from eegvit.data.montage import electrode_directions

    if ch_names is None:
        raise ValueError(f"{wanted_by} needs the names of the channels: ch_names=('C3', ...)")
    known = electrode_directions(tuple(ch_names))
    unknown = [name for name in ch_names if name not in known]
    if unknown:
        raise ValueError(
            f"{wanted_by} needs the position of every channel, but these are not in the 10-05"
            f" system: {', '.join(unknown)}. Rename or drop them, or take layout 'conv' or 'patch'"
        )
    return np.stack([known[name] for name in ch_names])


def angles(a: Array, b: Array) -> Array:
    """Return the angle in radians between each row of a and each row of b.

    Examples
    --------
    >>> angles(np.eye(3)[:1], np.eye(3)).round(2).tolist()
    [[0.0, 1.57, 1.57]]
    """
    return np.arccos(np.clip(a @ b.T, -1.0, 1.0))


def neighbour_pairs(directions: Array) -> Indices:
    """Return (pairs, 2): electrodes no further apart than 1.2 times the usual nearest two.

    Examples
    --------
    >>> neighbour_pairs(directions_of(("C3", "C1", "Cz", "C2", "C4"), "")).tolist()
    [[0, 1], [1, 2], [2, 3], [3, 4]]
    """
    if len(directions) < 2:
        return np.empty((0, 2), dtype=np.int64)
    apart = angles(directions, directions)
    np.fill_diagonal(apart, np.inf)
    close = np.triu(apart <= 1.2 * np.median(apart.min(axis=1)))
    return np.argwhere(close).astype(np.int64)


def flatten(directions: Array) -> Array:
    """Return positions (electrodes, 2) to the right and to the front, true from the vertex.

    Examples
    --------
    >>> flatten(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])).round(2).tolist()
    [[1.57, 0.0], [0.0, 0.0]]
    """
    x, y, z = directions.T
    from_vertex, around = np.arccos(np.clip(z, -1.0, 1.0)), np.arctan2(y, x)
    return np.stack([from_vertex * np.cos(around), from_vertex * np.sin(around)], axis=1)


def lattice(directions: Array) -> Indices:
    """Return a cell (row, column) for each electrode, no two the same, neighbours together.

    Rows go from front to back, columns from left to right. Grids of several spacings and
    offsets are tried. On each, electrodes get the cells that are nearest in total; the grid
    that keeps most neighbour pairs in touch (also at corners) wins, the smaller one if two do.

    Examples
    --------
    >>> lattice(directions_of(("Fz", "C3", "Cz", "C4", "Pz"), "")).tolist()
    [[0, 1], [1, 0], [1, 1], [1, 2], [2, 1]]
    """
    if len(directions) == 1:
        return np.zeros((1, 2), dtype=np.int64)
    apart = angles(directions, directions)
    np.fill_diagonal(apart, np.inf)
    usual = float(np.median(apart.min(axis=1)))
    pairs = neighbour_pairs(directions)
    right_down = flatten(directions) * [1.0, -1.0]
    points = right_down[:, ::-1] - right_down[:, ::-1].min(axis=0)  # (down, right)
    best: tuple[tuple[int, int], Indices] | None = None
    for factor, *offset in product((0.8, 0.9, 1.0, 1.1, 1.2), (0.0, 0.5), (0.0, 0.5)):
        cells = nearest_cells(points / (factor * usual) + offset)
        n_rows, n_columns = cells.max(axis=0) + 1
        score = (n_kept(cells, pairs), -int(n_rows * n_columns))
        if best is None or score > best[0]:
            best = score, cells
    assert best is not None
    return best[1]


def nearest_cells(points: Array) -> Indices:
    """Return a cell for each point, no two the same, near in total; empty lines are left out.

    Examples
    --------
    >>> nearest_cells(np.array([[0.1, 0.0], [0.2, 0.1], [0.1, 2.2]])).tolist()
    [[0, 0], [1, 0], [0, 1]]
    """
    n_rows, n_columns = np.ceil(points.max(axis=0)).astype(int) + 2
    every = np.argwhere(np.ones((n_rows, n_columns), dtype=bool))  # (cells, 2)
    distance = np.square(points[:, None] - every).sum(axis=2)
    _, chosen = linear_sum_assignment(distance)
    cells = every[chosen]
    used = [np.unique(cells[:, axis]) for axis in (0, 1)]
    return np.stack([np.searchsorted(used[axis], cells[:, axis]) for axis in (0, 1)], axis=1)


def n_kept(cells: Indices, pairs: Indices) -> int:
    """Count the pairs of electrodes whose cells touch, corners included.

    Examples
    --------
    >>> n_kept(np.array([[0, 0], [1, 1], [1, 3]]), np.array([[0, 1], [1, 2]]))
    1
    """
    steps = np.abs(cells[pairs[:, 0]] - cells[pairs[:, 1]])
    return int((steps.max(axis=1) <= 1).sum()) if len(pairs) else 0


def along_the_scalp(directions: Array) -> Indices:
    """Return a short walk over all electrodes: mostly, the next one is a neighbour.

    It starts as the rows of the lattice, to and fro, and stretches of it are turned round
    as long as that makes the walk shorter.

    Examples
    --------
    >>> names = ("C4", "Cz", "C3", "P4", "Pz", "P3")
    >>> [names[i] for i in along_the_scalp(directions_of(names, ""))]
    ['C4', 'P4', 'Pz', 'P3', 'C3', 'Cz']
    """
    n = len(directions)
    rows, columns = lattice(directions).T
    order = np.lexsort((np.where(rows % 2, -columns, columns), rows)).astype(np.int64)
    # a last place at no distance from any other: the ends of the walk are free
    apart = np.pad(angles(directions, directions), (0, 1))
    shorter = True
    while shorter:
        shorter = False
        for i in range(n - 1):
            walk = np.concatenate([order, [n]])
            before, first = walk[i - 1] if i else n, walk[i]
            lasts, after = walk[i + 1 : -1], walk[i + 2 :]
            gain = apart[before, first] + apart[lasts, after]
            gain = gain - apart[before, lasts] - apart[first, after]
            j = int(gain.argmax())
            if gain[j] > 1e-9:
                order[i : i + j + 2] = order[i : i + j + 2][::-1]
                shorter = True
    return order


def grid_directions() -> Array:
    """Return unit vectors (5 rows, 7 columns, 3) of a grid over the scalp, front to back.

    It is square where the scalp is flattened as in `flatten`: the vertex is in the middle,
    steps are 25 degrees, and the corners are at the height of the ears.

    Examples
    --------
    >>> grid_directions()[2, 3].tolist()
    [0.0, 0.0, 1.0]
    """
    right, front = np.meshgrid(np.arange(-3, 4), np.arange(2, -3, -1))
    steps = np.hypot(right, front)
    from_vertex = np.radians(25.0) * steps
    outward = np.sin(from_vertex) / np.maximum(steps, 1.0)
    return np.stack([right * outward, front * outward, np.cos(from_vertex)], axis=-1)


def interpolation(
    directions: Array, targets: Array, *, width: float = 0.5, noise: float = 0.1
) -> Array:
    """Return a matrix (targets, electrodes) that estimates potentials at the targets.

    It is the best linear estimate under a smooth random field on the sphere whose correlation
    falls like a Gaussian of `width` radians; `noise` is the share of variance that no other
    electrode sees. Where no electrode is near, the estimate is 0.

    Examples
    --------
    >>> here = directions_of(("C3", "Cz", "C4"), "")
    >>> np.diag(interpolation(here, here)).round(2).tolist()
    [0.9, 0.89, 0.9]
    """
    within = field_correlation(directions, directions, width)
    across = field_correlation(targets, directions, width)
    return np.linalg.solve(within + noise * np.eye(len(directions)), across.T).T


def field_correlation(a: Array, b: Array, width: float) -> Array:
    """Return exp((cos angle - 1) / width**2), a correlation that any set of points may have.

    Examples
    --------
    >>> field_correlation(np.eye(3)[:1], np.eye(3)[:2], 1.0).round(3).tolist()
    [[1.0, 0.368]]
    """
    return np.exp((a @ b.T - 1.0) / width**2)
