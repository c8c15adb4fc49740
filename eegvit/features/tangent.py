"""Covariances of several bands, each mapped to the tangent space at its own mean [1]_.

.. [1] Barachant et al., Classification of covariance matrices using a Riemannian-based
   kernel for BCI applications. Neurocomputing 112, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from eegvit.features.covariances import PerRecording
from eegvit.features.geometric_mean import geometric_mean, logarithms
from eegvit.preprocess.alignment import inverse_root, references_so_far

Array = NDArray[np.float64]
MeanOf = Literal["training", "session", "causal"]  # whose mean covariances are seen from


@dataclass(kw_only=True, eq=False, repr=False)
class SeenFromOwnMean(PerRecording):
    """Covariances of a recording seen from their own Riemannian mean, each band from its own [1]_.

    That mean becomes the identity. Two recordings that differ by a linear map of the channels,
    another one in each band, are the same afterwards but for a rotation.

    Parameters
    ----------
    causal : bool
        Whether each trial is seen from the mean up to and including itself. The first trials,
        with little to go by, lean on a multiple of the identity.

    References
    ----------
    .. [1] Zanini et al., Transfer learning: a Riemannian geometry framework with applications to
       brain-computer interfaces. IEEE Transactions on Biomedical Engineering 65(5), 2018.

    Examples
    --------
    >>> C = np.array([[[4.0]], [[1.0]]])
    >>> SeenFromOwnMean().transform(C).round(6).ravel().tolist()
    [2.0, 0.5]
    >>> SeenFromOwnMean(causal=True).transform(C).round(6).ravel().tolist()
    [1.0, 0.5]
    """

    causal: bool = False

    def uses_of_session(self) -> frozenset[str]:
        """Return what it uses of a recording."""
        return frozenset({"causal" if self.causal else "unlabelled"})

    def transform(self, X: NDArray[Any]) -> Array:
        """Map covariances (n, [bands,] channels, channels) of a recording, in time order."""
        C = X[:, None] if X.ndim == 3 else X
        seen = np.empty(C.shape)
        for band in range(C.shape[1]):
            own = C[:, band]
            if self.causal:
                whitener = inverse_root(references_so_far(own, "riemannian"))
            else:
                whitener = geometric_mean(own).whitener
            seen[:, band] = whitener @ own @ whitener
        return seen.reshape(X.shape)


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
