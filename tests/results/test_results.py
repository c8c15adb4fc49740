"""From outcomes to rows, ranks and tests, on predictions made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Align, Card, Ensemble, Evaluate, Model, Study
from eegvit.data.folders import natural
from eegvit.results.outcomes import Outcome
from eegvit.results.results import Results, tabulate

CLASSES = ("left", "right")


def make_study(models: dict[str, Model] | None = None, **evaluate: object) -> Study:
    card = Card(name="pair", source="simulated", classes=CLASSES, window=(0, 1), simulated=True)
    return Study(
        name="by_hand",
        data=(card,),
        align=Align(method="none"),
        evaluate=Evaluate(**({"seeds": (0, 1)} | evaluate)),
        models=models or {"good": Model(branch="csp_lda"), "poor": Model(branch="mdm")},
    )


def outcome(model: str, subject: str, seed: int, n_right: int, n: int = 10) -> Outcome:
    """Predict so that the first `n_right` of `n` trials are right, over two sessions."""
    y = np.arange(n) % 2
    predicted = np.where(np.arange(n) < n_right, y, 1 - y)
    session = np.where(np.arange(n) < n // 2, "0", "1")
    return Outcome(
        model=model,
        split=f"{subject} left out",
        seed=seed,
        key=f"{model}/{subject}/{seed}",
        target="none",
        ids=np.array([f"{subject}/{s}/0/{i}" for i, s in enumerate(session)]),
        data=np.full(n, "pair"),
        subject=np.full(n, subject),
        session=session,
        y=y,
        probabilities=0.8 * np.eye(2)[predicted] + 0.1,
        seconds={"features": 3.0, "fit": 1.0, "predict": 0.5},
        features={"a": 1.0, "b": 2.0},
        n_parameters=7,
    )


def everything() -> list[Outcome]:
    made = []
    for subject, right in {"1": 9, "2": 7, "10": 8}.items():
        for seed in (0, 1):
            made.append(outcome("good", subject, seed, right + (seed if subject == "1" else 0)))
            made.append(outcome("poor", subject, seed, right - 2))
    return made


def failed(one: Outcome) -> Outcome:
    return replace(one, probabilities=None, failed=True, reason="ValueError: no", seconds={})


def row(results: Results, model: str):  # type: ignore[no-untyped-def]
    return next(r for r in results.board if r.model == model)


def test_scores_by_hand() -> None:
    results = tabulate(make_study(), CLASSES, everything())
    good = row(results, "good")
    assert good.subjects == pytest.approx({"1": 0.95, "2": 0.7, "10": 0.8})
    assert good.mean == pytest.approx(0.95 / 3 + 0.5)
    assert good.sd == pytest.approx(np.std([0.95, 0.7, 0.8], ddof=1))
    assert good.seed_sd == pytest.approx(np.std([2.4 / 3, 2.5 / 3], ddof=1))
    assert (good.rank, row(results, "poor").rank) == (1, 2)
    assert good.chance == 0.5 and 0.5 < good.chance_bound < 0.8
    assert (results.n_subjects, results.n_trials, results.simulated) == (3, 30, True)
    assert good.n_parameters == 7
    assert list(good.subjects) == ["1", "2", "10"]


def test_one_row_per_session_in_order() -> None:
    results = tabulate(make_study(), CLASSES, everything())
    places = [(r["model"], r["subject"], r["session"], r["seed"]) for r in results.rows]
    assert len(places) == len(set(places)) == 2 * 3 * 2 * 2
    assert places[:5] == [
        ("good", "1", "0", 0),
        ("good", "1", "0", 1),
        ("good", "1", "1", 0),
        ("good", "1", "1", 1),
        ("good", "2", "0", 0),
    ]
    first = results.rows[0]
    assert first["n_trials"] == 5 and first["accuracy"] == 1.0 and first["data"] == "pair"


def test_order_of_outcomes_does_not_matter() -> None:
    forward = tabulate(make_study(), CLASSES, everything())
    backward = tabulate(make_study(), CLASSES, everything()[::-1])
    assert forward.rows == backward.rows
    assert repr(forward.board) == repr(backward.board)
    assert str(forward.families) == str(backward.families)


def test_failed_fit_is_shown_and_not_ranked() -> None:
    made = everything()
    bad = next(i for i, o in enumerate(made) if o.model == "good" and o.subject[0] == "2")
    made[bad] = failed(made[bad])
    results = tabulate(make_study(), CLASSES, made)
    good = row(results, "good")
    assert (good.status, good.rank, good.n_failed, good.n_fits) == ("failed", None, 1, 6)
    assert np.isnan(good.mean) and good.reason == "1 of 6 fits failed: ValueError: no"
    assert set(good.subjects) == {"1", "10"}  # subject 2 lacks a seed
    assert row(results, "poor").rank == 1 and results.families[0].pairs == ()
    assert [f["status"] for f in results.fits].count("failed") == 1
    kept = [r for r in results.rows if r["model"] == "good"]
    assert len(kept) == 3 * 2 * 2 - 2


def test_wholly_failed_and_missing_models_stay_on_the_board() -> None:
    made = [failed(o) if o.model == "good" else o for o in everything()]
    made = [replace(o, probabilities=None, seconds={}) if o.key == "poor/1/0" else o for o in made]
    results = tabulate(make_study(), CLASSES, made)
    good, poor = row(results, "good"), row(results, "poor")
    assert good.status == "failed" and good.n_failed == good.n_fits == 6
    assert good.reason == "6 of 6 fits failed: ValueError: no"
    assert poor.status == "incomplete" and "1 of 6 fits not run yet" in poor.reason
    assert all(r["model"] == "poor" for r in results.rows)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda p: np.where(np.arange(10)[:, None] == 3, np.nan, p),
            "probabilities of 1 test trials are not finite",
        ),
        (lambda p: 2 * p, "do not sum to one"),
        (lambda p: p[:, :1], "shape (10, 1)"),
    ],
)
def test_what_is_no_probability_counts_as_failed(damage, said) -> None:  # type: ignore[no-untyped-def]
    made = everything()
    made[0] = replace(made[0], probabilities=damage(made[0].probabilities))
    good = row(tabulate(make_study(), CLASSES, made), "good")
    assert good.status == "failed" and said in good.reason


def test_kinds_of_target_use_are_ranked_apart() -> None:
    made = [replace(o, target="unlabelled") if o.model == "poor" else o for o in everything()]
    results = tabulate(make_study(), CLASSES, made)
    assert [(r.model, r.target, r.rank) for r in results.board] == [
        ("good", "none", 1),
        ("poor", "unlabelled", 1),
    ]
    assert [family.pairs for family in results.families] == [(), ()]


def test_equal_means_share_a_rank() -> None:
    study = make_study({name: Model(branch="mdm") for name in "abc"}, seeds=(0,))
    made = [
        outcome(name, subject, 0, right)
        for name, right in {"a": 6, "b": 8, "c": 8}.items()
        for subject in ("1", "2")
    ]
    results = tabulate(study, CLASSES, made)
    assert [(r.model, r.rank) for r in results.board] == [("b", 1), ("c", 1), ("a", 3)]


def test_lower_log_loss_ranks_first() -> None:
    results = tabulate(make_study(metric="log_loss"), CLASSES, everything())
    assert [r.model for r in results.board] == ["good", "poor"]
    assert results.board[0].mean < results.board[1].mean
    assert np.isnan(results.board[0].chance_bound)


def test_comparison_is_paired_over_subjects() -> None:
    results = tabulate(make_study(), CLASSES, everything())
    (test,) = results.families[0].pairs
    assert (test.first, test.other, test.n_subjects) == ("good", "poor", 3)
    assert test.difference == pytest.approx((0.25 + 0.2 + 0.2) / 3)
    assert test.p == test.p_holm == 2 / 8


@pytest.mark.parametrize(("n_people", "p"), [(1, np.nan), (2, 0.5), (3, 0.25)])
def test_a_comparison_needs_two_people(n_people: int, p: float) -> None:
    made = [
        outcome(m, str(s), 0, n) for m, n in (("good", 9), ("poor", 6)) for s in range(n_people)
    ]
    (family,) = tabulate(make_study(seeds=(0,)), CLASSES, made).families
    (test,) = family.pairs
    assert test.difference == pytest.approx(0.3)
    np.testing.assert_equal((test.p, test.p_holm), (p, p))


def test_rows_say_how_they_are_aligned() -> None:
    aligned = Align(method="euclidean", domain="session", mode="causal")
    models = {
        "plain": Model(branch="mdm"),
        "moved": Model(branch="mdm", recentre="session"),
        "own": Model(branch="mdm", align=aligned, recentre="session"),
    }
    ensembles = {
        "both": Ensemble(of=("plain", "own"), rule="vote"),
        "twice": Ensemble(of=("own", "own"), rule="vote"),
    }
    study = make_study(models).model_copy(update={"ensembles": ensembles})
    told = {r.model: r.align for r in tabulate(study, CLASSES, []).board}
    own = "euclidean per session, causal, recentred per session"
    assert told == {
        "plain": "none",
        "moved": "none, recentred per session",
        "own": own,
        "both": "aligned as its members",
        "twice": own,
    }
    whole = study.model_copy(update={"recentre": "session", "align": aligned, "ensembles": {}})
    assert {r.align for r in tabulate(whole, CLASSES, []).board} == {own}


def test_other_reasons_are_counted() -> None:
    made = [failed(o) if o.model == "good" else o for o in everything()]
    for i, why in enumerate(("no memory", "singular")):
        made[2 * i] = replace(made[2 * i], reason=why)
    good = row(tabulate(make_study(), CLASSES, made), "good")
    assert good.reason == "6 of 6 fits failed: no memory (and 2 other reasons)"


def test_seeds_that_share_a_fit_have_no_spread() -> None:
    made = [replace(outcome("good", s, seed, 8), key=f"good/{s}") for s in "12" for seed in (0, 1)]
    results = tabulate(make_study({"good": Model(branch="mdm")}), CLASSES, made)
    assert np.isnan(results.board[0].seed_sd)
    assert results.board[0].n_fits == len(results.fits) == 2
    assert results.fits[0]["seeds"] == [0, 1]


def test_shared_features_are_counted_once() -> None:
    results = tabulate(make_study(), CLASSES, everything())
    good = row(results, "good")
    assert good.seconds_fit == 4.5
    assert good.stages == {"features": 3.0, "fit": 6.0, "predict": 3.0}
    assert results.stages == {"features": 6.0, "fit": 12.0, "predict": 6.0}


def test_models_that_share_fits_cost_them_once() -> None:
    models = {"good": Model(branch="mdm"), "recentred": Model(branch="mdm", recentre="session")}
    own = [outcome("good", s, seed, 8) for s in "12" for seed in (0, 1)]
    told = [replace(o, model="recentred", target="class shares") for o in own]
    inner = replace(own[0], split="inner", outer=own[0].split, key="good/inner")
    results = tabulate(make_study(models), CLASSES, [*own, *told, inner])
    assert len(results.fits) == 5
    assert [fit["shared_with"] for fit in results.fits] == [["recentred"]] * 2 + [[]] + [
        ["recentred"]
    ] * 2
    assert results.stages == {"features": 3.0, "fit": 5.0, "predict": 2.5}
    assert [row(results, name).n_fits for name in models] == [4, 4]


@pytest.mark.parametrize("n_people", [1, 2, 3, 4])
def test_an_interval_needs_four_people(n_people: int) -> None:
    made = [outcome("good", str(s), 0, 5 + s) for s in range(n_people)]
    board = tabulate(make_study({"good": Model(branch="mdm")}, seeds=(0,)), CLASSES, made).board
    assert np.isnan(board[0].ci_low) == (n_people < 4)
    assert not np.isnan(board[0].mean)


def test_subject_of_one_class_has_no_area() -> None:
    made = everything()
    for i, o in enumerate(made):
        if o.subject[0] == "2":
            made[i] = replace(o, y=np.zeros(10, dtype=np.int64))
    results = tabulate(make_study(metric="roc_auc"), CLASSES, made)
    good = row(results, "good")
    assert np.isnan(good.subjects["2"]) and good.n_subjects == 2
    assert good.mean == pytest.approx(np.mean([good.subjects["1"], good.subjects["10"]]))


def test_trial_tested_twice_is_refused() -> None:
    made = everything()
    with pytest.raises(ValueError, match="trial 1/0/0/0 is tested in more than one split"):
        tabulate(make_study(), CLASSES, [*made, replace(made[0], split="again")])


def test_natural_order() -> None:
    assert sorted(["10", "2", "b:1", "a:10", "a:9"], key=natural) == [
        "2",
        "10",
        "a:9",
        "a:10",
        "b:1",
    ]
