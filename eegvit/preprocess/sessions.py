"""Trials of several sessions, each session by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def by_session(
    make: Callable[[NDArray[Any]], NDArray[Any]], X: NDArray[Any], sessions: ArrayLike | None
) -> NDArray[Any]:
    """Return what a function makes of the trials of each session, in the order of the trials.

    Parameters
    ----------
    make : callable
        Trials of one session in, as many rows out.
    X : array, shape (n, ...)
    sessions : array, shape (n,), or None
        The session of each trial. None: all are of one.

    Examples
    --------
    >>> X = np.array([[1.0], [5.0], [3.0], [7.0]])
    >>> by_session(lambda own: own - own.mean(axis=0), X, ["a", "b", "a", "b"]).ravel().tolist()
    [-1.0, -1.0, 1.0, 1.0]
    """
    if sessions is None:
        return make(X)
    names = np.asarray(sessions)
    if names.shape != (len(X),):
        raise ValueError(f"sessions has shape {names.shape} for {len(X)} trials")
    own = [np.flatnonzero(names == name) for name in np.unique(names)]
    made = np.concatenate([make(X[rows]) for rows in own])
    return made[np.argsort(np.concatenate(own))]
