"""Tangent space of covariances and logistic regression, broad band and filter bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import ClassicalClassifier, probabilities
from eegvit.features.covariances import Covariances, Estimator
from eegvit.features.filterbank import MU_AND_BETA, Bands, FilterBankCovariances
from eegvit.features.tangent import BandTangentSpace, MeanOf, SeenFromOwnMean, patterns
from eegvit.preprocess.sessions import by_session
from eegvit.preprocess.signals import EEG


@dataclass(kw_only=True, eq=False, repr=False)
class TangentClassifier(ClassicalClassifier):
    """A linear classifier of tangent vectors, and the sources that it goes by.

    Parameters
    ----------
    mean_of : {"training", "session", "causal"}
        Whose mean covariances are seen from, in each band: that of all training trials; each
        session's own, of all its trials without labels; or its own of the trials so far, as an
        online decoder can.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"sessions": True}

    mean_of: MeanOf = "training"

    def fit(self, X: EEG, y: ArrayLike, *, sessions: ArrayLike | None = None) -> Self:
        """Fit on trials (n, channels, times) and their labels.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        sessions : array or None
            The session of each trial, for a mean of each; "causal" wants each in the order of
            time. None: all are of one.
        """
        X = self.check_X(X, reset=True)
        self.encode_y(X, y)
        self.pipeline_ = self.pipeline()
        C = self.pipeline_["covariances"].transform(X)
        seen, tangent = self._seen(C, sessions), self.pipeline_["tangent"]
        features = tangent.fit_transform(seen)
        self.pipeline_["classify"].fit(features, np.asarray(y))
        channels = tangent if seen is C else BandTangentSpace().fit(C)
        shown = patterns(channels.whiteners_, features, self.pipeline_["classify"].coef_)
        self.patterns_ = shown if hasattr(self, "bands") else shown[0]
        return self

    def predict_proba(self, X: EEG, *, sessions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes).

        Parameters
        ----------
        X : array or mne.Epochs
        sessions : array or None
            As of `fit`: a session is seen from its own mean, whether it was fitted on or not.
        """
        check_is_fitted(self, "pipeline_")
        C = self.pipeline_["covariances"].transform(self.check_X(X))
        return probabilities(self.pipeline_[-2:], self._seen(C, sessions))

    def uses_of_session(self) -> frozenset[str]:
        """Return what the mean is of, where it is not of training trials."""
        if self.mean_of == "training":
            return frozenset()
        return SeenFromOwnMean(causal=self.mean_of == "causal").uses_of_session()

    def _seen(self, C: NDArray[np.float64], sessions: ArrayLike | None) -> NDArray[np.float64]:
        if self.mean_of == "training":
            return C
        return by_session(self.pipeline_["session"].transform, C, sessions)

    def made_of(self, covariances: Covariances | FilterBankCovariances, C: float) -> Pipeline:
        """Return the steps from covariances to a regression of inverse strength C."""
        if self.mean_of not in get_args(MeanOf):
            raise ValueError(
                f"mean_of={self.mean_of!r}: it is one of {', '.join(get_args(MeanOf))}"
            )
        own = [("session", SeenFromOwnMean(causal=self.mean_of == "causal"))]
        return Pipeline(
            [
                ("covariances", covariances),
                *(own if self.mean_of != "training" else []),
                ("tangent", BandTangentSpace()),
                ("classify", LogisticRegression(C=C, max_iter=2000)),
            ]
        )


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
    by `branch: pipeline`. `mean_of: session` is alignment as well, of covariances.

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
        return self.made_of(Covariances(estimator=self.estimator), self.C)


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
    are bands; with many bands and electrodes lower `C`. Alignment makes sessions alike over all
    frequencies together; `mean_of: session` also in each band.

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
        return self.made_of(covariances, self.C)
