"""Minimum distance to the Riemannian mean."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier
from eegvit.features.covariances import Covariances, Estimator
from eegvit.features.nearest_mean import NearestMean


@dataclass(kw_only=True, eq=False, repr=False)
class MDMClassifier(ClassicalClassifier):
    """The class whose Riemannian mean covariance is nearest [1]_.

    Parameters
    ----------
    estimator : {"scm", "oas", "lwf"}
        Covariance of a trial.

    Notes
    -----
    A baseline with nothing to choose, for very few labels: it learns one mean for each class.
    Where trials are enough to fit a regression, `tangent_space` uses the same covariances better.

    References
    ----------
    .. [1] Barachant et al., Multiclass brain-computer interface classification by
       Riemannian geometry. IEEE Transactions on Biomedical Engineering 59(4), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 100)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> MDMClassifier().fit(X, y).score(X, y)
    1.0
    """

    estimator: Estimator = "oas"

    def pipeline(self) -> Pipeline:
        """Return the steps."""
        covariances = Covariances(estimator=self.estimator)
        return Pipeline([("covariances", covariances), ("nearest", NearestMean())])
