"""Alignment of trials in use, as the study aligned those that were learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.preprocess.alignment import (
    Running,
    align_causal,
    align_offline,
    reference,
    run_on,
    whitened,
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a recording's trials are whitened.

    Parameters
    ----------
    method : {"none", "euclidean", "riemannian"}
    mode : {"offline", "causal"}
        By all trials of the recording, or each by those before it and itself.
    since : Running or None
        What unlabelled trials of the person said before: offline it takes the place of the
        recording's own mean, a causal alignment goes on from it.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((20, 3, 100)) * 50
    >>> align = Alignment("euclidean")
    >>> bool(np.allclose(align(X), align.knowing(X)(X), atol=1e-6))
    True
    """

    method: str = "none"
    mode: str = "offline"
    since: Running | None = None

    def __call__(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the trials (n, channels, times) of one recording, in time order, aligned."""
        if self.mode == "causal":
            return align_causal(X, self.method, self.since)
        if self.since is None or self.method == "none":
            return align_offline(X, self.method)
        return whitened(X, self.since.mean)

    def knowing(self, X: NDArray[Any]) -> Alignment:
        """Return the alignment after unlabelled trials of the person who is decoded."""
        if self.method == "none":
            return self
        if self.mode == "causal":
            return replace(self, since=run_on(X, self.method, self.since))
        return replace(self, since=Running(reference(X, self.method), len(X), len(X)))

    def plain(self) -> dict[str, Any]:
        """Return it as plain values and arrays."""
        known = None if self.since is None else dict(vars(self.since))
        return {"method": self.method, "mode": self.mode, "since": known}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Alignment:
        """Return the alignment that plain values describe.

        Examples
        --------
        >>> Alignment.of(Alignment("euclidean", "causal").plain()).mode
        'causal'
        """
        known = plain["since"]
        return cls(plain["method"], plain["mode"], None if known is None else Running(**known))
