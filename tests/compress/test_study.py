"""Pruned models in a study: rows like others, with everything inside the fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eegvit.config import Model, Study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.trials import Trials
from eegvit.views.arrays import view_of

EEGNET = {"kernel_length": 16, "epochs": 2, "batch_size": 8}
PRUNE = {"to": 0.4, "rounds": 1, "tuning": 0.5}


MODELS = {
    "whole": Model(branch="eegnet", parameters=EEGNET),
    "small": Model(branch="eegnet", parameters=EEGNET, prune=PRUNE),
}


def run(trials: Trials, study: Study, folder: Path) -> tuple[Plan, Store]:
    cache = Cache(folder)
    view = view_of(trials, cache)
    study = study.model_copy(update={"models": MODELS})
    plan, store = make_plan(study, dict.fromkeys(MODELS, view)), Store(cache.fits)
    assert execute(plan, store, cache).failed == 0
    return plan, store


def test_they_are_rows_like_others(
    people: Trials, make_study: Callable[..., Study], tmp_path: Path
) -> None:
    plan, store = run(people, make_study({"any": ("chance", {})}), tmp_path / "cache")
    about: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for request in plan.requests:
        told = store.load(request.key)
        assert told is not None and len(told.ids) == 24
        np.testing.assert_allclose(told.probabilities.sum(1), 1, atol=1e-6)
        about[request.model].append(told.about)
    macs = {name: [a["costs"]["macs"] for a in own if "costs" in a] for name, own in about.items()}
    assert 0 < max(macs["small"]) <= 0.403 * min(macs["whole"])
    assert max(a["n_parameters"] for a in about["small"]) < about["whole"][0]["n_parameters"]


def test_the_people_tested_decide_nothing(
    people: Trials, make_study: Callable[..., Study], tmp_path: Path
) -> None:
    """Whose trials come in another order, with other labels, is told the same by the same model."""
    tested = people.subject == "3"
    X = np.array(people.X)
    X[tested] = X[tested][::-1]
    changed = people.replace(X=X, y=np.where(tested, 1 - people.y, people.y))
    told = []
    for folder, trials in (("one", people), ("other", changed)):
        plan, store = run(trials, make_study({"any": ("chance", {})}), tmp_path / folder)
        (request,) = [r for r in plan.requests if r.model == "small" and "3" in r.split]
        kept = store.load(request.key)
        assert kept is not None
        told.append((request.key, kept.probabilities))
    assert told[0][0] == told[1][0]
    np.testing.assert_allclose(told[0][1], told[1][1][::-1], atol=1e-6)
