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


def patterns(whiteners: Array, features: Array, weights: Array) -> Array:
    """Return how the sources that linear weights in tangent space go by show at the channels [1]_.

    The weights become a pattern of the features by their covariance [2]_; it is a symmetric
    matrix a band, whose eigenvectors are sources whose power goes up or down with the class.

    Parameters
    ----------
    whiteners : array, shape (bands, channels, channels)
    features : array, shape (n, bands * channels * (channels + 1) / 2)
        Of the trials fitted on.
    weights : array, shape (sets, bands * channels * (channels + 1) / 2)

    Returns
    -------
    array, shape (bands, channels, sets * channels)
        The most telling of each set and band first.

    References
    ----------
    .. [1] Kobler et al., On the interpretation of linear Riemannian tangent space model
       parameters in M/EEG. EMBC 2021.
    .. [2] Haufe et al., On the interpretation of weight vectors of linear models in
       multivariate neuroimaging. NeuroImage 87, 2014.

    Examples
    --------
    >>> features = np.random.default_rng(0).standard_normal((50, 3)) * [5, 1e-3, 1e-3]
    >>> found = patterns(np.eye(2)[None], features, np.array([[1.0, 0.0, 0.0]]))
    >>> np.abs(found[0]).round(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    n_bands, n_channels, _ = whiteners.shape
    centred = features - features.mean(axis=0)
    sources = centred @ weights.T  # (n, sets)
    spread = sources.T @ centred / np.maximum(np.square(sources).sum(axis=0)[:, None], 1e-300)
    rows, columns = np.triu_indices(n_channels)
    found = np.zeros((len(weights), n_bands, n_channels, n_channels))
    entries = spread.reshape(len(weights), n_bands, -1)
    entries = entries / np.where(rows == columns, 1.0, np.sqrt(2))
    found[..., rows, columns] = found[..., columns, rows] = entries
    values, vectors = np.linalg.eigh(found)
    order = np.argsort(-np.abs(values), axis=-1)[..., None, :]
    vectors = np.take_along_axis(vectors, order, axis=-1)
    shown = np.linalg.inv(whiteners) @ vectors  # (sets, bands, channels, channels)
    return np.concatenate(list(shown), axis=2)


def _upper(logs: Array) -> Array:
    """Return the upper triangles; what stands for two entries of a matrix weighs sqrt(2)."""
    rows, columns = np.triu_indices(logs.shape[-1])
    return logs[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2))
