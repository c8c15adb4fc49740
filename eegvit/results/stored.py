"""What the store says of a plan: outcomes, and the results computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eegvit.config import Study
from eegvit.execute.store import Prediction, Store
from eegvit.execute.told import told_of
from eegvit.plan.fit import Request
from eegvit.plan.plan import Plan
from eegvit.results.audit import audit
from eegvit.results.embeddings import representations
from eegvit.results.outcomes import Outcome
from eegvit.results.results import Results, tabulate
from eegvit.results.seeds import mean_over_seeds
from eegvit.results.told import readings, warnings_of
from eegvit.views.view import stage_seconds


def outcomes(plan: Plan, store: Store) -> list[Outcome]:
    """Return what the store says of each request, without computing anything."""
    return _outcomes(plan, store, {key: store.load(key) for key in plan.fits})


def score(study: Study, plan: Plan, store: Store) -> Results:
    """Return the results of a study from what is in the store."""
    view = next(iter(plan.fits.values())).view
    views = {id(fit.view): fit.view for fit in plan.fits.values()}
    seconds = stage_seconds(views.values())
    known = {key: store.load(key) for key in plan.fits}
    told = _outcomes(plan, store, known)
    results = tabulate(study, view.classes, told, seconds, representations(plan, store))
    return replace(
        results,
        warnings=warnings_of(plan, known),
        reading=readings(view),
        audit=audit(plan, results.board),
    )


def _outcomes(plan: Plan, store: Store, known: Mapping[str, Prediction | None]) -> list[Outcome]:
    told = [_outcome(request, known[request.key], store) for request in plan.requests]
    return mean_over_seeds(plan.study, told)


def _outcome(request: Request, prediction: Prediction | None, store: Store) -> Outcome:
    view, test = request.view, request.test
    about: dict[str, Any] = {
        "model": request.model,
        "split": request.split,
        "seed": request.seed,
        "key": request.key,
        "target": request.target,
        "outer": request.outer,
        "labels": request.labels,
        "ids": view.ids[test],
        "data": view.data[test],
        "subject": view.subject[test],
        "session": view.session[test],
        "y": view.y[test],
    }
    told = told_of(request, prediction)
    if prediction is not None and told is not None:
        seconds = {s: prediction.about[f"seconds_{s}"] for s in ("features", "fit", "predict")}
        return Outcome(
            **about,
            probabilities=told,
            seconds=seconds,
            features=prediction.about["features"],
            n_parameters=prediction.about["n_parameters"],
            costs=prediction.about.get("costs", {}),
            history=prediction.about.get("history", {}),
        )
    failure = store.failure(request.key)
    reason = failure["reason"] if failure is not None else "not run yet"
    return Outcome(**about, reason=reason, failed=failure is not None)
