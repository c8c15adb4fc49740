"""What every branch shares: what it says of itself, checks of its input, labels, steps."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from eegvit.features.plain import (
    CLASSICAL,
    Classifier,
    Plain,
    fit_parameters,
    home_of,
    packages_of,
    split_leading,
)
from eegvit.preprocess.signals import EEG, Signals, read
from eegvit.registry import BRANCHES, lookup, suggest

LEAST = np.finfo(np.float64).tiny  # a probability below it is one


class Estimator(Protocol):
    """What a plan, its keys and its execution ask of an estimator: they know no class by name."""

    def identity(self) -> dict[str, Any]:
        """Return the parameters, defaults included, that decide what it computes."""

    def packages(self) -> frozenset[str]:
        """Return the names of the packages whose versions decide what it computes."""

    def per_trial(self) -> tuple[Pipeline | None, Classifier]:
        """Return the leading steps that learn nothing, if any, and what is fitted behind them."""

    def fit_takes(self) -> frozenset[str]:
        """Return what `fit` takes beside trials and labels, such as groups and checkpoint."""

    def takes_seed(self) -> bool:
        """Say whether a seed changes what it computes."""

    def uses_of_session(self) -> frozenset[str]:
        """Return what it uses of whom it predicts: "causal", "unlabelled", "class shares"."""

    def by_session(self) -> bool:
        """Say whether it must be asked about one session at a time, as its trials change it."""

    def training(self) -> object:
        """Return how a network is trained, to be compared; None where none is."""

    def trains_together(self) -> bool:
        """Say whether `fit_together` may train several of it at once."""


def about(model: Any) -> Estimator:
    """Return what says of a classifier what there is to know: itself, if it is of this house.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> about(SVC(C=2)).identity()["C"], sorted(about(SVC()).packages())
    (2, ['numpy', 'pyriemann', 'scikit-learn', 'scipy'])
    """
    return model if isinstance(model, EEGClassifier) else Plain(model)


class EEGClassifier(ClassifierMixin, BaseEstimator):
    """Checks shared by all classifiers of EEG trials; subclasses are keyword-only dataclasses.

    Each says what a plan asks of it, see `Estimator`.
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def identity(self) -> dict[str, Any]:
        """Return the parameters, defaults included, that decide what it computes."""
        return dict(self.get_params(deep=False))

    def packages(self) -> frozenset[str]:
        """Return the names of the packages whose versions decide what it computes."""
        return CLASSICAL | home_of(self)

    def per_trial(self) -> tuple[Pipeline | None, Classifier]:
        """Return the leading steps that learn nothing, if any, and what is fitted behind them."""
        return None, self

    def fit_takes(self) -> frozenset[str]:
        """Return what `fit` takes beside trials and labels, such as groups and checkpoint."""
        return fit_parameters(self)

    def takes_seed(self) -> bool:
        """Say whether a seed changes what it computes."""
        return "random_state" in self.get_params(deep=False)

    def uses_of_session(self) -> frozenset[str]:
        """Return what it uses of whom it predicts, beside the trial: mostly nothing."""
        return frozenset()

    def by_session(self) -> bool:
        """Say whether it must be asked about one session at a time, as its trials change it."""
        return False

    def training(self) -> object:
        """Return how a network is trained, to be compared; None where none is."""
        return None

    def trains_together(self) -> bool:
        """Say whether `fit_together` may train several of it at once."""
        return False

    def gives_features(self) -> bool:
        """Say whether a fused model can take its features."""
        return False

    def of_data(self, name: str) -> Any:
        """Return what the parameters say of the data: `sfreq`, `ch_names`, or None."""
        return getattr(self, name, None)

    def check_X(self, X: EEG, *, reset: bool = False) -> Signals:
        """Return X as an array (n, channels, times), or say what is wrong with it.

        With ``reset=True`` shape, sampling rate and channels are remembered; without, they must
        be the remembered ones. Channels of an `mne.Epochs` are put in the remembered order.
        """
        if reset:
            self.sfreq_: float | None = self.of_data("sfreq")
            self.ch_names_: tuple[str, ...] | None = self.of_data("ch_names")
        who = f"this {type(self).__name__}"
        found = read(X, who, sfreq=self.sfreq_, ch_names=self.ch_names_)
        signals = found.X
        if reset:
            self.sfreq_, self.ch_names_ = found.sfreq, found.ch_names
            self.n_channels_in_, self.n_times_in_ = map(int, signals.shape[1:])
        elif signals.shape[1:] != (self.n_channels_in_, self.n_times_in_):
            raise ValueError(
                f"X has {signals.shape[1]} channels x {signals.shape[2]} times, but this"
                f" {type(self).__name__} was fitted with"
                f" {self.n_channels_in_} channels x {self.n_times_in_} times"
            )
        return signals

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

    def predict(self, X: EEG) -> NDArray[Any]:
        """Return the most probable class of each trial."""
        told = self.predict_proba(X)
        return self.classes_[np.argmax(told, axis=1)]

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        raise NotImplementedError

    def predict_log_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each class, shape (trials, classes)."""
        return np.log(np.maximum(self.predict_proba(X), LEAST))

    def decision_function(self, X: EEG) -> NDArray[np.float64]:
        """Return how much speaks for each class, in logarithms of probabilities.

        Of two classes it is the odds of the second, shape (trials,); of more, shape (trials,
        classes).
        """
        logs = self.predict_log_proba(X)
        return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs


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

    def packages(self) -> frozenset[str]:
        """Return the packages of the steps."""
        return packages_of(self.pipeline()) | home_of(self)

    def per_trial(self) -> tuple[Pipeline | None, Classifier]:
        """Split the steps."""
        return split_leading(self.pipeline())

    def gives_features(self) -> bool:
        """Say yes: those that its classifier would see."""
        return True

    def fit(self, X: EEG, y: ArrayLike) -> Self:
        """Fit on trials (n, channels, times) and their labels."""
        X = self.check_X(X, reset=True)
        self.encode_y(X, y)
        self.pipeline_ = self.pipeline().fit(X, np.asarray(y))
        return self

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        check_is_fitted(self, "pipeline_")
        return probabilities(self.pipeline_, self.check_X(X))


def probabilities(model: Classifier, X: Any) -> NDArray[np.float64]:
    """Return class probabilities; a model that has none gets them from its decision function."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X), dtype=np.float64)
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(X), dtype=np.float64)
        scores = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)
    return (np.asarray(model.predict(X))[:, None] == model.classes_[None, :]).astype(np.float64)


def branch(given: str | Mapping[str, Any]) -> EEGClassifier:
    """Return the branch that a name, or a mapping of `branch` and its parameters, stands for.

    Examples
    --------
    >>> branch({"branch": "eegnet", "dropout": 0.5})
    EEGNetClassifier(dropout=0.5)
    """
    parameters = {"branch": given} if isinstance(given, str) else dict(given)
    cls = lookup(BRANCHES, str(parameters.pop("branch", "")))
    known = inspect.signature(cls).parameters
    for name in parameters:
        if name not in known:
            raise ValueError(f"{cls.__name__} has no parameter '{name}'{suggest(name, known)}")
    made: EEGClassifier = cls(**parameters)
    return made


def identified(model: EEGClassifier) -> dict[str, Any]:
    """Return what identifies an estimator that is a part of another: its class, its identity.

    Examples
    --------
    >>> identified(branch({"branch": "mdm", "estimator": "scm"}))
    {'class': 'eegvit.branches.mdm.MDMClassifier', 'estimator': 'scm'}
    """
    return {"class": f"{type(model).__module__}.{type(model).__qualname__}"} | model.identity()


def refuse_other_data(
    model: Classifier, sfreq: float | None = None, ch_names: Sequence[str] | None = None
) -> None:
    """Refuse an estimator that was made for another rate or other channels than those known.

    Examples
    --------
    >>> refuse_other_data(branch({"branch": "snn", "sfreq": 128.0}), sfreq=250.0)
    Traceback (most recent call last):
    ValueError: SpikingClassifier has sfreq=128.0, but the trials have 250.0
    """
    for name, value in model.get_params().items():
        known = {"sfreq": sfreq, "ch_names": ch_names}.get(name.rpartition("__")[2])
        if known is None or value is None:
            continue
        if tuple(np.atleast_1d(value)) != tuple(np.atleast_1d(known)):
            raise ValueError(
                f"{type(model).__name__} has {name}={value!r}, but the trials have {known!r}"
            )


def warn_without_groups(what: str) -> None:
    """Warn that nobody said whose the trials are, so that folds over them mix people."""
    warnings.warn(
        f"groups were not given, so {what} may have trials of one person on both sides, which"
        " teaches to trust what knows the person. fit(X, y, groups=...) says whose each trial is",
        stacklevel=3,
    )
