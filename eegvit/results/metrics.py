"""Scores of predicted probabilities, and what they mean when a class is absent.

A prediction is the class of highest probability (the first of equals). Classes that do not
occur among the test trials are left out of the averages over classes; a score that is not
defined for the trials at hand (ROC-AUC of a single class) is nan.

Trials are the last axis of y and the last but one of probabilities: axes before them are groups of
as many trials, scored all at once. scikit-learn's metrics give the same, which the tests check;
they take thirty times as long for a hundred trials, and no stack of confusion matrices, from which
chance bounds are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

SMALLEST_PROBABILITY = 1e-7  # keeps the log loss of a confident mistake finite
N_BINS = 10


def confusion(y: CodeArray, predicted: CodeArray, n_classes: int) -> CodeArray:
    """Return counts of trials, true class by predicted class.

    Examples
    --------
    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = _counted(np.asarray(y) * n_classes + np.asarray(predicted), n_classes**2)
    return counts.astype(np.int64).reshape(*counts.shape[:-1], n_classes, n_classes)


def confusion_accuracy(counts: NDArray) -> FloatArray:
    """Return the share of trials on the diagonal; counts are (..., true, predicted)."""
    return _divide(np.trace(counts, axis1=-2, axis2=-1), counts.sum((-2, -1)))


def confusion_balanced_accuracy(counts: NDArray) -> FloatArray:
    """Return the mean recall over the classes that occur."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return _mean_defined(_divide(hits, counts.sum(-1)))


def confusion_kappa(counts: NDArray) -> FloatArray:
    """Return Cohen's kappa; nan where agreement by chance is certain."""
    total = counts.sum((-2, -1))
    observed = confusion_accuracy(counts)
    expected = _divide((counts.sum(-1) * counts.sum(-2)).sum(-1), total * total)
    return _divide(observed - expected, 1.0 - expected)


def confusion_macro_f1(counts: NDArray) -> FloatArray:
    """Return the mean F1 over the classes that occur or are predicted."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return _mean_defined(_divide(2.0 * hits, counts.sum(-1) + counts.sum(-2)))


OF_CONFUSION: dict[str, Callable[[NDArray], FloatArray]] = {
    "accuracy": confusion_accuracy,
    "balanced_accuracy": confusion_balanced_accuracy,
    "kappa": confusion_kappa,
    "macro_f1": confusion_macro_f1,
}


def accuracy(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the share of trials whose most probable class is the true one.

    Examples
    --------
    >>> accuracy(np.array([[0, 1], [0, 0]]), np.array([[[0.8, 0.2], [0.6, 0.4]]] * 2)).tolist()
    [0.5, 1.0]
    """
    return confusion_accuracy(_counts(y, probabilities))


def balanced_accuracy(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the mean recall over the classes that occur in y."""
    return confusion_balanced_accuracy(_counts(y, probabilities))


def kappa(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return Cohen's kappa: agreement beyond what the class frequencies give by chance."""
    return confusion_kappa(_counts(y, probabilities))


def macro_f1(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the mean F1 over the classes that occur in y or are predicted."""
    return confusion_macro_f1(_counts(y, probabilities))


def roc_auc(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the area under the ROC curve, one class against the rest, averaged over classes.

    With two classes it is the usual area, with the second class as the positive one. Classes
    absent from y are left out; with one class only the area is nan.
    """
    n, n_classes = probabilities.shape[-2:]
    chosen = slice(1, 2) if n_classes == 2 else slice(None)
    positive = np.asarray(y)[..., None] == np.arange(n_classes)[chosen]
    ranks = rankdata(
        probabilities[..., chosen], axis=-2
    )  # the mean rank of equals: ties are halves
    n_positive = positive.sum(-2)
    above = np.where(positive, ranks, 0.0).sum(-2) - n_positive * (n_positive + 1) / 2
    return _mean_defined(_divide(above, n_positive * (n - n_positive)))


def log_loss(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the mean negative log probability of the true class, in nats.

    Probabilities are clipped at `SMALLEST_PROBABILITY`.

    Examples
    --------
    >>> log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])).round(4).item()
    0.6931
    """
    told = np.asarray(probabilities, np.float64)
    of_truth = np.take_along_axis(told, np.asarray(y)[..., None], -1)[..., 0]
    return -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0)).mean(-1)


def brier(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the Brier score: the mean over trials of squared errors, summed over classes.

    From 0 to 2, as Brier defined it; the score of two classes is twice that of one of them.

    Examples
    --------
    >>> brier(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])).item()
    0.5
    """
    told = np.asarray(probabilities, np.float64)
    truth = np.eye(told.shape[-1])[y]
    return ((told - truth) ** 2).sum(axis=-1).mean(axis=-1)


def calibration_error(y: CodeArray, probabilities: FloatArray) -> FloatArray:
    """Return the expected calibration error of the most probable class.

    The distance between confidence and accuracy in ten bins of equal width, weighted by the
    trials in each bin [1]_.

    References
    ----------
    .. [1] Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    trials, confidence, correct = reliability(y, probabilities)
    return np.abs(confidence - correct).sum(-1) / trials.sum(-1)


def reliability(
    y: CodeArray, probabilities: FloatArray
) -> tuple[CodeArray, FloatArray, FloatArray]:
    """Return per confidence bin: trials, summed confidence, number of correct trials."""
    top = np.asarray(probabilities, np.float64).max(-1)
    correct = (probabilities.argmax(-1) == y).astype(np.float64)
    # bins are (0, 0.1], (0.1, 0.2], ... so that certainty falls into the last one
    which = np.clip(np.ceil(top * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    trials = _counted(which, N_BINS).astype(np.int64)
    return trials, _counted(which, N_BINS, top), _counted(which, N_BINS, correct)


METRICS: dict[str, Callable[[CodeArray, FloatArray], FloatArray]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "kappa": kappa,
    "macro_f1": macro_f1,
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "brier": brier,
    "calibration_error": calibration_error,
}
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error"})


def scores(y: CodeArray, probabilities: FloatArray) -> dict[str, float]:
    """Return every metric of these trials.

    Examples
    --------
    >>> scores(np.array([0, 1]), np.array([[0.9, 0.1], [0.1, 0.9]]))["roc_auc"]
    1.0
    """
    return scores_of_groups(y, probabilities, [np.arange(len(y))])[0]


def scores_of_groups(
    y: CodeArray, probabilities: FloatArray, groups: Sequence[CodeArray]
) -> list[dict[str, float]]:
    """Return every metric of each group of trials: those of as many trials all at once.

    Parameters
    ----------
    y : array, shape (n,)
    probabilities : array, shape (n, classes)
    groups : sequence of array of int
        Which trials.

    Examples
    --------
    >>> y, sure = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    >>> of_each = scores_of_groups(y, sure, [np.array([0, 1]), np.array([2])])
    >>> [one["accuracy"] for one in of_each]
    [1.0, 0.0]
    """
    of_size: dict[int, list[int]] = {}
    for number, rows in enumerate(groups):
        of_size.setdefault(len(rows), []).append(number)
    found: list[dict[str, float]] = [{} for _ in groups]
    for numbers in of_size.values():
        rows = np.stack([groups[number] for number in numbers])
        truth, told = y[rows], probabilities[rows]
        counts = _counts(truth, told)
        for name, metric in METRICS.items():
            own = OF_CONFUSION[name](counts) if name in OF_CONFUSION else metric(truth, told)
            for number, value in zip(numbers, own.tolist(), strict=True):
                found[number][name] = value
    return found


def _counts(y: CodeArray, probabilities: FloatArray) -> CodeArray:
    return confusion(y, probabilities.argmax(-1), probabilities.shape[-1])


def _counted(which: CodeArray, n: int, weights: FloatArray | None = None) -> NDArray[Any]:
    """Return how often each of n numbers occurs along the last axis, or what it weighs."""
    n_groups = math.prod(which.shape[:-1])
    at = which.reshape(n_groups, -1) + n * np.arange(n_groups)[:, None]
    own = None if weights is None else weights.reshape(-1)
    counts = np.bincount(at.reshape(-1), own, minlength=n_groups * n)
    return counts.reshape(*which.shape[:-1], n)


def _divide(above: NDArray, below: NDArray) -> FloatArray:
    below = np.asarray(below, np.float64)
    shape = np.broadcast_shapes(np.shape(above), below.shape)
    return np.divide(above, below, out=np.full(shape, np.nan), where=below != 0)


def _mean_defined(values: FloatArray) -> FloatArray:
    """Mean over the last axis of what is not nan; nan where nothing is."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(-1), defined.sum(-1))
