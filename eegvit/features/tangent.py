"""Covariances of several bands, each mapped to the tangent space at its own mean [1]_.

.. [1] Barachant et al., Classification of covariance matrices using a Riemannian-based
   kernel for BCI applications. Neurocomputing 112, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from eegvit.features.geometric_mean import geometric_mean, logarithms

Array = NDArray[np.float64]


@dataclass(kw_only=True, eq=False, repr=False)
class BandTangentSpace(TransformerMixin, BaseEstimator):
    """Tangent vectors of each band, side by side.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(10, 2, 3, 50))
    >>> BandTangentSpace().fit_transform(X @ X.swapaxes(2, 3)).shape
    (10, 12)
    """

    def fit(self, X: NDArray[Any], y: Any = None) -> Self:
        """Find the mean of each band from covariances (n, [bands,] channels, channels)."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: NDArray[Any], y: Any = None) -> Array:
        """Find the means and map to tangent vectors: the last look at a mean gives both."""
        C = X[:, None] if X.ndim == 3 else X
        self.whiteners_ = np.empty(C.shape[1:])  # (bands, channels, channels)
        vectors = []
        for band in range(C.shape[1]):
            mean = geometric_mean(C[:, band])
            self.whiteners_[band] = mean.whitener
            vectors.append(_upper(mean.logs))
        return np.concatenate(vectors, axis=1)

    def transform(self, X: NDArray[Any]) -> Array:
        """Map to tangent vectors (n, bands * channels * (channels + 1) / 2)."""
        C = X[:, None] if X.ndim == 3 else X
        return np.concatenate(
            [_upper(logarithms(C[:, i], w)) for i, w in enumerate(self.whiteners_)], axis=1
        )


def _upper(logs: Array) -> Array:
    """Return the upper triangles; what stands for two entries of a matrix weighs sqrt(2)."""
    rows, columns = np.triu_indices(logs.shape[-1])
    return logs[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2))
