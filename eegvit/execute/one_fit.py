"""One fit, in a worker: features and trials mapped from files, probabilities out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from eegvit.branches.base import about, probabilities
from eegvit.data.cache import Cache
from eegvit.execute.costs import BATCH, costs
from eegvit.execute.features import (
    Part,
    Parts,
    gather,
    open_parts,
)
from eegvit.execute.memory import forget_peak_memory, peak_memory
from eegvit.execute.store import Prediction, Store
from eegvit.features.sums import FromSums, added
from eegvit.plan.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Job:
    """A fit to carry out and where to keep it. Labels are those of training trials only."""

    key: str
    name: str
    store: Store
    recipe: Recipe
    train: tuple[Part, ...]
    y: NDArray[np.int64]
    groups: NDArray[np.str_]
    test: tuple[Part, ...]
    test_ids: NDArray[np.str_]
    n_classes: int
    cache: Cache
    pretraining: str = ""  # key of the weights that it starts from
    weigh: bool = False  # measure also what the fitted model costs to use
    soft: NDArray[np.float64] | None = None  # what a teacher says of each training trial


def fit_and_save(job: Job) -> None:
    """Carry out a fit; it is done when its predictions are on the disk."""
    prediction = fit_and_predict(job)
    job.store.save(job.key, prediction)
    job.store.checkpoint(job.key).unlink(missing_ok=True)


def fit_and_predict(job: Job) -> Prediction:
    """Fit on the training rows, predict the test rows."""
    forget_peak_memory()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        start_from = str(job.store.weights(job.pretraining)) if job.pretraining else None
        model = job.recipe.build(start_from)
        by_session = about(model).by_session()
        leading, rest = about(model).per_trial()
        train, seconds_train = open_parts(job.train, leading, job.cache)
        start, began = time.process_time(), time.perf_counter()
        first, rest = _fit_first(rest, train, job.y)
        rest.fit(gather(train, first), job.y, **_extras(rest, job))
        fitted = time.process_time()
        del train
        test, seconds_test = open_parts(job.test, leading, job.cache)
        shared = seconds_train | seconds_test
        if job.pretraining:
            shared |= {job.pretraining: rest.weights_.manifest["seconds"]}
        before = time.process_time()
        told = _told(rest, test, first, by_session=by_session)
        ended = time.process_time()

        def predict(X: NDArray[Any]) -> NDArray[np.float64]:
            for step in (leading, first):
                X = X if step is None else np.asarray(step.transform(X))
            return probabilities(rest, X)

        measured = weighed(job, rest, predict)
    return prediction_of(
        job,
        rest,
        told,
        caught,
        **measured,
        seconds_features=sum(shared.values()),
        features=shared,
        seconds_fit=fitted - start,
        seconds_predict=ended - before,
        seconds_wall=time.perf_counter() - began,
    )


def _told(model: Any, test: Parts, first: Any, *, by_session: bool) -> NDArray[np.float64]:
    """Return what a model says of test rows: of all at once, or of each session anew."""
    if not by_session:
        return probabilities(model, gather(test, first))
    return np.concatenate([probabilities(model, gather([part], first)) for part in test])


def weighed(
    job: Job, model: Any, predict: Callable[[NDArray[Any]], NDArray[np.float64]]
) -> dict[str, Any]:
    """Return what a fitted model costs to use, where the job asks for it."""
    if not job.weigh:
        return {}
    part = job.test[0]
    try:
        return {"costs": costs(model, predict, part.signals.open()[part.rows[:BATCH]])}
    except Exception as error:  # the fit is good all the same
        warnings.warn(f"what it costs to use was not measured: {error}", stacklevel=2)
        return {}


def prediction_of(
    job: Job,
    model: Any,
    told: NDArray[np.float64],
    caught: Sequence[warnings.WarningMessage],
    **about: Any,
) -> Prediction:
    """Return what is kept of a fit: the probabilities, and all that is known about it."""
    n_parameters = getattr(model, "n_parameters_", None)
    said = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
    known = {
        "n_parameters": None if n_parameters is None else int(n_parameters),
        "n_train": len(job.y),
        "peak_memory": peak_memory(),
        "warnings": list(said)[:20],
        "history": losses(model),
    }
    return Prediction(
        ids=job.test_ids,
        blocks=np.repeat([part.key for part in job.test], [len(part.rows) for part in job.test]),
        probabilities=_columns(told, model.classes_, job.n_classes),
        about={"fit": job.name, **about, **known},
    )


def losses(model: Any) -> dict[str, list[float]]:
    """Return the losses of each epoch of a network, four digits of each; empty of others."""
    history = getattr(model, "history_", [])
    names = [name for name in ("train_loss", "valid_loss") if history and name in history[0]]
    return {name: [float(f"{epoch[name]:.4g}") for epoch in history] for name in names}


def _fit_first(rest: Any, train: Parts, y: NDArray[np.int64]) -> tuple[Any, Any]:
    """Fit a first step that learns from sums, block by block; return it, if any, and the rest."""
    if not (isinstance(rest, Pipeline) and isinstance(rest[0], FromSums)):
        return None, rest
    ends = np.cumsum([len(rows) for _, rows in train])
    labels = np.split(y, ends[:-1])
    sums = (block.class_sums(rows, own) for (block, rows), own in zip(train, labels, strict=True))
    return rest[0].fit_sums(added(sums)), rest[1:]


def _extras(model: Any, job: Job) -> dict[str, Any]:
    """Return the extra arguments that this model's fit takes."""
    known = {"groups": job.groups, "checkpoint": job.store.checkpoint(job.key)}
    if job.soft is not None:
        known["soft"] = job.soft
    return {name: known[name] for name in about(model).fit_takes() & known.keys()}


def _columns(
    told: NDArray[np.float64], classes: NDArray[Any], n_classes: int
) -> NDArray[np.float64]:
    """Put one column for each class of the study, in its order."""
    placed = np.zeros((len(told), n_classes))
    placed[:, np.asarray(classes, dtype=np.int64)] = told
    return placed
