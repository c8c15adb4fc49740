"""Carry out the fits of a plan that the store does not have yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegvit.branches.base import per_trial
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.fitting import (
    Job,
    Part,
    compute_features,
    feature_recipe,
    fit_and_save,
)
from eegvit.evaluate.plan import Fit, Plan
from eegvit.evaluate.progress import Progress
from eegvit.evaluate.store import Store
from eegvit.evaluate.view import DataView, Handle, Rows
from eegvit.evaluate.worker import Task, Workers


@dataclass(frozen=True)
class Tally:
    """How many fits were stored before, were run now, and failed."""

    stored: int
    run: int
    failed: int


def execute(plan: Plan, store: Store, cache: Cache, *, jobs: int = 1) -> Tally:
    """Run the fits that the store lacks; one that fails is noted and the others go on.

    Parameters
    ----------
    plan : Plan
        The study's fits.
    store : Store
        Where predictions are kept; a worker writes them before it takes the next fit.
    cache : Cache
        Where per-trial features are kept.
    jobs : int
        Worker processes of one thread each; 0 runs in this process.
    """
    fits = [fit for fit in plan.fits.values() if not fit.is_in(store)]
    tasks = [Task(fit.name, fit_and_save, (_job(fit, store, cache),)) for fit in fits]
    failed = 0
    with Workers(jobs if fits else 0) as workers:
        _compute_features(fits, cache, workers)
        progress = Progress(len(tasks), "fits")
        for answer in workers.run(tasks, progress.show):
            if answer.reason is not None:
                fit = fits[answer.number]
                store.fail(fit.key, answer.reason, answer.traceback, fit=fit.name)
                failed += 1
            progress.advance(failed=answer.reason is not None)
    if tasks:
        progress.finish()
    return Tally(len(plan.fits) - len(fits), len(fits) - failed, failed)


def _compute_features(fits: Sequence[Fit], cache: Cache, workers: Workers) -> None:
    """Compute what is per trial, once for each block, whichever models and folds want it."""
    todo: dict[str, Task] = {}
    for fit, numbers in _wanted_blocks(fits):
        try:
            leading, _ = per_trial(fit.recipe.build())
        except Exception:  # the fit itself will fail with the same reason
            continue
        if leading is None:
            continue
        for block in (fit.view.blocks[number] for number in sorted(numbers)):
            recipe = feature_recipe(block.key, leading)
            if sha256(recipe) not in todo and not cache.has(recipe):
                part = Part(block.key, _handle(block.trials.X), fit.view.starts[:0])
                name = f"{block.subject}/{block.session}"
                todo[sha256(recipe)] = Task(name, compute_features, (fit.recipe, part, cache))
    if not todo:
        return
    progress = Progress(len(todo), "features")
    for answer in workers.run(list(todo.values()), progress.show):
        progress.advance(failed=answer.reason is not None)
    progress.finish()


def _wanted_blocks(fits: Sequence[Fit]) -> list[tuple[Fit, set[int]]]:
    """Return one fit of each model and view, and all blocks that such fits need."""
    found: dict[tuple[str, int], tuple[Fit, set[int]]] = {}
    for fit in fits:
        family = fit.key.partition("/")[0]
        _, numbers = found.setdefault((family, id(fit.view)), (fit, set()))
        for rows in (fit.train, fit.predict):
            numbers.update(np.unique(fit.view.block[rows]).tolist())
    return list(found.values())


def _job(fit: Fit, store: Store, cache: Cache) -> Job:
    return Job(
        key=fit.key,
        name=fit.name,
        store=store,
        recipe=fit.recipe,
        train=_parts(fit.view, fit.train),
        y=fit.view.y[fit.train],
        groups=fit.view.subject[fit.train],
        test=_parts(fit.view, fit.predict),
        test_ids=fit.view.ids[fit.predict],
        n_classes=len(fit.view.classes),
        cache=cache,
    )


def _parts(view: DataView, rows: Rows) -> tuple[Part, ...]:
    return tuple(
        Part(block.key, _handle(block.trials.X), within) for block, within in view.parts(rows)
    )


def _handle(X: object) -> Handle:
    handle = Handle.of(X)  # type: ignore[arg-type]
    if handle is None:
        raise ValueError("the signals of a view are not memory-mapped; open it by make_views")
    return handle
