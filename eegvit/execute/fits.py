"""Carry out the fits of a plan that the store does not have yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.base import about
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.execute.features import Part, compute_features, feature_recipe, handle_of, parts_of
from eegvit.execute.one_fit import Job, fit_and_save
from eegvit.execute.pretraining import pretrain_missing
from eegvit.execute.shard import WHOLE, Beginning, Shard
from eegvit.execute.store import Store
from eegvit.execute.teaching import taught
from eegvit.execute.together import Group, alike, fit_group, is_faster
from eegvit.plan.fit import Fit
from eegvit.plan.plan import Plan
from eegvit.progress import Progress, TimeLeft
from eegvit.tasks import Executor, InProcess, Task
from eegvit.views.view import check_signals


@dataclass(frozen=True)
class Tally:
    """How many of a study's, or a shard's, fits were stored before, were run now, and failed."""

    stored: int
    run: int
    failed: int


def execute(
    plan: Plan,
    store: Store,
    cache: Cache,
    executor: Executor | None = None,
    shard: Shard = WHOLE,
) -> Tally:
    """Run the fits that the store lacks; one that fails is noted and the others go on.

    Parameters
    ----------
    plan : Plan
        The study's fits.
    store : Store
        Where predictions are kept; a worker writes them before it takes the next fit.
    cache : Cache
        Where per-trial features are kept.
    executor : Executor or None
        Who carries them out; this process if None.
    shard : Shard
        Whose fits are run; all by default.

    Raises
    ------
    Damaged
        If signals of a view that fits need are damaged: they are set aside by then, and views
        that are made anew have them again.
    """
    own = shard.own(plan)
    fits = [fit for key, fit in plan.fits.items() if key in own and not fit.is_in(store)]
    n_fits, failed, workers = len(fits), 0, executor or InProcess()
    _check_signals(fits)
    _compute_features(fits, cache, Beginning(workers, shard))
    failed += _pretrain(fits, store, cache, workers)
    fits = [fit for fit in fits if not _lacks_weights(fit, store)]
    failed += _run([fit for fit in fits if fit.teaching is None], store, cache, workers)
    students = {fit.key: fit for fit in fits if fit.teaching is not None}
    lessons = taught(list(students.values()), store)
    for key, reason in lessons.failed.items():
        store.fail(key, reason, fit=students[key].name)
    ready = [students[key] for key in lessons.soft]
    failed += len(lessons.failed) + _run(ready, store, cache, workers, lessons.soft)
    return Tally(len(own) - n_fits, n_fits - failed - len(lessons.waiting), failed)


def _run(
    fits: Sequence[Fit],
    store: Store,
    cache: Cache,
    workers: Executor,
    soft: Mapping[str, NDArray[np.float64]] = MappingProxyType({}),
) -> int:
    """Carry out fits, some of them with what a teacher says; return how many failed."""
    if not fits:
        return 0
    fits, left = _longest_first(fits, store, workers.jobs)
    todo, failed = _divide(fits, cache, workers), 0
    progress = Progress(len(fits), "fits", left=left.said)
    unweighed = _first_of_each(fits)
    while todo:
        again: list[list[int]] = []  # a group that failed: one by one
        tasks = [
            _task([fits[number] for number in numbers], store, cache, unweighed, soft)
            for numbers in todo
        ]
        for answer in workers.run(tasks, progress.show):
            numbers = todo[answer.number]
            for number in numbers:
                fit = fits[number]
                missing = answer.reason is not None and not fit.is_in(store)
                if missing and len(numbers) > 1:
                    again.append([number])
                    continue
                if missing:
                    store.fail(fit.key, str(answer.reason), answer.traceback, fit=fit.name)
                    failed += 1
                left.done(_family(fit), answer.seconds / len(numbers))
                progress.advance(failed=missing)
        todo = again
    progress.finish()
    return failed


def _longest_first(fits: Sequence[Fit], store: Store, jobs: int) -> tuple[list[Fit], TimeLeft]:
    """Return fits in the order to run them, and who says how long that takes.

    The models whose fits took longest come first, after those that were never run: so the time
    left is known early, and no long fit is left for the end.
    """
    families = dict.fromkeys(map(_family, fits))
    told = {family: store.seconds(family) for family in families}
    known = {family: seconds for family, seconds in told.items() if seconds is not None}
    ordered = sorted(fits, key=lambda fit: -known.get(_family(fit), math.inf))
    return ordered, TimeLeft([_family(fit) for fit in fits], known, jobs)


def _family(fit: Fit) -> str:
    """Return what fits of one model with one set of parameters share."""
    return fit.key.partition("/")[0]


def _divide(fits: Sequence[Fit], cache: Cache, workers: Executor) -> list[list[int]]:
    """Return the numbers of the fits: those that are faster at once together, else alone."""
    groups = alike(fits, workers.jobs)
    tasks = []
    for numbers in groups:
        fit = fits[numbers[0]]
        shape = fit.view.blocks[0].trials.X.shape[1:]
        n_classes = len(np.unique(fit.view.y[fit.train]))
        tasks.append(Task(fit.name, is_faster, (fit.recipe, shape, n_classes, len(numbers), cache)))
    told = [answer.number for answer in workers.run(tasks) if answer.value]
    chosen = [groups[number] for number in told]
    together = {number for numbers in chosen for number in numbers}
    return chosen + [[number] for number in range(len(fits)) if number not in together]


def _first_of_each(fits: Sequence[Fit]) -> set[str]:
    """Return the key of the first fit of each model: one tells what all cost to use."""
    found: dict[tuple[str, int], str] = {}
    for fit in fits:
        found.setdefault((_family(fit), id(fit.view)), fit.key)
    return set(found.values())


def _task(
    fits: Sequence[Fit],
    store: Store,
    cache: Cache,
    weigh: set[str],
    soft: Mapping[str, NDArray[np.float64]],
) -> Task:
    """Return the task that carries out one fit, or several at once."""
    jobs = tuple(_job(f, store, cache, f.key in weigh, soft.get(f.key)) for f in fits)
    if len(fits) == 1:
        return Task(fits[0].name, fit_and_save, jobs)
    view = fits[0].view
    rows = np.unique(np.concatenate([fit.train for fit in fits]))
    trials = tuple(np.searchsorted(rows, fit.train) for fit in fits)
    group = Group(jobs, parts_of(view, rows), view.y[rows], view.subject[rows], trials)
    return Task(f"{fits[0].name} and {len(fits) - 1} more", fit_group, (group,))


def _compute_features(fits: Sequence[Fit], cache: Cache, workers: Executor) -> None:
    """Compute what is per trial, once for each block, whichever models and folds want it."""
    todo: dict[str, Task] = {}
    for fit, numbers in _wanted_blocks(fits):
        try:
            leading, _ = about(fit.recipe.build()).per_trial()
        except Exception:  # the fit itself will fail with the same reason
            continue
        if leading is None:
            continue
        for block in (fit.view.blocks[number] for number in sorted(numbers)):
            recipe = feature_recipe(block.key, leading)
            if sha256(recipe) not in todo and not cache.has(recipe):
                part = Part(block.key, handle_of(block.trials.X), fit.view.starts[:0])
                name = f"{block.subject}/{block.session}"
                todo[sha256(recipe)] = Task(name, compute_features, (fit.recipe, part, cache))
    if not todo:
        return
    progress = Progress(len(todo), "features")
    for answer in workers.run(list(todo.values()), progress.show):
        progress.advance(failed=answer.reason is not None)
    progress.finish()


def _check_signals(fits: Sequence[Fit]) -> None:
    """Read the signals that fits need through, so that what is damaged is found before them."""
    used = [fit.view.blocks[number] for fit, numbers in _wanted_blocks(fits) for number in numbers]
    views = {id(one.view): one.view for fit in fits if (one := fit.pretraining) is not None}
    check_signals([*used, *(block for view in views.values() for block in view.blocks)])


def _pretrain(fits: Sequence[Fit], store: Store, cache: Cache, workers: Executor) -> int:
    """Pretrain what the store lacks, each once; return how many fits have to do without."""
    wanted = [(fit, fit.pretraining) for fit in fits if fit.pretraining is not None]
    failed = pretrain_missing([one for _, one in wanted], store, cache, workers)
    without = [(fit, failed[one.key]) for fit, one in wanted if one.key in failed]
    for fit, answer in without:
        store.fail(fit.key, f"pretraining: {answer.reason}", answer.traceback, fit=fit.name)
    return len(without)


def _lacks_weights(fit: Fit, store: Store) -> bool:
    return fit.pretraining is not None and not store.weights(fit.pretraining.key).is_file()


def _wanted_blocks(fits: Sequence[Fit]) -> list[tuple[Fit, set[int]]]:
    """Return one fit of each model and view, and all blocks that such fits need."""
    found: dict[tuple[str, int], tuple[Fit, set[int]]] = {}
    for fit in fits:
        family = _family(fit)
        _, numbers = found.setdefault((family, id(fit.view)), (fit, set()))
        for rows in (fit.train, fit.predict):
            numbers.update(np.unique(fit.view.block[rows]).tolist())
    return list(found.values())


def _job(
    fit: Fit, store: Store, cache: Cache, weigh: bool, soft: NDArray[np.float64] | None
) -> Job:
    return Job(
        key=fit.key,
        name=fit.name,
        store=store,
        recipe=fit.recipe,
        train=parts_of(fit.view, fit.train),
        y=fit.y,
        groups=fit.view.subject[fit.train],
        test=parts_of(fit.view, fit.predict),
        test_ids=fit.view.ids[fit.predict],
        n_classes=len(fit.view.classes),
        cache=cache,
        pretraining=fit.pretraining.key if fit.pretraining else "",
        weigh=weigh,
        soft=soft,
    )
