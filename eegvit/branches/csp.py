"""Common spatial patterns and linear discriminant analysis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import ClassicalClassifier
from eegvit.features.covariances import Covariances, Estimator
from eegvit.features.csp import CSP, Multiclass
from eegvit.features.selection import PairSelection


@dataclass(kw_only=True, eq=False, repr=False)
class CSPLDAClassifier(ClassicalClassifier):
    """Log-power of common spatial patterns, classified by linear discriminant analysis [1]_.

    Parameters
    ----------
    n_components : int
        Spatial filters of each set, in pairs.
    multiclass : {"ovr", "joint"}
        One set for each class against the rest, or one from joint diagonalisation.
    shrinkage : float
        How far class covariances are pulled towards the identity, 0 to 1.
    estimator : {"scm", "oas", "lwf"}
        Covariance of a trial.

    Attributes
    ----------
    patterns_ : array, shape (channels, components)
        How the source behind each spatial filter shows at the channels; sets side by side.

    Notes
    -----
    For imagined movement of few classes in a band that is known: quick, small, and its patterns
    can be drawn. It sees power and no phase, so it is blind to event-related potentials. Where
    the band is not known, take `fbcsp`.

    References
    ----------
    .. [1] Ramoser et al., Optimal spatial filtering of single trial EEG during imagined hand
       movement. IEEE Transactions on Rehabilitation Engineering 8(4), 2000.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 100)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> CSPLDAClassifier().fit(X, y).score(X, y)
    1.0
    """

    n_components: int = 6
    multiclass: Multiclass = "ovr"
    shrinkage: float = 0.05
    estimator: Estimator = "oas"

    @property
    def patterns_(self) -> NDArray[np.float64]:
        check_is_fitted(self, "pipeline_")
        found: NDArray[np.float64] = self.pipeline_["csp"].patterns_[0]
        return found

    def pipeline(self) -> Pipeline:
        """Return the steps."""
        csp = CSP(
            n_components=self.n_components, multiclass=self.multiclass, shrinkage=self.shrinkage
        )
        return Pipeline(
            [
                ("covariances", Covariances(estimator=self.estimator)),
                ("csp", csp),
                ("flatten", PairSelection(n_selected=None)),
                ("classify", LinearDiscriminantAnalysis()),
            ]
        )
