"""A fit in an evaluation is the fit of the plain estimator, whatever is computed by blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.features.csp import CSP
from eegvit.plan.plan import make_plan
from eegvit.registry import BRANCHES, lookup
from eegvit.results.stored import outcomes
from eegvit.trials import concatenate
from eegvit.views.arrays import view_of


@pytest.mark.parametrize("protocol", ["within_session", "cross_session", "cross_subject"])
@pytest.mark.parametrize("branch", ["csp_lda", "fbcsp", "tangent_space"])
def test_as_the_plain_estimator(
    branch: str, protocol: str, make_view: Callable, make_study: Callable, cache: Any
) -> None:
    view = make_view(subjects=2, sessions=2, n_trials=40, contrast=0.5)
    parameters = {"sfreq": view.sfreq} if branch == "fbcsp" else {}
    study = make_study({"model": (branch, parameters)}, protocol=protocol)
    plan = make_plan(study, {"model": view})
    store = Store(cache.fits)
    execute(plan, store, cache)
    told = {outcome.split: outcome for outcome in outcomes(plan, store)}
    for split in (plan.splits[0], plan.splits[-1]):
        train, test = view.take(split.train), view.take(split.test)
        plain = lookup(BRANCHES, branch)(**parameters).fit(train.X, train.y)
        assert told[split.name].reason == ""
        np.testing.assert_allclose(
            told[split.name].probabilities, plain.predict_proba(test.X), atol=1e-6
        )


def test_what_learns_from_sums_meets_one_block_at_a_time(
    make_view: Callable, make_study: Callable, cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = []
    plain = CSP.transform

    def transform(self: CSP, X: np.ndarray) -> np.ndarray:
        met.append(len(X))
        return plain(self, X)

    def fit(self: CSP, X: np.ndarray, y: np.ndarray) -> CSP:
        raise AssertionError("fitted on all trials in one array")

    view = make_view(subjects=4)
    plan = make_plan(make_study({"model": ("csp_lda", {})}), {"model": view})
    monkeypatch.setattr(CSP, "transform", transform)
    monkeypatch.setattr(CSP, "fit", fit)
    tally = execute(plan, Store(cache.fits), cache)
    assert tally.failed == 0
    met = [n for n in met if n not in (1, 64)]  # to measure what the model costs to use
    assert met == [20] * 16  # four folds of three blocks to learn from and one to predict


def test_sums_are_remembered_for_each_labelling(
    make_trials: Callable, make_study: Callable, cache: Any
) -> None:
    people = concatenate([make_trials(subject=str(p), seed=p, contrast=0.5) for p in range(3)])
    study = make_study({"model": ("csp_lda", {})})
    for y in (people.y, np.arange(len(people)) // 2 % 2):  # the same signals, other labels
        view = view_of(people.replace(y=y), cache)
        plan = make_plan(study, {"model": view})
        store = Store(cache.fits)
        execute(plan, store, cache)
        split = plan.splits[0]
        train, test = view.take(split.train), view.take(split.test)
        plain = lookup(BRANCHES, "csp_lda")().fit(train.X, train.y)
        told = outcomes(plan, store)[0].probabilities
        np.testing.assert_allclose(told, plain.predict_proba(test.X), atol=1e-6)
