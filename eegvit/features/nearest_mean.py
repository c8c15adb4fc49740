"""The class whose Riemannian mean covariance is nearest [1]_.

.. [1] Barachant et al., Multiclass brain-computer interface classification by
   Riemannian geometry. IEEE Transactions on Biomedical Engineering 59(4), 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from eegvit.features.geometric_mean import geometric_mean

Array = NDArray[np.float64]
TINY = np.finfo(np.float64).tiny


@dataclass(kw_only=True, eq=False, repr=False)
class NearestMean(ClassifierMixin, BaseEstimator):
    """Minimum distance to mean, of covariances (n, channels, channels).

    Attributes
    ----------
    classes_ : array
    whiteners_ : array, shape (classes, channels, channels)
        Inverse square root of each class's mean.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 100))
    >>> y = np.repeat([0, 1], 10)
    >>> X[y == 1] *= 2
    >>> C = X @ X.swapaxes(1, 2)
    >>> NearestMean().fit(C, y).score(C, y)
    1.0
    """

    def fit(self, C: Array, y: ArrayLike) -> Self:
        """Find the mean of each class."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        C = np.asarray(C, np.float64)
        means = [geometric_mean(C[codes == code]) for code in range(len(self.classes_))]
        self.whiteners_ = np.stack([mean.whitener for mean in means])
        return self

    def distances(self, C: Array) -> Array:
        """Return the distance of each covariance from each class's mean, (n, classes)."""
        return np.stack(
            [
                np.linalg.norm(np.log(np.maximum(np.linalg.eigvalsh(w @ C @ w), TINY)), axis=1)
                for w in self.whiteners_
            ],
            axis=1,
        )

    def predict(self, C: Array) -> NDArray[np.generic]:
        """Return the class whose mean is nearest."""
        chosen: NDArray[np.generic] = self.classes_[self.distances(C).argmin(axis=1)]
        return chosen

    def predict_proba(self, C: Array) -> Array:
        """Return probabilities that fall with the square of the distance, (n, classes)."""
        told: Array = softmax(-np.square(self.distances(C)), axis=1)
        return told
