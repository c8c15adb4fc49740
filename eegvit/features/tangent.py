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
        from pyriemann.tangentspace import TangentSpace  # loads torch, so only when used

        C = X[:, None] if X.ndim == 3 else X
        self.maps_ = [TangentSpace().fit(C[:, band]) for band in range(C.shape[1])]
        return self

    def transform(self, X: NDArray[Any]) -> Array:
        """Map to tangent vectors (n, bands * channels * (channels + 1) / 2)."""
        C = X[:, None] if X.ndim == 3 else X
        return np.concatenate(
            [space.transform(C[:, band]) for band, space in enumerate(self.maps_)], axis=1
        )
