"""Fits of one network on several folds and with several seeds, at once where that is faster."""

from __future__ import annotations

import platform
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.base import about, probabilities
from eegvit.branches.neural import NeuralClassifier
from eegvit.branches.neural_together import fit_together, place, seconds_a_step
from eegvit.data.cache import Cache
from eegvit.execute.features import Part, gather, open_parts
from eegvit.execute.memory import forget_peak_memory
from eegvit.execute.one_fit import Job, Recipe, prediction_of, weighed
from eegvit.plan.fit import Fit
from eegvit.plan.versions import versions_of
from eegvit.views.view import Rows

LARGEST = 9  # fits at once
FASTER = 0.9  # of the time one by one: less gain than that is not worth another rounding
WORTH = 5000  # steps of training in all, below which it is not measured what is faster
MEASURED = 3  # fits to measure with, at most


@dataclass(frozen=True, eq=False)
class Group:
    """Fits to carry out at once: their trials taken together, and which of them each needs."""

    jobs: tuple[Job, ...]
    train: tuple[Part, ...]
    y: NDArray[np.int64]
    people: NDArray[np.str_]
    trials: tuple[Rows, ...]


def alike(fits: Sequence[Fit], jobs: int) -> list[list[int]]:
    """Return the numbers of fits that could be carried out at once, spread over the workers.

    They are fits of one network with the same parameters and epochs, on one view and of the same
    classes, and so many steps long that it is worth finding out what is faster.
    """
    found = defaultdict(list)
    for number, fit in enumerate(fits):
        if fit.shuffle is None and (model := _network(fit.recipe)) is not None:
            classes = tuple(np.unique(fit.view.y[fit.train]).tolist())
            epochs = model.recipe(len(fit.train)).epochs
            found[fit.key.partition("/")[0], id(fit.view), classes, epochs].append(number)
    groups = []
    for numbers in found.values():
        if sum(_n_steps(fits[number]) for number in numbers) >= WORTH:
            size = min(LARGEST, -(-len(numbers) // max(1, jobs)))
            parts = np.array_split(numbers, -(-len(numbers) // size))
            groups += [part.tolist() for part in parts if len(part) > 1]
    return groups


def is_faster(
    recipe: Recipe, shape: tuple[int, int], n_classes: int, n_fits: int, cache: Cache
) -> bool:
    """Say whether such fits are faster at once, measured the first time and then remembered."""
    model = recipe.build()
    n_fits = min(n_fits, MEASURED)
    question = {
        "what": "fits at once",
        "model": recipe.branch,
        "parameters": about(model).identity() | {"random_state": None, "epochs": None},
        "shape": [*shape, n_classes],
        "fits": n_fits,
        "place": [platform.node(), place(model)],
        "versions": versions_of(model),
    }

    def measure() -> list[NDArray[np.float64]]:
        return [np.array(seconds_a_step(model, *shape, n_classes, n_fits))]

    ((one_by_one, together),) = cache.arrays(question, measure, "measure")
    return bool(together < FASTER * one_by_one)


def fit_group(group: Group) -> None:
    """Carry out the fits of a group; each is kept by itself, as if it had been alone."""
    forget_peak_memory()
    n_fits = len(group.jobs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        start, began = time.process_time(), time.perf_counter()
        models = [job.recipe.build() for job in group.jobs]
        fit_together(
            models,
            _signals(group.train, group.jobs[0].cache),
            group.y,
            group.trials,
            groups=group.people,
            checkpoints=[job.store.checkpoint(job.key) for job in group.jobs],
        )
        seconds = (time.process_time() - start) / n_fits
        wall = (time.perf_counter() - began) / n_fits
        for job, model in zip(group.jobs, models, strict=True):
            start, began = time.process_time(), time.perf_counter()
            told = probabilities(model, _signals(job.test, job.cache))
            predicted = time.process_time()
            prediction = prediction_of(
                job,
                model,
                told,
                caught,
                seconds_features=0.0,
                features={},
                seconds_fit=seconds,
                seconds_predict=predicted - start,
                seconds_wall=wall + time.perf_counter() - began,
                fits_at_once=n_fits,
                **weighed(job, model, partial(probabilities, model)),
            )
            job.store.save(job.key, prediction)


def _signals(parts: Sequence[Part], cache: Cache) -> NDArray[Any]:
    return gather(open_parts(parts, None, cache)[0], None)


def _network(recipe: Recipe) -> NeuralClassifier | None:
    try:
        model = recipe.build()
        together = about(model).trains_together()
    except Exception:  # the fit itself will fail with the same reason
        return None
    return model if together else None


def _n_steps(fit: Fit) -> int:
    model = _network(fit.recipe)
    if model is None:
        return 0
    return model.recipe(len(fit.train)).epochs * -(-len(fit.train) // model.batch_size)
