"""Selection of spatial-filter features by what they tell about the class [1]_.

.. [1] Ang et al., Filter bank common spatial pattern algorithm on BCI competition IV
   datasets 2a and 2b. Frontiers in Neuroscience 6, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from eegvit.features.csp import Multiclass

Array = NDArray[np.float64]


@dataclass(kw_only=True, eq=False, repr=False)
class PairSelection(TransformerMixin, BaseEstimator):
    """Keep the most informative features of each set of filters, and their mirror filters.

    Parameters
    ----------
    n_selected : int or None
        Features chosen for each set, before their pairs join them. None keeps all.
    multiclass : {"ovr", "joint"}
        How the filters were found: those of a joint diagonalisation of three or more
        classes come in no pairs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 9, 1, 4)), np.repeat([0, 1], 30)
    >>> X[:, 2, 0, 1] += 3 * y
    >>> selection = PairSelection(n_selected=1).fit(X, y)
    >>> [tuple(map(int, where)) for where in np.argwhere(selection.chosen_)]
    [(2, 0, 1), (2, 0, 2)]
    """

    n_selected: int | None = 4
    multiclass: Multiclass = "ovr"

    def fit(self, X: NDArray[Any], y: ArrayLike) -> Self:
        """Score log-powers (n, bands, sets, components) and choose."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        n_sets, n_components = X.shape[2:]
        paired = self.multiclass == "ovr" or len(self.classes_) == 2
        self.chosen_ = np.ones(X.shape[1:], dtype=bool)
        if self.n_selected is None:
            return self
        for s in range(n_sets):
            target = (codes == s).astype(np.int64) if n_sets > 1 else codes
            told = mutual_information(X[:, :, s].reshape(len(X), -1), target)
            best = np.argsort(-told, kind="stable")[: self.n_selected]
            band, component = np.divmod(best, n_components)
            chosen = np.zeros(X.shape[1::2], dtype=bool)  # (bands, components)
            chosen[band, component] = True
            self.chosen_[:, s] = chosen | chosen[:, ::-1] if paired else chosen
        return self

    def transform(self, X: NDArray[Any]) -> Array:
        """Map to the chosen features (n, features)."""
        return X[:, self.chosen_]


def mutual_information(X: Array, codes: NDArray[np.int64], n_bins: int = 12) -> Array:
    """Return the information, in nats, that each feature's quantile tells about the class.

    Examples
    --------
    >>> X = np.arange(24.0)[:, None] * [1.0, 0.0]
    >>> mutual_information(X, np.repeat([0, 1], 12)).round(3).tolist()
    [0.693, 0.0]
    """
    n, n_features = X.shape
    edges = np.quantile(X, np.linspace(0, 1, n_bins + 1)[1:-1], axis=0)  # (edges, features)
    bins = np.stack([np.searchsorted(edges[:, j], X[:, j], "right") for j in range(n_features)])
    counts = np.zeros((n_features, n_bins, int(codes.max()) + 1))
    feature = np.broadcast_to(np.arange(n_features)[:, None], bins.shape)
    np.add.at(counts, (feature, bins, np.broadcast_to(codes, bins.shape)), 1)
    joint = counts / n
    independent = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    return (joint * np.log(ratio)).sum(axis=(1, 2))
