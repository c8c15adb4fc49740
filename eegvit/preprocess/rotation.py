"""A turn of the electrodes about the head, as a view of the same brain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Signals = NDArray[np.floating[Any]]
Directions = NDArray[np.floating[Any]]

WIDTH = 0.5  # radians over which the potential on the scalp is alike
UNSEEN = 0.1  # share of an electrode's variance that no other sees


def rotation(
    X: Signals, rng: np.random.Generator, strength: float, directions: Directions | None = None
) -> Signals:
    """Turn the cap by a random rotation, its vector normal with `strength` radians an axis.

    Signals at the new places are estimated as in a smooth random field on the sphere. Without
    directions nothing changes.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    rng : Generator
    strength : float
    directions : array, shape (channels, 3), or None
        Unit vectors.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((2, 3, 50))
    >>> new = rotation(X, np.random.default_rng(0), 0.1, np.eye(3))
    >>> bool(0 < np.abs(new - X).max() < 1)
    True
    """
    if directions is None:
        return X
    turns = Rotation.from_rotvec(strength * rng.standard_normal((len(X), 3))).as_matrix()
    turned = directions @ turns.transpose(0, 2, 1)  # (n, channels, 3)
    within = likeness(directions, directions)
    change = likeness(turned, directions) - within  # (n, channels, channels)
    weights = change @ np.linalg.inv(within + UNSEEN * np.eye(len(within)))
    return X + weights.astype(X.dtype) @ X


def likeness(a: Directions, b: Directions) -> Signals:
    """Return the correlation of the potential at directions a (..., p, 3) and b (q, 3)."""
    return np.exp((a @ b.T - 1.0) / WIDTH**2)
