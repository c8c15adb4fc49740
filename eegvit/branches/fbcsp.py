"""Filter-bank common spatial patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import ClassicalClassifier
from eegvit.features.covariances import Estimator
from eegvit.features.csp import CSP, Multiclass
from eegvit.features.filterbank import NINE_BANDS, Bands, FilterBankCovariances
from eegvit.features.selection import PairSelection

CLASSIFIERS: dict[str, BaseEstimator] = {
    "lda": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "logistic": LogisticRegression(max_iter=1000),
    "svm": SVC(C=1.0),
}


@dataclass(kw_only=True, eq=False, repr=False)
class FBCSPClassifier(ClassicalClassifier):
    """Common spatial patterns in each of several bands, the most telling ones classified [1]_.

    Parameters
    ----------
    bands : tuple of (low, high)
        Edges of the bands in Hz.
    n_components : int
        Spatial filters of each band and set, in pairs.
    n_selected : int or None
        Features chosen for each set by mutual information, before their pairs join them;
        None keeps all.
    multiclass : {"ovr", "joint"}
        One set of filters for each class against the rest, or one from joint
        diagonalisation.
    shrinkage : float
        How far class covariances are pulled towards the identity, 0 to 1.
    estimator : {"scm", "oas", "lwf"}
        Covariance of a trial in a band.
    classifier : {"lda", "logistic", "svm"} or estimator
        What classifies the chosen features.
    sfreq : float or None
        Sampling rate in Hz; known where trials come from a study or are an mne.Epochs.

    Attributes
    ----------
    patterns_ : array, shape (bands, channels, components)
        How the source behind each spatial filter shows at the channels; sets side by side, all
        of them, selected or not.

    Notes
    -----
    For imagined movement in bands that are not known and differ between people. Features multiply
    with bands and classes: with few trials give fewer `bands`, or a smaller `n_selected`.

    References
    ----------
    .. [1] Ang et al., Filter bank common spatial pattern (FBCSP) in brain-computer
       interface. IJCNN 2008.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 250)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> FBCSPClassifier(sfreq=125.0).fit(X, y).score(X, y)
    1.0
    """

    bands: Bands = NINE_BANDS
    n_components: int = 4
    n_selected: int | None = 4
    multiclass: Multiclass = "ovr"
    shrinkage: float = 0.05
    estimator: Estimator = "oas"
    classifier: str | BaseEstimator = "lda"
    sfreq: float | None = None

    @property
    def patterns_(self) -> NDArray[np.float64]:
        check_is_fitted(self, "pipeline_")
        found: NDArray[np.float64] = self.pipeline_["csp"].patterns_
        return found

    def feature_steps(self) -> Pipeline:
        """Return the steps up to log-power (n, bands, sets, components), without selection."""
        return self.pipeline()[:2]

    def pipeline(self) -> Pipeline:
        """Return the steps."""
        covariances = FilterBankCovariances(
            sfreq=self.sampling_rate(), bands=self.bands, estimator=self.estimator
        )
        csp = CSP(
            n_components=self.n_components, multiclass=self.multiclass, shrinkage=self.shrinkage
        )
        classifier = self.classifier
        if isinstance(classifier, str):
            if classifier not in CLASSIFIERS:
                raise ValueError(
                    f"classifier '{classifier}' is not one of {', '.join(CLASSIFIERS)},"
                    " nor a scikit-learn classifier"
                )
            classifier = CLASSIFIERS[classifier]
        selection = PairSelection(n_selected=self.n_selected, multiclass=self.multiclass)
        return Pipeline(
            [
                ("covariances", covariances),
                ("csp", csp),
                ("select", selection),
                ("scale", StandardScaler()),
                ("classify", clone(classifier)),
            ]
        )
