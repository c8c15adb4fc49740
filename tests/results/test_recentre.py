"""Predictions that are recentred in each recording: from stored ones, and from no test label."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import Align
from eegvit.data.cache import Cache
from eegvit.ensemble.recentring import recentred, recentred_so_far
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes, score
from eegvit.trials import concatenate
from eegvit.views.arrays import view_of

PLAIN, MOVED = "plain", "moved"
CAUSAL = "causal"


@pytest.fixture
def run(make_study, make_trials, tmp_path):
    """Return a function that carries out a model with and without recentring."""

    def carry_out(harm=None):
        people = [
            make_trials(n_trials=30, n_channels=4, n_times=64, contrast=0.6, subject=subject,
                        session=session, seed=10 * int(subject) + int(session))
            for subject in "123"
            for session in "01"
        ]  # fmt: skip
        trials = concatenate(people)
        if harm is not None:
            trials = trials.replace(y=harm(trials))
        cache = Cache(tmp_path / ("plain" if harm is None else "harmed"))
        models = {name: ("csp_lda", {}) for name in (PLAIN, MOVED, CAUSAL)}
        study = make_study(models)
        ways = {MOVED: "session", CAUSAL: "causal"}
        moved = {n: study.models[n].model_copy(update={"recentre": w}) for n, w in ways.items()}
        study = study.model_copy(update={"models": study.models | moved})
        plan, store = (
            make_plan(study, dict.fromkeys(models, view_of(trials, cache))),
            Store(cache.fits),
        )
        execute(plan, store, cache)
        return study, plan, store

    return carry_out


def told(plan, store):
    return {(o.model, o.split): o for o in outcomes(plan, store)}


def test_each_session_of_the_tested_is_recentred_on_the_shares_of_the_trained(run):
    _, plan, store = run()
    assert len(plan.fits) == 3  # recentring costs no fit
    found = told(plan, store)
    view = next(iter(plan.fits.values())).view
    for split in plan.splits:
        before, after = found[PLAIN, split.name], found[MOVED, split.name]
        shares = np.bincount(view.y[split.train], minlength=2) / len(split.train)
        for session in "01":
            rows = after.session == session
            expected = recentred(before.probabilities[rows], shares)
            np.testing.assert_allclose(after.probabilities[rows], expected)
            np.testing.assert_allclose(after.probabilities[rows].mean(0), shares, atol=1e-5)


def test_recentred_causally_each_trial_goes_by_the_session_so_far(run):
    _, plan, store = run()
    found = told(plan, store)
    view = next(iter(plan.fits.values())).view
    for split in plan.splits:
        before, after = found[PLAIN, split.name], found[CAUSAL, split.name]
        shares = np.bincount(view.y[split.train], minlength=2) / len(split.train)
        for session in "01":
            rows = after.session == session
            assert (np.diff(split.test[rows]) > 0).all(), "not in time order"
            expected = recentred_so_far(before.probabilities[rows], shares)
            np.testing.assert_allclose(after.probabilities[rows], expected)


def test_labels_of_the_tested_move_nothing(run):
    def flip(trials):
        return np.where(trials.subject == "2", 1 - trials.y, trials.y)

    plans = [told(*run(harm)[1:]) for harm in (None, flip)]
    for way in (MOVED, CAUSAL):
        first, second = (found[way, "2 left out"] for found in plans)
        assert (first.y != second.y).all()
        np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_the_row_says_what_it_used_and_is_ranked_apart(run):
    study, plan, store = run()
    results = score(study, plan, store)
    rows = {row.model: row for row in results.board}
    assert rows[PLAIN].target == "none" and rows[MOVED].target == "unlabelled + class shares"
    assert rows[CAUSAL].target == "causal + class shares"
    assert rows[CAUSAL].align == "none, recentred per session, causal"
    assert "recentred per session" in rows[MOVED].align and rows[PLAIN].align == "none"


def test_causal_alignment_does_not_hide_recentring(make_study):
    from eegvit.plan.target import target

    evaluate = make_study({PLAIN: ("csp_lda", {})}).evaluate
    causal = target(Align(mode="causal"), evaluate, "session")
    assert causal == "causal + unlabelled + class shares"
