"""What ensembles are made of: members by trial and seed, costs, missing parts, rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Align, Ensemble, Model
from eegvit.ensemble.rules import RULES, learn
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.results.ensembles import combine
from eegvit.results.leaderboard import subject_scores
from eegvit.results.results import tabulate
from eegvit.results.stored import outcomes, score
from eegvit.trials import concatenate
from eegvit.views.arrays import view_of

MODELS = {"csp": ("csp_lda", {}), "mdm": ("mdm", {}), "net": ("eegnet", {"epochs": 1})}
EVERY = {
    f"{rule} {learner} {calibrate} {select}": Ensemble(
        of=("csp", "mdm", "net"), rule=rule, learner=learner, calibrate=calibrate, select=select
    )
    for rule in RULES
    for learner in RULES[rule].learners or [None]
    for calibrate, select in [(None, None), ("temperature", "greedy" if rule == "vote" else None)]
}
EVERY["average None None greedy"] = Ensemble(of=("csp", "mdm", "net"), select="greedy")
CLASSES = ("left_hand", "right_hand")


@pytest.fixture
def people(make_trials):
    """Return four people whose classes are not easy to tell apart."""
    return concatenate(
        [
            make_trials(n_trials=20, n_channels=4, n_times=64, contrast=0.9, subject=s, seed=int(s))
            for s in "1234"
        ]
    )


@pytest.fixture
def done(run_ensembles, people):
    """Return a study of two seeds, carried out, and what the store says of its fits."""
    plan, store = run_ensembles(people, MODELS, EVERY, seeds=(0, 1))
    return plan, outcomes(plan, store)


def by_place(made):
    return {(o.model, o.split, o.seed): o for o in made}


def test_rules_get_the_members_of_their_seed_and_split(done):
    plan, told = done
    made, learned = combine(EVERY, told)
    found, known = by_place(made), by_place(told)
    assert len(found) == len(EVERY) * 4 * 2 == len(learned)
    for seed in (0, 1):
        members = [known[m, "3 left out", seed].probabilities for m in ("csp", "mdm", "net")]
        average = found["average None None None", "3 left out", seed].probabilities
        np.testing.assert_allclose(average, np.mean(members, axis=0), atol=1e-12)
        inner = [o for o in told if o.outer == "3 left out" and o.seed == seed]
        P = np.stack(
            [
                np.concatenate([o.probabilities for o in inner if o.model == m])
                for m in ("csp", "mdm", "net")
            ]
        )
        y = np.concatenate([o.y for o in inner if o.model == "csp"])
        rule = learn("weighted", P, y, learner="log_loss", calibrate=True)
        own = found["weighted log_loss temperature None", "3 left out", seed]
        np.testing.assert_allclose(own.probabilities, rule(np.stack(members)), atol=1e-9)
        (one,) = [
            one
            for one in learned
            if (one.ensemble, one.split, one.seed)
            == ("weighted log_loss temperature None", "3 left out", seed)
        ]
        assert list(one.weights.values()) == pytest.approx(rule.learned.tolist())
        assert list(one.temperatures.values()) == pytest.approx(rule.temperatures.tolist())
    one, other = (found["average None None None", "3 left out", s].probabilities for s in (0, 1))
    assert not np.array_equal(one, other)


def test_the_order_of_members_and_outcomes_does_not_matter(done):
    _, told = done
    turned = {n: e.model_copy(update={"of": e.of[::-1]}) for n, e in EVERY.items()}
    before = by_place(combine(EVERY, told)[0])
    after = by_place(combine(turned, told[::-1])[0])
    assert before.keys() == after.keys()
    for place, one in before.items():
        assert np.array_equal(one.probabilities, after[place].probabilities), place


def test_members_are_selected_after_they_are_calibrated(done):
    _, told = done

    def too_sure(o):
        sharper = np.asarray(o.probabilities) ** 40
        return replace(o, probabilities=sharper / sharper.sum(axis=1, keepdims=True))

    sharpened = [too_sure(o) if o.model == "mdm" else o for o in told]
    of = ("csp", "mdm", "net")
    plain, calibrated = (
        {"greedy": Ensemble(of=of, select="greedy", calibrate=how)} for how in (None, "temperature")
    )

    def chosen(ensembles, outcomes):
        return [one.chosen for one in combine(ensembles, outcomes)[1]]

    assert chosen(calibrated, told) == chosen(calibrated, sharpened)
    assert chosen(plain, told) != chosen(plain, sharpened)


def test_trials_are_matched_by_their_ids(done):
    _, told = done

    def turned(o):
        back = slice(None, None, -1)
        columns = {n: getattr(o, n)[back] for n in ("ids", "data", "subject", "session", "y")}
        return replace(o, **columns, probabilities=o.probabilities[back])

    mixed = [turned(o) if o.model == "mdm" else o for o in told]
    before, after = (by_place(combine(EVERY, t)[0]) for t in (told, mixed))
    for place, one in before.items():
        order = np.searchsorted(after[place].ids, one.ids, sorter=np.argsort(after[place].ids))
        order = np.argsort(after[place].ids)[order]
        assert np.array_equal(one.probabilities, after[place].probabilities[order])
        assert np.array_equal(one.y, after[place].y[order])
    other = [replace(o, ids=np.char.add(o.ids, "x")) if o.model == "mdm" else o for o in told]
    made, _ = combine({"average": EVERY["average None None None"]}, other)
    assert {o.status for o in made} == {"failed"} and "other trials" in made[0].reason


def test_a_missing_or_failed_part_is_named(done):
    plan, told = done
    without = [
        replace(o, probabilities=None, reason="ValueError: no", failed=True)
        if o.model == "mdm" and o.split == "1 left out, 2 held out"
        else o
        for o in told
    ]
    made = by_place(combine(EVERY, without)[0])
    assert made["average None None None", "1 left out", 0].status == "ok"
    stacked = made["meta logistic None None", "1 left out", 0]
    assert (stacked.status, stacked.reason) == ("failed", "member mdm: ValueError: no")
    assert made["meta logistic None None", "3 left out", 0].status == "ok"
    board = {row.model: row for row in tabulate(plan.study, CLASSES, without).board}
    assert board["meta logistic None None"].status == "failed"
    assert board["meta logistic None None"].rank is None
    assert board["vote None None None"].status == "ok" == board["mdm"].status
    never = [replace(o, probabilities=None, reason="not run yet") for o in told]
    assert {o.status for o in combine(EVERY, never)[0]} == {"missing"}


def test_rows_of_ensembles_stand_on_the_board_with_summed_costs(done):
    plan, told = done
    results = tabulate(plan.study, CLASSES, told)
    board = {row.model: row for row in results.board}
    assert set(board) == set(MODELS) | set(EVERY)
    assert {row.rank is not None for row in results.board} == {True}
    members = [board[name] for name in MODELS]
    average, stacked = board["average None None None"], board["meta logistic None None"]
    assert average.branch == "ensemble: average"
    assert average.seconds_fit == pytest.approx(sum(row.seconds_fit for row in members), rel=1e-6)
    assert average.stages["fit"] == pytest.approx(sum(row.stages["fit"] for row in members))
    assert average.seconds_1 == pytest.approx(sum(row.seconds_1 for row in members))
    assert average.n_parameters is None and board["net"].n_parameters  # csp does not say
    assert average.n_fits == sum(row.n_fits for row in members) == 4 + 4 + 8
    assert stacked.n_fits == 10 + 10 + 20 and stacked.stages["fit"] > average.stages["fit"]
    distinct = {o.key: o for o in told}.values()
    spent = sum(o.seconds["fit"] for o in distinct)
    assert results.stages["fit"] == pytest.approx(spent)
    assert len(results.fits) == 40
    for fit in results.fits:  # two splits may share one, and seeds too where none is taken
        assert fit["seeds"] == ([0, 1] if fit["model"] != "net" else [fit["seeds"][0]])
    assert {row["model"] for row in results.rows} == set(board)
    assert board["net"].seed_sd > 0 and not np.isnan(average.seed_sd)
    assert np.isnan(board["csp"].seed_sd)


def test_an_ensemble_uses_what_its_most_demanding_member_uses(
    make_study, make_trials, cache, people
):
    models = {"plain": ("csp_lda", {}), "aligned": ("mdm", {}), "causal": ("tangent_space", {})}
    aligns = {
        "plain": Align(method="none"),
        "aligned": Align(method="euclidean"),
        "causal": Align(method="euclidean", mode="causal"),
    }
    ensembles = {
        "all": Ensemble(of=tuple(models), rule="weighted"),
        "live": Ensemble(of=("plain", "causal")),
    }
    study = make_study(models)
    own = {
        n: Model(branch=m.branch, parameters=m.parameters, align=aligns[n])
        for n, m in study.models.items()
    }
    study = study.model_copy(update={"models": own, "ensembles": ensembles})
    views = {name: view_of(people, cache, align) for name, align in aligns.items()}
    plan, store = make_plan(study, views), Store(cache.fits)
    execute(plan, store, cache)
    board = {row.model: row for row in score(study, plan, store).board}
    assert board["all"].target == "unlabelled" and board["live"].target == "causal"
    assert board["all"].status == "ok" and board["all"].align == "aligned as its members"


def test_members_are_described(done):
    plan, told = done
    results = tabulate(plan.study, CLASSES, told)
    found, board = results.ensembles, {row.model: row for row in results.board}
    assert found.members == tuple(MODELS)
    assert found.correlation.shape == (3, 3)
    np.testing.assert_allclose(np.diag(found.correlation), 1.0)
    assert (found.count.distinct, found.count.naive) == (40, 64)
    assert [bound.seed for bound in found.bounds] == [0, 1]
    for bound in found.bounds:
        assert set(bound.ensembles) == set(EVERY) and sum(bound.subjects.values()) == 4
        for member in ("csp", "mdm"):
            assert bound.score >= board[member].mean
    chosen = [one.chosen for one in found.learned if one.ensemble.endswith("greedy")]
    assert len(chosen) == 2 * 8 and all(1 <= len(order) <= 3 for order in chosen)


def test_the_bound_is_that_of_the_metric_of_the_study(done):
    plan, told = done
    for metric in ("roc_auc", "log_loss"):
        evaluate = plan.study.evaluate.model_copy(update={"metric": metric})
        results = tabulate(plan.study.model_copy(update={"evaluate": evaluate}), CLASSES, told)
        sign = -1 if metric == "log_loss" else 1
        for bound in results.ensembles.bounds:
            people = {}
            for member in MODELS:
                tested = results.predictions[member, bound.seed]
                for person, scores in subject_scores(tested).items():
                    people.setdefault(person, []).append(sign * scores[metric])
            best = np.mean([max(scores) for scores in people.values()])
            assert sign * bound.score == pytest.approx(best)
