"""Alignment of each recording, as transformers of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from eegvit.preprocess.alignment import reference, whitened
from eegvit.preprocess.signals import EEG, Signals, read


class GroupAlignment(TransformerMixin, BaseEstimator):
    """Whitens the trials of each group by their mean covariance; subclasses say which mean.

    Attributes
    ----------
    references_ : dict of array
        The mean covariance of each group that was fitted; of the key None where groups were
        not given, so that all trials were one.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"groups": True}
    method: ClassVar[str]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: EEG, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self:
        """Find the mean covariance of each group of trials (n, channels, times).

        Parameters
        ----------
        X : array or mne.Epochs
        y : ignored
        groups : array or None
            The recording or person of each trial; None is one for all.
        """
        signals = self._signals(X, reset=True)
        self.references_ = {
            name: reference(signals[rows], self.method) for name, rows in _rows(groups, signals)
        }
        return self

    def transform(self, X: EEG, groups: ArrayLike | None = None) -> NDArray[np.float32]:
        """Whiten trials; those of a group that was not fitted by their own mean covariance."""
        check_is_fitted(self)
        signals = self._signals(X, reset=False)
        aligned = np.empty(signals.shape, dtype=np.float32)
        for name, rows in _rows(groups, signals):
            own = signals[rows]
            known = self.references_.get(name)
            aligned[rows] = whitened(own, reference(own, self.method) if known is None else known)
        return aligned

    def fit_transform(
        self, X: EEG, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Fit on trials and whiten them."""
        return self.fit(X, y, groups=groups).transform(X, groups=groups)

    def _signals(self, X: EEG, *, reset: bool) -> Signals:
        if reset:
            self.sfreq_: float | None = None
            self.ch_names_: tuple[str, ...] | None = None
        who = f"this {type(self).__name__}"
        found = read(X, who, sfreq=self.sfreq_, ch_names=self.ch_names_)
        signals = found.X
        if reset:
            self.sfreq_, self.ch_names_ = found.sfreq, found.ch_names
            self.n_channels_in_ = int(signals.shape[1])
        elif signals.shape[1] != self.n_channels_in_:
            raise ValueError(
                f"X has {signals.shape[1]} channels, but this {type(self).__name__} was fitted"
                f" with {self.n_channels_in_}"
            )
        return signals


class EuclideanAlignment(GroupAlignment):
    """Each group's trials whitened by the arithmetic mean of their covariances [1]_.

    What `align: euclidean` is in a study, without a look at any label. People and sessions
    become comparable, so that a classifier that was fitted on some serves others. In microvolts
    or volts, what comes out has no unit.

    A group that `fit` has not seen is aligned by its own trials, all that `transform` is given;
    one that it has seen by what it was then. With scikit-learn's metadata routing, `groups`
    reach both through a pipeline.

    References
    ----------
    .. [1] He and Wu, Transfer learning for brain-computer interfaces: a Euclidean space data
       alignment approach. IEEE Transactions on Biomedical Engineering 67(2), 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, people = rng.standard_normal((20, 3, 100)), np.repeat(["a", "b"], 10)
    >>> X[people == "b"] *= 50
    >>> aligned = EuclideanAlignment().fit_transform(X, groups=people)
    >>> [round(float(aligned[people == name].std()), 2) for name in "ab"]
    [1.0, 1.0]

    Before a classifier, people handed on by name, and a new one tested:

    >>> import sklearn
    >>> from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from eegvit.branches.csp import CSPLDAClassifier
    >>> y = np.tile(["left", "right"], 10)
    >>> X[y == "left", 0] *= 3
    >>> model = make_pipeline(EuclideanAlignment(), CSPLDAClassifier())
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     cross_val_score(model, X, y, params={"groups": people}, cv=LeaveOneGroupOut()).tolist()
    [1.0, 1.0]
    """

    method = "euclidean"


class RiemannianRecentring(GroupAlignment):
    """Each group's trials whitened by the geometric mean of their covariances [1]_.

    What `align: riemannian` is in a study: the covariances of each group then have the identity
    as their affine-invariant mean. Groups are as for `EuclideanAlignment`.

    References
    ----------
    .. [1] Zanini et al., Transfer learning: a Riemannian geometry framework with applications to
       brain-computer interfaces. IEEE Transactions on Biomedical Engineering 65(5), 2018.

    Examples
    --------
    >>> from pyriemann.geometry.mean import mean_riemann
    >>> X, people = np.random.default_rng(0).standard_normal((20, 3, 100)), np.arange(20) % 2
    >>> X[people == 1] *= [[1.0], [5.0], [0.1]]
    >>> aligned = RiemannianRecentring().fit_transform(X, groups=people)
    >>> covariances = aligned @ aligned.swapaxes(1, 2) / 100
    >>> bool(np.allclose(mean_riemann(covariances[people == 1]), np.eye(3), atol=0.1))
    True
    """

    method = "riemannian"


def _rows(
    groups: ArrayLike | None, X: Signals
) -> Iterator[tuple[object, NDArray[np.int64] | slice]]:
    """Yield each group's name and its trials."""
    if groups is None:
        yield None, slice(None)
        return
    names = np.asarray(groups)
    if names.shape != (len(X),):
        raise ValueError(f"groups has shape {names.shape} for {len(X)} trials")
    for name in np.unique(names):
        yield name.item() if isinstance(name, np.generic) else name, np.flatnonzero(names == name)
