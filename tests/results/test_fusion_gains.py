"""What fused models gain is what a hand would count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eegvit.config import Card, Evaluate, Model, Study
from eegvit.results.fusion_gains import branches_alone, fusion_gains
from eegvit.results.leaderboard import BoardRow, make_board

TRAINING = {"epochs": 3}
BRANCHES = [{"branch": "fbcsp"}, {"branch": "eegnet", "dropout": 0.5}]
ALONE = {
    "csp": Model(branch="fbcsp"),
    "other": Model(branch="eegnet", parameters=TRAINING),
    "net": Model(branch="eegnet", parameters={**TRAINING, "dropout": 0.5}),
}
SCORES = {
    "csp": {"1": 0.6, "2": 0.8},
    "other": {"1": 0.9, "2": 0.9},
    "net": {"1": 0.8, "2": 0.7},
    "both": {"1": 0.9, "2": 0.7},
}


def made(metric: str = "accuracy", **fused: object) -> Study:
    both = Model(branch="fusion", parameters={"branches": BRANCHES, **TRAINING, **fused})
    return Study(
        name="s",
        data=(
            Card(name="d", source="simulated", classes=("left_hand", "right_hand"), window=(0, 2)),
        ),
        evaluate=Evaluate(protocol="cross_subject", metric=metric),
        models={**ALONE, "both": both},
    )


def rows(study: Study, **changes: object) -> list[BoardRow]:
    found = []
    for row in make_board(study, [], {}):
        subjects = SCORES[row.model]
        mean = sum(subjects.values()) / 2
        sd = {"both": 0.03, "net": 0.04}.get(row.model, float("nan"))
        found.append(replace(row, status="ok", mean=mean, subjects=subjects, seed_sd=sd, **changes))
    return found


def test_the_gain_is_over_the_better_branch() -> None:
    study = made()
    (gain,) = fusion_gains(study, rows(study))
    assert gain.alone == pytest.approx({"csp": 0.7, "net": 0.75}) and gain.better == "net"
    assert gain.difference == pytest.approx(0.05) and gain.spread == pytest.approx(0.05)
    assert (gain.n_above, gain.n_subjects) == (1, 2)
    assert gain.p == gain.p_holm == 1.0


def test_a_smaller_loss_is_better() -> None:
    study = made("log_loss")
    (gain,) = fusion_gains(study, rows(study))
    assert gain.better == "csp" and gain.difference == pytest.approx(0.1)
    assert (gain.n_above, gain.n_subjects) == (1, 2)


def test_branches_must_be_there_on_the_same_terms() -> None:
    models, longer = made().models, made(epochs=9).models
    assert branches_alone(models, models["both"]) == ["csp", "net"]
    assert branches_alone({**models, "net": models["other"]}, models["both"]) == []
    assert branches_alone(longer, longer["both"]) == ["csp", "net"]
    assert branches_alone(models, models["net"]) == []
    smaller = models["net"].model_copy(update={"prune": {"to": 0.5}})
    assert branches_alone({**models, "net": smaller}, models["both"]) == []


def test_branches_that_are_trained_otherwise_are_marked() -> None:
    for changes, marked in (({}, ()), ({"epochs": 9}, ("net",)), ({"augment": "noise"}, ("net",))):
        study = made(**changes)
        (gain,) = fusion_gains(study, rows(study))
        assert gain.otherwise == marked
    study = made(epochs=None)  # 40 epochs by default, the branch alone has 3
    assert fusion_gains(study, rows(study))[0].otherwise == ("net",)


def test_what_is_not_complete_is_not_compared() -> None:
    study = made()
    for model in ("both", "csp"):
        failed = [replace(r, status="failed") if r.model == model else r for r in rows(study)]
        assert fusion_gains(study, failed) == []
