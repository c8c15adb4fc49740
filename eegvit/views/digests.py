"""Hashes of signals: the same bytes are the same trial, whatever they are called."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from eegvit.config import sha256
from eegvit.trials import Trials
from eegvit.views.handle import opened


def trial_digests(X: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return a hash of each trial's bytes, shape (n, 2).

    Examples
    --------
    >>> a, b, c = trial_digests(np.array([[[1.0, 2.0]], [[3.0, 4.0]], [[1.0, 2.0]]], "float32"))
    >>> bool((a == c).all()), bool((a == b).all())
    (True, False)
    """
    digests = [
        hashlib.blake2b(np.ascontiguousarray(trial).data, digest_size=16).digest()
        for trial in opened(X)
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)


def digest_of(trials: Trials) -> str:
    """Return a hash of everything but the labels, which belong to the fits."""
    digest = hashlib.sha256(np.ascontiguousarray(opened(trials.X)).data)
    for name in ("run", "session", "index"):
        digest.update(sha256(getattr(trials, name)).encode())
    return digest.hexdigest()
