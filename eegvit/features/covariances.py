"""Covariance of each trial, for all trials at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

Array = NDArray[np.float64]
Estimator = Literal["scm", "oas", "lwf"]
CHUNK = 2**18  # samples worked on at once: memory stays flat, and fast caches are used


class PerTrial(TransformerMixin, BaseEstimator):
    """A transformer that learns nothing: what it makes of a trial, no other trial changes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: NDArray[Any], y: Any = None) -> Self:
        """Do nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class PerRecording(PerTrial):
    """A transformer that learns nothing in `fit`, and is given the trials of one recording.

    What it makes of a trial, other trials of the recording change, and no others do.
    """

    def uses_of_session(self) -> frozenset[str]:
        """Return what it uses of a recording: "unlabelled" is all of it, "causal" what was."""
        return frozenset({"unlabelled"})


@dataclass(kw_only=True, eq=False, repr=False)
class Covariances(PerTrial):
    """Covariance of each trial.

    Parameters
    ----------
    estimator : {"scm", "oas", "lwf"}
        Sample covariance, or shrunk towards the identity by the rule of oracle
        approximation or of Ledoit and Wolf.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(5, 3, 100))
    >>> Covariances().fit_transform(X).shape
    (5, 3, 3)
    """

    estimator: Estimator = "oas"

    def transform(self, X: NDArray[Any]) -> Array:
        """Map (n, channels, times) to (n, channels, channels)."""
        rows = max(1, CHUNK // max(1, X.shape[1] * X.shape[2]))
        parts = [covariances(X[i : i + rows], self.estimator) for i in range(0, len(X), rows)]
        return np.concatenate(parts)


def covariances(X: NDArray[Any], estimator: Estimator = "scm") -> Array:
    """Return the covariance of the last axis, shape (..., channels, channels).

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(1, 3, 50))
    >>> bool(np.allclose(covariances(X)[0], np.cov(X[0], bias=True)))
    True
    """
    X = np.array(X, dtype=np.float64)
    X -= X.mean(axis=-1, keepdims=True)
    sample = X @ X.swapaxes(-1, -2) / X.shape[-1]
    if estimator == "lwf":
        return shrink(sample, ledoit_wolf_amount(sample, X))
    return regularised(sample, X.shape[-1], estimator)


def regularised(sample: Array, n_times: int, estimator: Literal["scm", "oas"]) -> Array:
    """Return what an estimator makes of the sample covariance of so many samples."""
    return shrink(sample, oas_amount(sample, n_times)) if estimator == "oas" else sample


def shrink(covariance: Array, amount: Array | float) -> Array:
    """Return covariances pulled towards a multiple of the identity by an amount in [0, 1]."""
    n = covariance.shape[-1]
    amount = np.asarray(amount, dtype=np.float64)[..., None, None]
    level = np.trace(covariance, axis1=-2, axis2=-1)[..., None, None] / n
    return (1 - amount) * covariance + amount * level * np.eye(n)


def oas_amount(sample: Array, n_times: int) -> Array:
    """Return the shrinkage of Chen et al. (2010) for each covariance."""
    n_channels = sample.shape[-1]
    energy = (sample**2).mean(axis=(-2, -1))
    level = np.trace(sample, axis1=-2, axis2=-1) / n_channels
    excess = (n_times + 1) * (energy - level**2 / n_channels)
    with np.errstate(divide="ignore", invalid="ignore"):
        amount = np.where(excess > 0, (energy + level**2) / excess, 1.0)
    return np.minimum(amount, 1.0)


def ledoit_wolf_amount(sample: Array, X: Array) -> Array:
    """Return the shrinkage of Ledoit and Wolf (2004) for each covariance."""
    n_channels, n_times = X.shape[-2:]
    level = np.trace(sample, axis1=-2, axis2=-1) / n_channels
    energy = (sample**2).sum(axis=(-2, -1))
    spread = ((X**2).sum(axis=-2) ** 2).mean(axis=-1)  # of the outer products
    distance = energy - n_channels * level**2
    error = np.minimum((spread - energy) / n_times, distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.where(distance > 0, error / distance, 1.0), 0.0, 1.0)
