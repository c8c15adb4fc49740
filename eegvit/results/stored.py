"""What the store says of a plan: outcomes, and the results computed from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

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
    return _read(plan, store)[0]


def score(study: Study, plan: Plan, store: Store) -> Results:
    """Return the results of a study from what is in the store."""
    view = next(iter(plan.fits.values())).view
    views = {id(fit.view): fit.view for fit in plan.fits.values()}
    seconds = stage_seconds(views.values())
    told, warned = _read(plan, store)
    results = tabulate(study, view.classes, told, seconds, representations(plan, store))
    return replace(
        results,
        warnings=warnings_of(plan, warned),
        reading=readings(view),
        audit=audit(plan, results.board),
    )


def _read(plan: Plan, store: Store) -> tuple[list[Outcome], dict[str, list[str]]]:
    """Return the outcome of each request, and what each fit warned of: each file is read once."""
    of_fit: dict[str, list[int]] = defaultdict(list)
    for number, request in enumerate(plan.requests):
        of_fit[request.key].append(number)
    found: dict[int, Outcome] = {}
    warned: dict[str, list[str]] = {}
    tested: dict[tuple[int, int], dict[str, NDArray[Any]]] = {}
    for key, numbers in of_fit.items():
        prediction = store.load(key)
        if prediction is not None and prediction.about.get("warnings"):
            warned[key] = prediction.about["warnings"]
        for number in numbers:
            request = plan.requests[number]
            place = id(request.view), id(request.test)
            if place not in tested:  # models are tested on the same trials: one copy for all
                tested[place] = _tested(request)
            found[number] = _outcome(request, tested[place], prediction, store)
    told = [found[number] for number in range(len(plan.requests))]
    return mean_over_seeds(plan.study, told), warned


def _tested(request: Request) -> dict[str, NDArray[Any]]:
    """Return who the test trials of a request are, and their true classes."""
    view, test = request.view, request.test
    return {name: getattr(view, name)[test] for name in ("ids", "data", "subject", "session", "y")}


def _outcome(
    request: Request,
    tested: Mapping[str, NDArray[Any]],
    prediction: Prediction | None,
    store: Store,
) -> Outcome:
    about: dict[str, Any] = {
        "model": request.model,
        "split": request.split,
        "seed": request.seed,
        "key": request.key,
        "target": request.target,
        "outer": request.outer,
        "labels": request.labels,
        **tested,
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
