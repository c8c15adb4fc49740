"""Features of classical branches that a fused network sees beside the signals."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier, EEGClassifier
from eegvit.features.crossfit import Standardised, cross_fitted
from eegvit.features.plain import split_leading
from eegvit.preprocess.signals import Signals


class FeaturesBeside:
    """What the classical ones among some branches make of a trial, as samples of its channels.

    Parameters
    ----------
    members : sequence of EEGClassifier
        Networks among them are left out.

    Attributes
    ----------
    shapes : list of tuple
        Of the features of a trial, for each classical branch; known after `learn`.

    Examples
    --------
    >>> from eegvit.branches.fbcsp import FBCSPClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, codes = rng.standard_normal((20, 4, 128)), np.arange(20) % 2
    >>> beside = FeaturesBeside([FBCSPClassifier(sfreq=128.0)])
    >>> beside.learn(X, codes, np.arange(20)).shape, beside.shapes
    ((20, 4, 9), [(9, 1, 4)])
    """

    def __init__(self, members: Sequence[EEGClassifier]) -> None:
        self.steps = [_steps(m) for m in members if isinstance(m, ClassicalClassifier)]
        self.learned: list[Standardised] = []
        self.shapes: list[tuple[int, ...]] = []

    def learn(
        self,
        X: Signals,
        codes: NDArray[np.int64],
        rows: NDArray[np.int64],
        people: NDArray[Any] | None = None,
    ) -> NDArray[np.float32] | None:
        """Return the features of all trials; some rows, of these people, are trained on.

        The features of these rows are cross-fitted, those of all others are as at test.
        """
        features = []
        for first, rest in self.steps:
            seen = _through(first, X)
            made, learned = cross_fitted(rest, seen[rows], codes[rows], people)
            whole = learned.transform(seen)
            whole[rows] = made
            features.append(whole)
            self.learned.append(learned)
            self.shapes.append(whole.shape[1:])
        return _packed(features, X)

    def of(self, X: Signals) -> NDArray[np.float32] | None:
        """Return the features of new trials, or None if no branch is classical."""
        pairs = zip(self.steps, self.learned, strict=True)
        return _packed([made.transform(_through(first, X)) for (first, _), made in pairs], X)

    def n_samples(self, n_channels: int) -> int:
        """Return how many samples of each channel the features take."""
        return -(-sum(map(prod, self.shapes)) // n_channels)


def _steps(member: ClassicalClassifier) -> tuple[Pipeline | None, Pipeline]:
    """Return the steps that learn nothing, which are applied once, and those that do."""
    steps = member.feature_steps()
    if not len(steps):
        raise ValueError(f"{type(member).__name__} makes no features to fuse")
    return split_leading(steps)


def _through(first: Pipeline | None, X: Signals) -> Signals:
    return X if first is None else np.asarray(first.fit_transform(X))


def _packed(features: Sequence[Signals], X: Signals) -> NDArray[np.float32] | None:
    from eegvit.networks.fusion.beside import packed

    return packed(features, X.shape[1]) if features else None
