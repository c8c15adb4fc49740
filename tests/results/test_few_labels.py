"""Scores by the number of labels: means, pairs of model and control, tests, what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eegvit.config import Card, Evaluate, Model, Study
from eegvit.plan.splits.split import Labels
from eegvit.results.few_labels import describe_efficiency, interval
from eegvit.results.outcomes import Outcome

CARD = Card(name="arrays", source="files", classes=("a", "b"), window=(0.0, 1.0))
MODELS = {
    "scratch": Model(branch="eegnet", pretrain={"objective": "none", "steps": 9}),
    "pre": Model(branch="eegnet", pretrain={"steps": 9}),
    "csp": Model(branch="csp_lda"),
}
N = 20


def study() -> Study:
    evaluate = Evaluate(label_fraction=(1.0, 0.1), draws=2)
    return Study(name="s", data=(CARD,), evaluate=evaluate, models=MODELS)


def outcome(model: str, subject: int, labels: Labels, right: int, **more: Any) -> Outcome:
    """Return an outcome with so many right of N trials."""
    y = np.arange(N) % 2
    told = np.where(np.arange(N) < right, y, 1 - y)
    about = {
        "ids": np.array([f"{subject}/{i}" for i in range(N)]),
        "data": np.full(N, "arrays"),
        "subject": np.full(N, str(subject)),
        "session": np.full(N, "0"),
        "y": y,
        "probabilities": np.eye(2)[told] * 0.8 + 0.1,
        **more,
    }
    key = f"{model}/{subject}/{labels}"
    return Outcome(model, f"{subject} left out", 0, key, "none", labels=labels, **about)


def right_of(model: str, subject: int, labels: Labels) -> int:
    return 10 + subject % 3 + (3 + labels.draw if model == "pre" and labels.amount < 1 else 0)


def made() -> list[Outcome]:
    amounts = [Labels(0.1, 0, 4), Labels(0.1, 1, 6), Labels(1.0, 0, 40)]
    return [
        outcome(model, subject, labels, right_of(model, subject, labels))
        for model in MODELS
        for subject in range(1, 7)
        for labels in amounts
    ]


def test_means_gains_and_tests_by_hand() -> None:
    found = describe_efficiency(study(), made(), 2)
    assert found.amounts == (0.1, 1.0) and len(found.points) == 6
    assert found.point("pre", 0.1).n_labels == 5
    per_subject = [
        np.mean([right_of("pre", s, Labels(0.1, d)) for d in (0, 1)]) / N for s in range(1, 7)
    ]
    assert list(found.point("pre", 0.1).subjects.values()) == pytest.approx(per_subject)
    assert found.point("pre", 0.1).mean == pytest.approx(np.mean(per_subject))
    few, all_labels = found.gains
    assert (few.model, few.control, few.amount, few.n_subjects) == ("pre", "scratch", 0.1, 6)
    assert few.difference == pytest.approx(3.5 / N)
    assert few.p == pytest.approx(2 / 2**6) and few.p_holm == pytest.approx(2 * few.p)
    assert all_labels.difference == 0 and all_labels.p == all_labels.p_holm == 1


def test_a_fit_that_is_missing_takes_its_mean_and_its_gain() -> None:
    outcomes = made()
    place = next(i for i, o in enumerate(outcomes) if o.model == "pre" and o.labels.draw == 1)
    lost = outcomes[place]
    outcomes[place] = outcome(
        "pre", 1, lost.labels, 0, probabilities=None, reason="no memory", failed=True
    )
    found = describe_efficiency(study(), outcomes, 2)
    point = found.point("pre", 0.1)
    assert np.isnan(point.mean) and point.reason == "1 of 12 fits: no memory"
    gains = {gain.amount: gain for gain in found.gains}
    assert np.isnan(gains[0.1].difference) and gains[1.0].difference == 0
    assert found.point("scratch", 0.1).mean > 0.5


def test_the_interval_covers_draws_as_well_as_people() -> None:
    rng = np.random.default_rng(0)
    still = np.repeat(rng.normal(0.7, 0.05, (8, 1)), 4, axis=1)
    restless = still + np.tile([-0.2, 0.2, -0.2, 0.2], (8, 1))
    narrow, wide = (high - low for low, high in map(interval, (still, restless)))
    assert wide > 1.5 * narrow > 0
    assert np.isnan(interval(still[:1])).all()
