"""Every metric against scikit-learn, and what happens when a class is absent."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from eegvit.results.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    OF_CONFUSION,
    confusion,
    reliability,
    roc_auc,
    scores,
    scores_of_groups,
)


def guesses(n_classes: int, n_trials: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_trials)
    logits = rng.normal(size=(n_trials, n_classes)) + np.eye(n_classes)[y]
    probabilities = np.exp(logits)
    # two decimals make ties, as small forests do
    probabilities = np.round(probabilities / probabilities.sum(1, keepdims=True), 2)
    return y, probabilities / probabilities.sum(1, keepdims=True)


def expected(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    predicted = probabilities.argmax(1)
    n_classes = probabilities.shape[1]
    areas = (
        reference.roc_auc_score(y, probabilities[:, 1])
        if n_classes == 2
        else reference.roc_auc_score(y, probabilities, multi_class="ovr")
    )
    clipped = np.clip(probabilities, 1e-7, 1)
    clipped /= clipped.sum(1, keepdims=True)
    return {
        "accuracy": reference.accuracy_score(y, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(y, predicted),
        "kappa": reference.cohen_kappa_score(y, predicted),
        "macro_f1": reference.f1_score(y, predicted, average="macro"),
        "roc_auc": areas,
        "log_loss": reference.log_loss(y, clipped, labels=range(n_classes)),
        "brier": reference.brier_score_loss(
            y, probabilities, labels=range(n_classes), scale_by_half=False
        ),
    }


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(n_classes: int, seed: int) -> None:
    y, probabilities = guesses(n_classes, seed=seed)
    ours = scores(y, probabilities)
    for name, value in expected(y, probabilities).items():
        assert ours[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("n_classes", [2, 4])
def test_groups_at_once_are_scored_as_each_alone(n_classes: int) -> None:
    """Groups of as many trials share arrays; what each gets is, bit for bit, what it gets alone."""
    rng = np.random.default_rng(n_classes)
    sizes = [40, 41, 40, 200, 40, 1, 1]
    y, probabilities = guesses(n_classes, sum(sizes))
    groups = np.split(rng.permutation(len(y)), np.cumsum(sizes)[:-1])
    told = scores_of_groups(y, probabilities, groups)
    for rows, ours in zip(groups, told, strict=True):
        assert list(ours) == list(METRICS)
        np.testing.assert_equal(ours, scores(y[rows], probabilities[rows]))
    for rows, ours in zip(groups[:5], told, strict=False):
        for name, value in expected(y[rows], probabilities[rows]).items():
            assert ours[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_agrees_on_few_trials_with_ties() -> None:
    rng = np.random.default_rng(0)
    seen = 0
    for n_trials in list(range(4, 12)) * 12:
        n_classes = int(rng.integers(2, 5))
        y = rng.integers(0, n_classes, n_trials)
        if len(np.unique(y)) < n_classes:
            continue
        probabilities = rng.integers(1, 4, (n_trials, n_classes)).astype(np.float64)
        probabilities /= probabilities.sum(1, keepdims=True)
        ours = scores(y, probabilities)
        for name, value in expected(y, probabilities).items():
            assert ours[name] == pytest.approx(value, abs=1e-6), name
        seen += 1
    assert seen > 30


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_absent_class_is_left_out_of_averages() -> None:
    y, probabilities = guesses(4, seed=3)
    kept = y != 2
    y, probabilities = y[kept], probabilities[kept]
    ours = scores(y, probabilities)
    predicted = probabilities.argmax(1)
    assert ours["balanced_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(y, predicted)
    )
    assert ours["macro_f1"] == pytest.approx(reference.f1_score(y, predicted, average="macro"))
    areas = [reference.roc_auc_score(y == k, probabilities[:, k]) for k in (0, 1, 3)]
    assert ours["roc_auc"] == pytest.approx(np.mean(areas))


def test_one_class_only() -> None:
    y = np.zeros(10, dtype=np.int64)
    probabilities = np.tile([0.7, 0.3], (10, 1))
    ours = scores(y, probabilities)
    assert np.isnan(ours["roc_auc"]) and np.isnan(ours["kappa"])
    assert ours["accuracy"] == ours["balanced_accuracy"] == ours["macro_f1"] == 1.0
    assert ours["calibration_error"] == pytest.approx(0.3)


def test_ties_in_scores_count_half() -> None:
    y = np.array([0, 1, 0, 1])
    assert roc_auc(y, np.full((4, 2), 0.5)) == 0.5


def test_log_loss_of_a_confident_mistake_is_finite() -> None:
    value = METRICS["log_loss"](np.array([0]), np.array([[0.0, 1.0]]))
    assert value == pytest.approx(-np.log(1e-7))
    single = METRICS["log_loss"](np.array([0]), np.array([[0.0, 1.0]], dtype=np.float32))
    assert single == value


def test_calibration_error_by_hand() -> None:
    # bin (0.8, 0.9]: confidence 0.9, three of four right; bin (0.5, 0.6]: 0.6, none of one
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]])
    y = np.array([0, 0, 0, 1, 1])
    by_hand = (4 * abs(0.9 - 0.75) + 1 * 0.6) / 5
    assert METRICS["calibration_error"](y, probabilities) == pytest.approx(by_hand)
    trials, confidence, correct = reliability(y, probabilities)
    assert trials.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 4, 0]
    assert confidence[8] == pytest.approx(3.6) and correct[8] == 3


def test_calibrated_guesser_has_little_calibration_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1.0, 20_000)
    y = (rng.random(20_000) > sure).astype(np.int64)
    assert METRICS["calibration_error"](y, np.stack([sure, 1 - sure], 1)) < 0.02


@pytest.mark.parametrize("name", METRICS)
def test_better_predictions_score_better(name: str) -> None:
    y, poor = guesses(3, seed=1)
    good = 0.5 * poor + 0.5 * np.eye(3)[y]
    better, worse = METRICS[name](y, good), METRICS[name](y, poor)
    if name == "calibration_error":
        return  # sharper is not better calibrated
    assert better < worse if name in LOWER_IS_BETTER else better > worse


@pytest.mark.parametrize("name", METRICS)
def test_order_of_trials_does_not_matter(name: str) -> None:
    y, probabilities = guesses(4, seed=2)
    order = np.random.default_rng(1).permutation(len(y))
    assert METRICS[name](y[order], probabilities[order]) == pytest.approx(
        METRICS[name](y, probabilities), abs=1e-12
    )


def test_confusion_is_true_by_predicted() -> None:
    y, predicted = np.array([0, 0, 1, 2]), np.array([1, 0, 1, 0])
    assert np.array_equal(confusion(y, predicted, 3), reference.confusion_matrix(y, predicted))


@pytest.mark.parametrize("name", OF_CONFUSION)
def test_many_confusion_matrices_at_once_are_each_alone(name: str) -> None:
    counts = np.random.default_rng(0).integers(0, 9, (2, 5, 3, 3))
    each = [[OF_CONFUSION[name](one) for one in row] for row in counts]
    np.testing.assert_allclose(OF_CONFUSION[name](counts), each)


def test_fewer_trials_than_classes() -> None:
    ours = scores(np.array([0, 2]), np.array([[0.1, 0.2, 0.7], [0.2, 0.1, 0.7]]))
    assert (ours["accuracy"], ours["balanced_accuracy"], ours["macro_f1"]) == (0.5, 0.5, 1 / 3)
