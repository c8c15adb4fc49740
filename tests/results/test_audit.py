"""The checks of a plan notice plans that they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eegvit.config import Ensemble
from eegvit.plan.plan import Plan, make_plan
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.results.audit import Audit, audit
from eegvit.results.results import tabulate
from eegvit.views.duplicates import Kin


@pytest.fixture
def plan(make_study, make_view) -> Plan:
    """Return the plan of two models and an ensemble that learns, three people."""
    view = make_view(n_trials=8)
    models = {"csp": ("csp_lda", {}), "mdm": ("mdm", {})}
    study = make_study(models)
    ensembles = {"both": Ensemble(of=("csp", "mdm"), rule="weighted")}
    return make_plan(study.model_copy(update={"ensembles": ensembles}), dict.fromkeys(models, view))


def failed(found: Audit) -> list[str]:
    return [check.what for check in found.checks if not check.passed]


def changed(plan: Plan, inner: bool, **about: Any) -> Plan:
    """Return the plan with the first fit changed, of those that are scored or of inner ones."""
    key = next(r.key for r in plan.requests if bool(r.outer) == inner)
    return replace(plan, fits={**plan.fits, key: replace(plan.fits[key], **about)})


def test_a_plan_that_is_right_passes_and_says_what_was_seen(plan: Plan) -> None:
    found = audit(plan)
    assert failed(found) == [] and len(found.checks) == 6
    n_trials = len(plan.requests[0].view)
    for one in found.saw:
        assert one.people == (2, 2) and one.target == "none"
        assert one.trials == one.labels == (n_trials * 2 // 3,) * 2
    assert [one.model for one in found.saw] == ["csp", "mdm"]


def test_a_tested_trial_in_training_is_found(plan: Plan) -> None:
    first = plan.requests[0]
    leaky = np.union1d(plan.fits[first.key].train, first.test[:1])
    wrong = failed(audit(changed(plan, inner=False, train=leaky)))
    assert "no trial is tested by a model that trained on it" in wrong
    assert "nobody is trained on and tested" in wrong


def test_copies_and_overlaps_are_found(plan: Plan) -> None:
    first = plan.requests[0]
    pair = np.sort([plan.fits[first.key].train[0], first.test[0]])[None]
    none = np.empty((0, 2), np.int64)
    for kin, what in ((Kin(pair, none), "under another name"), (Kin(none, pair), "in time")):
        view = replace(first.view, kin=kin)
        requests = tuple(replace(request, view=view) for request in plan.requests)
        (wrong,) = failed(audit(replace(plan, requests=requests)))
        assert what in wrong


def test_an_ensemble_that_learns_from_what_is_tested_is_found(plan: Plan) -> None:
    inner = next(request for request in plan.requests if request.outer)
    tested = next(r.test for r in plan.requests if r.split == inner.outer and not r.outer)
    leaky = np.union1d(plan.fits[inner.key].train, tested[:1])
    (wrong,) = failed(audit(changed(plan, inner=True, train=leaky)))
    assert "what ensembles choose and learn by" in wrong


def test_a_trial_tested_twice_is_found(plan: Plan) -> None:
    first, *others = plan.requests
    twice = replace(first, test=np.concatenate([first.test, others[0].test[:1]]))
    assert "each trial is tested once" in failed(audit(replace(plan, requests=(twice, *others))))


def test_the_page_shows_failures(plan: Plan) -> None:
    results = tabulate(plan.study, ("left", "right"), [])
    assert 'id="audit"' not in page(results, manifest(results))
    first = plan.requests[0]
    leaky = np.union1d(plan.fits[first.key].train, first.test[:1])
    told = replace(results, audit=audit(changed(plan, inner=False, train=leaky)))
    section = page(told, manifest(told)).partition('<section id="audit">')[2]
    assert "<strong>FAILED</strong> no trial is tested" in section
    assert "<strong>passed</strong> each trial is tested once" in section
