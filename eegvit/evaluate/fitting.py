"""One fit, in a worker: features and trials mapped from files, probabilities out."""

from __future__ import annotations

import contextlib
import inspect
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.base import per_trial, probabilities
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.store import Prediction, Store
from eegvit.evaluate.versions import versions_of_steps
from eegvit.evaluate.view import Handle, Rows
from eegvit.registry import BRANCHES, lookup

FORMAT = 1  # of the features kept; a change of it computes them anew


@dataclass(frozen=True)
class Recipe:
    """How to build an unfitted model."""

    branch: str
    parameters: Mapping[str, Any]
    sfreq: float
    ch_names: tuple[str, ...]
    seed: int | None

    def build(self) -> Any:
        """Return the model, with what the data decide filled in."""
        cls = lookup(BRANCHES, self.branch)
        filled = dict(self.parameters)
        known = {"sfreq": self.sfreq, "ch_names": self.ch_names, "random_state": self.seed}
        for name in inspect.signature(cls).parameters.keys() & known.keys():
            if filled.get(name) is None and known[name] is not None:
                filled[name] = known[name]
        return cls(**filled)


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

    def compute() -> list[NDArray[Any]]:
        start = time.process_time()
        made = np.asarray(leading.fit_transform(part.signals.open()))
        return [made, np.array([time.process_time() - start])]

    made, seconds = cache.arrays(feature_recipe(part.key, leading), compute)
    return made, float(seconds[0])


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
    _forget_peak_memory()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        model = job.recipe.build()
        leading, rest = per_trial(model)
        X, seconds_train = _gather(job.train, leading, job.cache)
        start, began = time.process_time(), time.perf_counter()
        rest.fit(X, job.y, **_extras(rest, job))
        fitted = time.process_time()
        n_parameters = getattr(rest, "n_parameters_", None)
        del X
        X, seconds_test = _gather(job.test, leading, job.cache)
        before = time.process_time()
        told = probabilities(rest, X)
        ended = time.process_time()
    about = {
        "fit": job.name,
        "seconds_features": sum((seconds_train | seconds_test).values()),
        "features": seconds_train | seconds_test,
        "seconds_fit": fitted - start,
        "seconds_predict": ended - before,
        "seconds_wall": time.perf_counter() - began,
        "n_parameters": None if n_parameters is None else int(n_parameters),
        "n_train": len(job.y),
        "peak_memory": peak_memory(),
        "warnings": list(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))[:20],
    }
    return Prediction(
        ids=job.test_ids,
        blocks=np.repeat([part.key for part in job.test], [len(part.rows) for part in job.test]),
        probabilities=_columns(told, rest.classes_, job.n_classes),
        about=about,
    )


def _gather(
    parts: tuple[Part, ...], leading: Any, cache: Cache
) -> tuple[NDArray[Any], dict[str, float]]:
    """Return the rows of all parts as one array, and the seconds of each block's features."""
    pieces, seconds = [], {}
    for part in parts:
        whole: NDArray[Any] = part.signals.open() if leading is None else np.empty(0)
        if leading is not None:
            whole, seconds[part.key] = features(part, leading, cache)
        pieces.append(np.asarray(whole[part.rows]))
    return np.concatenate(pieces), seconds


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


def _forget_peak_memory() -> None:
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
