"""What can be learned from sums over trials alone, whoever holds the trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

Array = NDArray[np.float64]
Sums = dict[Any, tuple[int, Array]]  # of each label: how many trials, and their sum


class FromSums(TransformerMixin, BaseEstimator):
    """A transformer that learns from each class's sum over trials, and maps each trial alone.

    So it can be fitted and applied block by block: nobody needs all trials in one array.
    """

    def fit(self, X: NDArray[Any], y: ArrayLike) -> Self:
        """Learn from trials."""
        return self.fit_sums(class_sums(X, y))

    def fit_sums(self, sums: Sums) -> Self:
        """Learn from the sums of trials."""
        raise NotImplementedError


def class_sums(X: NDArray[Any], y: ArrayLike) -> Sums:
    """Return the number of trials of each label and their sum.

    Examples
    --------
    >>> sums = class_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), ["a", "b", "a"])
    >>> {str(label): (n, total.tolist()) for label, (n, total) in sums.items()}
    {'a': (2, [6.0, 8.0]), 'b': (1, [3.0, 4.0])}
    """
    labels, codes, counts = np.unique(np.asarray(y), return_inverse=True, return_counts=True)
    member = codes == np.arange(len(labels))[:, None]  # (labels, n)
    totals = (member.astype(np.float64) @ X.reshape(len(X), -1)).reshape(-1, *X.shape[1:])
    return dict(zip(labels.tolist(), zip(counts.tolist(), totals, strict=True), strict=True))


def added(parts: Iterable[Sums]) -> Sums:
    """Return the sums of all parts together.

    Examples
    --------
    >>> one = class_sums(np.ones((2, 1)), ["a", "b"])
    >>> whole = added([one, one])
    >>> whole["a"][0], whole["a"][1].tolist()
    (2, [2.0])
    """
    whole: Sums = {}
    for part in parts:
        for label, (n, total) in part.items():
            if label in whole:
                n, total = whole[label][0] + n, whole[label][1] + total
            whole[label] = n, total
    return dict(sorted(whole.items()))
