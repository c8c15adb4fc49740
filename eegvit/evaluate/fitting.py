"""One fit, in a worker: features and trials mapped from files, probabilities out."""

from __future__ import annotations

import contextlib
import inspect
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from eegvit.branches.base import per_trial, probabilities
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.costing import BATCH, costs
from eegvit.evaluate.recipe import Recipe
from eegvit.evaluate.store import Prediction, Store
from eegvit.evaluate.versions import versions_of_steps
from eegvit.evaluate.view import DataView, Handle, Rows
from eegvit.features.sums import FromSums, Sums, added, class_sums

FORMAT = 2  # of the features kept; a change of it computes them anew


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of one block; what a worker needs of it, and no label."""

    key: str
    signals: Handle
    rows: Rows


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


@dataclass(frozen=True, eq=False)
class Opened:
    """A block's signals or features, mapped, and the sums over it that were wanted so far."""

    whole: NDArray[Any]
    seconds: float = 0.0
    sums: dict[bytes, Sums] = field(default_factory=dict)

    def take(self, rows: Rows) -> NDArray[Any]:
        """Return rows, without a copy if they are all."""
        return self.whole if len(rows) == len(self.whole) else self.whole[rows]

    def class_sums(self, rows: Rows, y: NDArray[np.int64]) -> Sums:
        """Return the sums of some rows; those of all rows are remembered for each labelling."""
        if len(rows) < len(self.whole):
            return class_sums(self.whole[rows], y)
        labelling = y.tobytes()
        if labelling not in self.sums:
            self.sums[labelling] = class_sums(self.whole, y)
        return self.sums[labelling]


Parts = Sequence[tuple[Opened, Rows]]


def feature_recipe(block_key: str, leading: Any) -> dict[str, Any]:
    """Return everything that decides the per-trial features of a block."""
    steps = [
        [f"{type(step).__module__}.{type(step).__qualname__}", _parameters(step)]
        for _, step in leading.steps
    ]
    versions = versions_of_steps(leading)
    return {"block": block_key, "steps": steps, "versions": versions, "format": FORMAT}


def features(part: Part, leading: Any, cache: Cache) -> tuple[NDArray[Any], float]:
    """Return the features of a whole block, and the CPU seconds they took when computed."""

    recipe = feature_recipe(part.key, leading)
    (made,) = cache.arrays(
        recipe, lambda: [np.asarray(leading.fit_transform(part.signals.open()))], "features"
    )
    return made, cache.seconds(recipe).get("features", float("nan"))


def compute_features(recipe: Recipe, part: Part, cache: Cache) -> None:
    """Bring the features of a block into the cache."""
    leading, _ = per_trial(recipe.build())
    if leading is not None:
        features(part, leading, cache)


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
        model = job.recipe.build()
        if job.pretraining:
            model.set_params(weights=str(job.store.weights(job.pretraining)))
        leading, rest = per_trial(model)
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
        told = probabilities(rest, gather(test, first))
        ended = time.process_time()

        def predict(X: NDArray[Any]) -> NDArray[np.float64]:
            for step in (leading, first):
                X = X if step is None else np.asarray(step.transform(X))
            return probabilities(rest, X)

        about = weighed(job, rest, predict)
    return prediction_of(
        job,
        rest,
        told,
        caught,
        **about,
        seconds_features=sum(shared.values()),
        features=shared,
        seconds_fit=fitted - start,
        seconds_predict=ended - before,
        seconds_wall=time.perf_counter() - began,
    )


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
    }
    return Prediction(
        ids=job.test_ids,
        blocks=np.repeat([part.key for part in job.test], [len(part.rows) for part in job.test]),
        probabilities=_columns(told, model.classes_, job.n_classes),
        about={"fit": job.name, **about, **known},
    )


def open_parts(parts: Sequence[Part], leading: Any, cache: Cache) -> tuple[Parts, dict[str, float]]:
    """Map each part's signals or features; return also the seconds each block's features took."""
    if leading is None:
        return [(Opened(part.signals.open()), part.rows) for part in parts], {}
    known = _opened_before(str(cache.root), sha256(feature_recipe("", leading)))
    for part in parts:
        if part.key not in known:
            known[part.key] = Opened(*features(part, leading, cache))
    opened = [(known[part.key], part.rows) for part in parts]
    return opened, {part.key: known[part.key].seconds for part in parts}


@lru_cache(maxsize=1)
def _opened_before(root: str, steps: str) -> dict[str, Opened]:
    """Return the blocks that this process has opened of one cache, as these steps made them."""
    return {}


def parts_of(view: DataView, rows: Rows) -> tuple[Part, ...]:
    """Return what a worker needs of some rows of a view."""
    return tuple(
        Part(block.key, handle_of(block.trials.X), within) for block, within in view.parts(rows)
    )


def handle_of(X: NDArray[Any]) -> Handle:
    """Return where the signals of a block are mapped from."""
    handle = Handle.of(X)
    if handle is None:
        raise ValueError("the signals of a view are not memory-mapped; open it by make_views")
    return handle


def _fit_first(rest: Any, train: Parts, y: NDArray[np.int64]) -> tuple[Any, Any]:
    """Fit a first step that learns from sums, block by block; return it, if any, and the rest."""
    if not (isinstance(rest, Pipeline) and isinstance(rest[0], FromSums)):
        return None, rest
    ends = np.cumsum([len(rows) for _, rows in train])
    labels = np.split(y, ends[:-1])
    sums = (block.class_sums(rows, own) for (block, rows), own in zip(train, labels, strict=True))
    return rest[0].fit_sums(added(sums)), rest[1:]


def gather(parts: Parts, first: Any) -> NDArray[Any]:
    """Return the rows of all parts as one array, or what the first step makes of them."""
    if first is not None:
        return np.concatenate([first.transform(block.take(rows)) for block, rows in parts])
    whole = parts[0][0].whole
    gathered = np.empty((sum(len(rows) for _, rows in parts), *whole.shape[1:]), whole.dtype)
    start = 0
    for block, rows in parts:
        gathered[start : start + len(rows)] = block.take(rows)
        start += len(rows)
    return gathered


def _extras(model: Any, job: Job) -> dict[str, Any]:
    """Return the extra arguments that this model's fit takes."""
    known = {"groups": job.groups, "checkpoint": job.store.checkpoint(job.key)}
    return {n: known[n] for n in inspect.signature(model.fit).parameters if n in known}


def _columns(
    told: NDArray[np.float64], classes: NDArray[Any], n_classes: int
) -> NDArray[np.float64]:
    """Put one column for each class of the study, in its order."""
    placed = np.zeros((len(told), n_classes))
    placed[:, np.asarray(classes, dtype=np.int64)] = told
    return placed


def _parameters(step: Any) -> str:
    """Return a hash of a step's parameters, nested estimators included."""
    return sha256(step.get_params(deep=False) if hasattr(step, "get_params") else str(step))


def forget_peak_memory() -> None:
    """Let `peak_memory` count from now on, where that can be."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_memory() -> int | None:
    """Return the most memory, in bytes, that this process held at once, where it is known."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(ImportError):
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return None
