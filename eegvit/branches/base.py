"""What every branch shares: checks of the input, labels, and pipelines of steps."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from joblib import hash as hash_of
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from eegvit.features.covariances import PerTrial


class EEGClassifier(ClassifierMixin, BaseEstimator):
    """Checks shared by all classifiers of EEG trials; subclasses are keyword-only dataclasses."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def check_X(self, X: Any, *, reset: bool = False) -> NDArray[np.floating[Any]]:
        """Return X as an array (n, channels, times), or say what is wrong with it.

        With ``reset=True`` the shape is remembered; without, it must be the remembered one.
        """
        if hasattr(X, "get_data") and hasattr(X, "info"):  # mne.Epochs
            if reset:
                self.sfreq_: float | None = float(X.info["sfreq"])
                self.ch_names_: tuple[str, ...] | None = tuple(X.ch_names)
            X = 1e6 * X.get_data(copy=False)  # volts to microvolts
        elif reset:
            self.sfreq_ = getattr(self, "sfreq", None)
            self.ch_names_ = getattr(self, "ch_names", None)
        X = np.asarray(X)
        if X.ndim != 3:
            raise ValueError(
                f"X has shape {X.shape}, expected (trials, channels, times)."
                " A single trial needs a leading axis: X[None]."
            )
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float32)
        if len(X) == 0:
            raise ValueError("X has no trials (0 sample(s)); at least one is required")
        _refuse_non_finite(X)
        if reset:
            self.n_channels_in_, self.n_times_in_ = map(int, X.shape[1:])
        elif X.shape[1:] != (self.n_channels_in_, self.n_times_in_):
            raise ValueError(
                f"X has {X.shape[1]} channels x {X.shape[2]} times, but this"
                f" {type(self).__name__} was fitted with"
                f" {self.n_channels_in_} channels x {self.n_times_in_} times"
            )
        return X

    def encode_y(self, X: NDArray[Any], y: ArrayLike) -> NDArray[np.int64]:
        """Remember the classes and return their codes."""
        labels = np.asarray(y)
        if labels.shape != (len(X),):
            raise ValueError(
                f"y has shape {labels.shape} for {len(X)} trials, expected ({len(X)},)"
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has one class only, {self.classes_[0]!r}: a classifier needs two or more"
            )
        return codes.astype(np.int64)

    def sampling_rate(self) -> float:
        """Return the sampling rate, from the parameter or from the mne.Epochs fitted on."""
        known = getattr(self, "sfreq", None) or getattr(self, "sfreq_", None)
        if known is None:
            raise ValueError(
                f"{type(self).__name__} needs the sampling rate:"
                f" {type(self).__name__}(sfreq=250.0), or fit it on mne.Epochs"
            )
        return float(known)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each trial."""
        told = self.predict_proba(X)
        return self.classes_[np.argmax(told, axis=1)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        raise NotImplementedError


class ClassicalClassifier(EEGClassifier):
    """A classifier that is a scikit-learn pipeline of named steps.

    Subclasses say which steps in `pipeline`. Leading steps that learn nothing (scikit-learn's
    tag ``requires_fit=False``) are computed once per data view by the evaluation.
    """

    def pipeline(self) -> Pipeline:
        """Return the unfitted steps."""
        raise NotImplementedError

    def feature_steps(self) -> Pipeline:
        """Return the steps whose features a fused network takes: all but the classifier."""
        return self.pipeline()[:-1]

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit on trials (n, channels, times) and their labels."""
        X = self.check_X(X, reset=True)
        self.encode_y(X, y)
        self.pipeline_ = self.pipeline().fit(X, np.asarray(y))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        check_is_fitted(self, "pipeline_")
        return probabilities(self.pipeline_, self.check_X(X))


def probabilities(model: Any, X: Any) -> NDArray[np.float64]:
    """Return class probabilities; a model that has none gets them from its decision function."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X), dtype=np.float64)
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(X), dtype=np.float64)
        scores = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)
    return (np.asarray(model.predict(X))[:, None] == model.classes_[None, :]).astype(np.float64)


def per_trial(model: Any) -> tuple[Pipeline | None, Any]:
    """Split a model into the leading steps that learn nothing and the rest.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import FunctionTransformer, StandardScaler
    >>> model = Pipeline(
    ...     [
    ...         ("log", FunctionTransformer(np.log)),
    ...         ("scale", StandardScaler()),
    ...         ("classify", LogisticRegression()),
    ...     ]
    ... )
    >>> leading, rest = per_trial(model)
    >>> list(leading.named_steps), list(rest.named_steps)
    (['log'], ['scale', 'classify'])
    """
    pipeline = model.pipeline() if isinstance(model, ClassicalClassifier) else model
    if not isinstance(pipeline, Pipeline):
        return None, model
    n_leading = 0
    probe: Any = np.random.default_rng(0).standard_normal((4, 4, 256))
    for _, step in pipeline.steps[:-1]:
        made = _made_of(step, probe)
        if made is None and not isinstance(step, PerTrial):
            break
        n_leading += 1
        probe = made
    if n_leading == 0:
        return None, pipeline
    return pipeline[:n_leading], pipeline[n_leading:]


def _made_of(step: Any, probe: Any) -> Any:
    """Return what a step makes of trials, or None if it learns or if trials change each other.

    The tag alone would not do: a function may be stateless and yet subtract the mean trial.
    """
    if step in (None, "passthrough") or probe is None:
        return probe
    step = clone(step)
    codes = np.array([0, 1, 0, 1])
    try:
        before = hash_of(vars(step))
        with np.errstate(all="ignore"):
            whole = np.asarray(step.fit(probe, codes).transform(probe))
            if isinstance(step, PerTrial):
                return whole
            alone = np.concatenate([step.transform(probe[i : i + 1]) for i in range(len(probe))])
        after = hash_of(vars(step))
    except Exception:  # whatever it says of the probe, it is not known to learn nothing
        return None
    if get_tags(step).requires_fit and before != after:
        return None
    same = whole.shape == alone.shape and np.allclose(whole, alone, equal_nan=True)
    return whole if same else None


def _refuse_non_finite(X: NDArray[Any]) -> None:
    if np.isfinite(X.sum(dtype=np.float64)):
        return
    trials, channels, _ = np.nonzero(~np.isfinite(X))
    if len(trials):
        raise ValueError(
            f"X contains NaN or infinity in {len(set(trials.tolist()))} of {len(X)} trials,"
            f" first in trial {trials[0]}, channel {channels[0]}:"
            " drop those trials or repair the channel before fitting"
        )
