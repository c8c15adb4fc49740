"""Small studies of trials in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.config import Align, Card, Evaluate, Model, Study
from eegvit.evaluate.blocks import view_of
from eegvit.evaluate.view import DataView
from eegvit.trials import Trials, concatenate


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Return a function that makes a study of models given as {name: (branch, parameters)}."""

    def make(models: dict[str, Any], align: Align | None = None, **evaluate: Any) -> Study:
        card = Card(name="arrays", source="files", classes=("left_hand", "right_hand"),
                    window=(0.0, 2.0))  # fmt: skip
        return Study(
            name="small",
            data=(card,),
            align=align or Align(method="none"),
            evaluate=Evaluate(**evaluate),
            models={
                name: Model(branch=branch, parameters=parameters)
                for name, (branch, parameters) in models.items()
            },
        )

    return make


@pytest.fixture
def make_view(tmp_path: Path, make_trials: Callable[..., Trials]) -> Callable[..., DataView]:
    """Return a function that makes a view of simulated people."""
    from eegvit.data.cache import Cache

    def make(
        subjects: int = 3, sessions: int = 1, align: Align | None = None, **more: Any
    ) -> DataView:
        parts = [
            make_trials(subject=str(p), session=str(s), seed=10 * p + s, **{"n_trials": 20, **more})
            for p in range(1, subjects + 1)
            for s in range(sessions)
        ]
        return view_of(concatenate(parts), Cache(tmp_path / "cache"), align or Align(method="none"))

    return make


@pytest.fixture
def predictions_of() -> Callable[..., dict[tuple[str, str, int], np.ndarray]]:
    """Return a function that gives the probabilities of each request of a plan."""
    from eegvit.evaluate.plan import outcomes

    def collect(plan: Any, store: Any) -> dict[tuple[str, str, int], np.ndarray]:
        return {(o.model, o.split, o.seed): o.probabilities for o in outcomes(plan, store)}

    return collect


@pytest.fixture
def run_ensembles(make_study: Callable[..., Study], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that carries out a study of models and ensembles: its plan and store."""
    from eegvit.data.cache import Cache
    from eegvit.evaluate.execute import execute
    from eegvit.evaluate.plan import make_plan
    from eegvit.evaluate.store import Store

    def run(
        trials: Trials, models: dict[str, Any], ensembles: dict[str, Any], folder: str = "cache",
        **evaluate: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        cache = Cache(tmp_path / folder)
        view = view_of(trials, cache)
        study = make_study(models, **evaluate).model_copy(update={"ensembles": ensembles})
        plan, store = make_plan(study, dict.fromkeys(models, view)), Store(cache.fits)
        execute(plan, store, cache, jobs=0)
        return plan, store

    return run
