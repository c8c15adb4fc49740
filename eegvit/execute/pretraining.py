"""One pretraining, in a worker: trials in, a file of weights out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eegvit.data.cache import Cache
from eegvit.execute.features import Part, gather, open_parts, parts_of
from eegvit.execute.store import Store
from eegvit.plan.pretraining import (
    Pretraining,
)
from eegvit.plan.recipe import Recipe
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.weights import Weights, load
from eegvit.progress import Progress
from eegvit.sealed import recall
from eegvit.tasks import Answer, Executor, Task


@dataclass(frozen=True, eq=False)
class PretrainJob:
    """A pretraining to carry out and where to keep it."""

    key: str
    store: Store
    recipe: Recipe
    parts: tuple[Part, ...]
    people: NDArray[np.str_]
    sessions: NDArray[np.str_]
    y: NDArray[np.int64] | None
    cache: Cache
    length: int
    serves: tuple[Recipe, int] | None


def known_weights(store: Store, key: str) -> Weights | None:
    """Return the weights of a pretraining, or None if they are not here or were damaged."""
    return recall(store.weights(key), load)


def pretrain_missing(
    wanted: Iterable[Pretraining], store: Store, cache: Cache, workers: Executor
) -> dict[str, Answer]:
    """Pretrain what the store lacks, each once; return what became of those that failed."""
    distinct = {one.key: one for one in wanted}
    todo = [one for key, one in distinct.items() if known_weights(store, key) is None]
    if not todo:
        return {}
    progress, failed = Progress(len(todo), "pretrainings"), {}
    jobs = [job_of(one, parts_of(one.view, one.rows), store, cache) for one in todo]
    tasks = [Task(one.name, pretrain_and_save, (job,)) for one, job in zip(todo, jobs, strict=True)]
    for answer in workers.run(tasks, progress.show):
        key = todo[answer.number].key
        if answer.reason is not None and known_weights(store, key) is None:
            failed[key] = answer
        progress.advance(failed=key in failed)
    progress.finish()
    return failed


def pretrain_and_save(job: PretrainJob) -> None:
    """Carry out a pretraining; it is done when its weights are on the disk."""
    from eegvit.pretrain.model import pretrain_model
    from eegvit.pretrain.samples import stretches

    start = time.process_time()
    model: FineTunedClassifier = job.recipe.build()
    how = model.pretraining()
    assert how is not None
    X = gather(open_parts(job.parts, None, job.cache)[0], None)
    people, sessions, y = job.people, job.sessions, job.y
    if job.length:
        X, of = stretches(X, job.length)
        people, sessions, y = people[of], sessions[of], None if y is None else y[of]
    if job.serves is not None:
        _refuse_other_network(model, X.shape, *job.serves)
    weights = pretrain_model(
        model.model,
        X,
        recipe=how,
        subjects=people.tolist(),
        recordings=sessions,
        labels=y,
        ch_names=job.recipe.ch_names,
        seed=model.random_state,
        checkpoint=job.store.checkpoint(job.key),
    )
    about = weights.manifest | {"seconds": time.process_time() - start}
    replace(weights, manifest=about).save(job.store.weights(job.key))
    job.store.checkpoint(job.key).unlink(missing_ok=True)


def _refuse_other_network(
    model: FineTunedClassifier, shape: tuple[int, ...], serves: Recipe, n_channels: int
) -> None:
    """Refuse, before it costs anything, to pretrain what does not fit other channels."""
    from eegvit.pretrain.model import untrained
    from eegvit.pretrain.weights import differences, kept_of

    there = kept_of(*untrained(model.model, np.zeros((2, *shape[1:]), np.float32)))
    own = np.zeros((2, n_channels, shape[2]), np.float32)
    here = kept_of(*untrained(serves.build().model, own))
    wrong = differences(there, here)
    if wrong:
        raise ValueError(
            f"a network for {shape[1]} channels does not serve {n_channels}: take one that any"
            f" montage is interpolated to (layout: grid). {len(wrong)} tensors differ, e.g."
            f" {wrong[0]}"
        )


def job_of(one: Pretraining, parts: Sequence[Part], store: Store, cache: Cache) -> PretrainJob:
    """Return what a worker needs of a pretraining: no label, unless the objective uses them."""
    view, rows = one.view, one.rows
    y = None
    if one.labelled is not None:
        y = np.where(np.isin(rows, one.labelled), view.y[rows], -1)
    who, when = view.people[rows], view.session[rows]
    return PretrainJob(
        one.key, store, one.recipe, tuple(parts), who, when, y, cache, one.length, one.serves
    )
