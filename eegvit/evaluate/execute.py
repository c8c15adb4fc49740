"""Carry out the fits of a plan that the store does not have yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eegvit.branches.base import per_trial
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.fitting import (
    Job,
    Part,
    compute_features,
    feature_recipe,
    fit_and_predict,
)
from eegvit.evaluate.plan import Fit, Plan
from eegvit.evaluate.progress import Progress
from eegvit.evaluate.store import Prediction, Store
from eegvit.evaluate.view import DataView, Handle, Rows
from eegvit.evaluate.worker import Answer, Task, run_tasks


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
        Where predictions are kept; each is written as soon as its fit is done.
    cache : Cache
        Where per-trial features are kept.
    jobs : int
        Worker processes of one thread each; 0 runs in this process.
    """
    fits = [fit for fit in plan.fits.values() if not fit.is_in(store)]
    _compute_features(fits, cache, jobs)
    tasks = [Task(fit.name, fit_and_predict, (_job(fit, store, cache),)) for fit in fits]
    progress = Progress(len(tasks), "fits")
    failed = 0
    for answer in run_tasks(tasks, jobs, progress.show):
        _keep(fits[answer.number], answer, store)
        failed += answer.reason is not None
        progress.advance(failed=answer.reason is not None)
    if tasks:
        progress.finish()
    return Tally(len(plan.fits) - len(fits), len(fits) - failed, failed)


def _keep(fit: Fit, answer: Answer, store: Store) -> None:
    if answer.reason is not None:
        store.fail(fit.key, answer.reason, answer.traceback, fit=fit.name)
        return
    prediction = Prediction(
        ids=fit.view.ids[fit.predict],
        blocks=fit.view.block_keys[fit.predict],
        probabilities=answer.value.probabilities,
        about={"fit": fit.name, **answer.value.about},
    )
    store.save(fit.key, prediction)
    store.checkpoint(fit.key).unlink(missing_ok=True)


def _compute_features(fits: Sequence[Fit], cache: Cache, jobs: int) -> None:
    """Compute what is per trial, once for each block, whichever models and folds want it."""
    todo: dict[str, Task] = {}
    for fit in fits:
        try:
            leading, _ = per_trial(fit.recipe.build())
        except Exception:  # the fit itself will fail with the same reason
            continue
        if leading is None:
            continue
        for number in sorted({*fit.view.block[fit.train], *fit.view.block[fit.predict]}):
            block = fit.view.blocks[number]
            recipe = feature_recipe(block.key, leading)
            if sha256(recipe) not in todo and not cache.has(recipe):
                part = Part(block.key, _handle(block.trials.X), fit.view.starts[:0])
                name = f"{block.subject}/{block.session}"
                todo[sha256(recipe)] = Task(name, compute_features, (fit.recipe, part, cache))
    if not todo:
        return
    progress = Progress(len(todo), "features")
    for answer in run_tasks(list(todo.values()), jobs, progress.show):
        progress.advance(failed=answer.reason is not None)
    progress.finish()


def _job(fit: Fit, store: Store, cache: Cache) -> Job:
    return Job(
        recipe=fit.recipe,
        train=_parts(fit.view, fit.train),
        y=fit.view.y[fit.train],
        groups=fit.view.subject[fit.train],
        test=_parts(fit.view, fit.predict),
        n_classes=len(fit.view.classes),
        cache=cache,
        checkpoint=store.checkpoint(fit.key),
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
