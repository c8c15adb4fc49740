"""Meta-learners: classifiers of the members' probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eegvit.ensemble.probabilities import CodeArray, FloatArray

SURE = 1e-3  # probabilities nearer to 0 than this count alike


@dataclass(frozen=True, eq=False)
class MetaLearner:
    """A fitted classifier of `evidence`, and the class codes that it knows."""

    model: Any
    classes: NDArray[np.int64]


def evidence(P: FloatArray) -> FloatArray:
    """Return what a meta-learner sees of each trial, shape (trials, features).

    Log probabilities against their mean over classes; the last class follows from the others.

    Examples
    --------
    >>> evidence(np.array([[[0.5, 0.5], [0.8, 0.2]]])).round(2).tolist()
    [[0.0], [0.69]]
    """
    logs = np.log(np.maximum(P, SURE))
    centred = logs - logs.mean(axis=2, keepdims=True)  # (members, trials, classes)
    return np.moveaxis(centred[:, :, :-1], 0, 1).reshape(P.shape[1], -1)


def logistic(P: FloatArray, y: CodeArray) -> MetaLearner:
    """Fit a logistic regression."""
    return _fitted(LogisticRegression(C=1.0, max_iter=2000), P, y)


def boosted(P: FloatArray, y: CodeArray) -> MetaLearner:
    """Fit shallow boosted trees (XGBoost)."""
    from xgboost import XGBClassifier

    trees = XGBClassifier(
        n_estimators=100, max_depth=2, learning_rate=0.1, min_child_weight=5, n_jobs=1
    )
    return _fitted(trees, P, y)


def meta(P: FloatArray, learned: MetaLearner) -> FloatArray:
    """Return the meta-learner's probabilities; classes that it never saw get none.

    Examples
    --------
    >>> P, y = np.array([[[0.8, 0.2], [0.3, 0.7]] * 10]), np.array([0, 1] * 10)
    >>> meta(P, logistic(P, y)).argmax(axis=1)[:4].tolist()
    [0, 1, 0, 1]
    """
    told = np.zeros(P.shape[1:])
    told[:, learned.classes] = learned.model.predict_proba(evidence(P))
    return told / told.sum(axis=1, keepdims=True)


def shares(learned: MetaLearner, n_members: int) -> FloatArray:
    """Return how much a meta-learner goes by each member; the shares sum to one.

    Of a logistic regression they are shares of the absolute coefficients, of boosted trees
    those of the gain. A meta-learner that goes by nobody has no shares but zeros.

    Examples
    --------
    >>> good = np.tile([[0.8, 0.2], [0.3, 0.7]], (10, 1))
    >>> P, y = np.stack([good, np.full((20, 2), 0.5)]), np.array([0, 1] * 10)
    >>> shares(logistic(P, y), 2).tolist()
    [1.0, 0.0]
    """
    model = learned.model
    linear = hasattr(model, "coef_")
    of_feature = abs(model.coef_).sum(axis=0) if linear else model.feature_importances_
    found = np.asarray(of_feature, np.float64).reshape(n_members, -1).sum(axis=1)
    total = found.sum()
    return found / total if total > 0 else np.zeros(n_members)


def _fitted(model: Any, P: FloatArray, y: CodeArray) -> MetaLearner:
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError("y has one class only: a meta-learner needs two or more")
    return MetaLearner(model.fit(evidence(P), codes), classes)
