"""Tangent space of covariances and logistic regression, broad band and filter bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier
from eegvit.features.covariances import Covariances, Estimator
from eegvit.features.filterbank import MU_AND_BETA, Bands, FilterBankCovariances
from eegvit.features.tangent import BandTangentSpace, patterns
from eegvit.preprocess.signals import EEG


class TangentClassifier(ClassicalClassifier):
    """A linear classifier of tangent vectors, and the sources that it goes by."""

    def fit(self, X: EEG, y: ArrayLike) -> Self:
        """Fit on trials (n, channels, times) and their labels."""
        X = self.check_X(X, reset=True)
        self.encode_y(X, y)
        self.pipeline_ = self.pipeline()
        features = self.pipeline_[:-1].fit_transform(X)
        self.pipeline_[-1].fit(features, np.asarray(y))
        whiteners = self.pipeline_["tangent"].whiteners_
        shown = patterns(whiteners, features, self.pipeline_["classify"].coef_)
        self.patterns_ = shown if hasattr(self, "bands") else shown[0]
        return self


@dataclass(kw_only=True, eq=False, repr=False)
class TangentSpaceClassifier(TangentClassifier):
    """Covariances seen from their Riemannian mean, classified by logistic regression [1]_.

    Parameters
    ----------
    estimator : {"scm", "oas", "lwf"}
        Covariance of a trial.
    C : float
        Inverse strength of the regression's penalty.

    Attributes
    ----------
    patterns_ : array, shape (channels, components)
        How the sources that the regression goes by show at the channels, the most telling
        first; of more than two classes, those of each against the rest side by side.

    Notes
    -----
    The first model to try: few numbers to choose, strong with few trials and across people once
    recordings are aligned. n channels make n (n + 1) / 2 features, so with many electrodes and
    few trials choose `channels`. For event-related potentials put covariances of them in front,
    by `branch: pipeline`.

    References
    ----------
    .. [1] Barachant et al., Classification of covariance matrices using a Riemannian-based
       kernel for BCI applications. Neurocomputing 112, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 100)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> TangentSpaceClassifier().fit(X, y).score(X, y)
    1.0
    """

    estimator: Estimator = "oas"
    C: float = 0.1

    def pipeline(self) -> Pipeline:
        """Return the steps."""
        return _tangent_pipeline(Covariances(estimator=self.estimator), self.C)


@dataclass(kw_only=True, eq=False, repr=False)
class FBTangentSpaceClassifier(TangentClassifier):
    """Tangent vectors of several bands side by side, classified by logistic regression [1]_.

    Parameters
    ----------
    bands : tuple of (low, high)
        Edges of the bands in Hz; overlapping ones are fine.
    estimator : {"scm", "oas", "lwf"}
        Covariance of a trial in a band.
    C : float
        Inverse strength of the regression's penalty.
    sfreq : float or None
        Sampling rate in Hz; known where trials come from a study or are an mne.Epochs.

    Attributes
    ----------
    patterns_ : array, shape (bands, channels, components)
        As of `TangentSpaceClassifier`, in each band.

    Notes
    -----
    Where classes differ in several bands. It costs about as many times `tangent_space` as there
    are bands; with many bands and electrodes lower `C`.

    References
    ----------
    .. [1] Islam et al., Multiband tangent space mapping and feature selection for classification
       of EEG during motor imagery. Journal of Neural Engineering 15(4), 2018.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 250)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> FBTangentSpaceClassifier(sfreq=125.0).fit(X, y).score(X, y)
    1.0
    """

    bands: Bands = MU_AND_BETA
    estimator: Estimator = "oas"
    C: float = 0.01
    sfreq: float | None = None

    def pipeline(self) -> Pipeline:
        """Return the steps."""
        covariances = FilterBankCovariances(
            sfreq=self.sampling_rate(), bands=self.bands, estimator=self.estimator
        )
        return _tangent_pipeline(covariances, self.C)


def _tangent_pipeline(covariances: Covariances | FilterBankCovariances, C: float) -> Pipeline:
    return Pipeline(
        [
            ("covariances", covariances),
            ("tangent", BandTangentSpace()),
            ("classify", LogisticRegression(C=C, max_iter=2000)),
        ]
    )
