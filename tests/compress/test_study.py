"""Pruned models in a study: rows like others, with everything inside the fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.compress import PrunedClassifier
from eegvit.config import Model, Study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.pretrain import FineTunedClassifier
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


def test_a_pretrained_model_is_pruned_from_the_weights_of_the_whole_one(
    people: Trials, make_study: Callable[..., Study], tmp_path: Path
) -> None:
    pre = {"epochs": 1, "batch_size": 16, "steps": 4}
    models = {
        "whole": Model(branch="eegnet", parameters=EEGNET, pretrain=pre),
        "small": Model(branch="eegnet", parameters=EEGNET, pretrain=pre, prune=PRUNE),
    }
    cache = Cache(tmp_path / "cache")
    view, study = view_of(people, cache), make_study({"any": ("chance", {})}, test_subjects=("3",))
    study = study.model_copy(update={"models": models})
    plan, store = make_plan(study, dict.fromkeys(models, view)), Store(cache.fits)
    assert len(plan.pretrainings) == 1 and len(plan.fits) == 2
    assert execute(plan, store, cache).failed == 0
    fit = next(fit for fit in plan.fits.values() if fit.name.startswith("small"))
    train = view.take(fit.train)
    model = PrunedClassifier(
        model=FineTunedClassifier(
            model=EEGNetClassifier(**EEGNET),
            pretrain_epochs=1,
            pretrain_batch_size=16,
            finetune_steps=4,
        ),
        **PRUNE,
    ).fit(train.X, fit.y, groups=train.subject)
    told = store.load(fit.key)
    assert told is not None
    by_hand = model.predict_proba(view.take(fit.predict).X)
    np.testing.assert_allclose(told.probabilities, by_hand, atol=1e-4)
    (whole,) = [store.load(key) for key in plan.fits if key != fit.key]
    assert whole is not None
    assert told.about["n_parameters"] == model.n_parameters_ < whole.about["n_parameters"]
