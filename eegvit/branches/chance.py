"""Guessing: what any model must beat."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from eegvit.branches.base import ClassicalClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class ChanceClassifier(ClassicalClassifier):
    """Always the most frequent class; probabilities are the classes' shares in training.

    Notes
    -----
    The line that every other row is read against; it belongs in every study. Where classes are
    unequal its accuracy is the share of the larger one.

    Examples
    --------
    >>> import numpy as np
    >>> ChanceClassifier().fit(np.zeros((4, 3, 50)), ["a", "b", "b", "b"]).score(
    ...     np.zeros((2, 3, 50)), ["b", "b"]
    ... )
    1.0
    """

    def gives_features(self) -> bool:
        """Say no: there is nothing to see before the guess."""
        return False

    def pipeline(self) -> Pipeline:
        """Return the one step."""
        return Pipeline([("guess", DummyClassifier(strategy="prior"))])
