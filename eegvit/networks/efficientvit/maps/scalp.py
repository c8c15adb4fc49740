"""Electrodes on a sphere: where they are, which are far apart, what is between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
            f" system: {', '.join(unknown)}. Rename or drop them, or take layout 'scalp'"
        )
    return np.stack([known[name] for name in ch_names])


def directions_if_known(ch_names: Sequence[str] | None) -> Array | None:
    """Return a unit vector (electrodes, 3) for each channel, or None if one is not known.

    Examples
    --------
    >>> directions_if_known(("C3", "EEG1")), directions_if_known(("C3", "Cz")).shape
    (None, (2, 3))
    """
    from eegvit.data.montage import electrode_directions

    known = electrode_directions(tuple(ch_names)) if ch_names else {}
    if not ch_names or any(name not in known for name in ch_names):
        return None
    return np.stack([known[name] for name in ch_names])


def angles(a: Array, b: Array) -> Array:
    """Return the angle in radians between each row of a and each row of b.

    Examples
    --------
    >>> angles(np.eye(3)[:1], np.eye(3)).round(2).tolist()
    [[0.0, 1.57, 1.57]]
    """
    return np.arccos(np.clip(a @ b.T, -1.0, 1.0))


def front_to_back(directions: Array) -> Indices:
    """Return the order of electrodes from front to back, of those level from left to right.

    Examples
    --------
    >>> names = ("Cz", "Pz", "Fz")
    >>> [names[i] for i in front_to_back(directions_of(names, ""))]
    ['Fz', 'Cz', 'Pz']
    """
    x, y, z = directions.T
    return np.lexsort((z, x, -y.round(2))).astype(np.int64)


def far_apart(directions: Array, n: int) -> Indices:
    """Return n electrodes, ascending: the highest, then each time the furthest from all so far.

    Examples
    --------
    >>> names = ("Fz", "C3", "C1", "Cz", "C2", "C4", "Pz")
    >>> [names[i] for i in far_apart(directions_of(names, ""), 5)]
    ['Fz', 'C3', 'Cz', 'C4', 'Pz']
    """
    apart = angles(directions, directions)
    chosen = [int(directions[:, 2].argmax())]
    nearest = apart[chosen[0]].round(3)
    for _ in range(n - 1):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, apart[chosen[-1]].round(3))
    return np.sort(chosen).astype(np.int64)


def grid_directions() -> Array:
    """Return unit vectors (5 rows, 7 columns, 3) of a grid over the scalp, front to back.

    It is square where the scalp is flattened true from the vertex, which is in the middle:
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
