"""Pretraining within the splits of a study: once for all fits that start from the same weights."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Model, Study, sha256
from eegvit.config.pretraining import parameters_of
from eegvit.data.cache import Cache
from eegvit.evaluate.fitting import Part, gather, open_parts
from eegvit.evaluate.recipe import Recipe
from eegvit.evaluate.store import Store
from eegvit.evaluate.versions import versions_of
from eegvit.evaluate.view import DataView, Rows
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.weights import Weights, architecture, load

FORMAT = 1  # of how pretraining is carried out; a change of it runs every one anew
FAMILY = "pretrained"  # of their keys


@dataclass(frozen=True, eq=False)
class Pretraining:
    """A model to pretrain on some rows of a view; no label enters, or those of `labelled`."""

    key: str
    name: str
    recipe: Recipe
    view: DataView
    rows: Rows
    labelled: Rows | None
    length: int = 0  # of the stretches that trials are cut into; 0 leaves them whole
    serves: tuple[Recipe, int] | None = None  # a model for other channels, and how many


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


def resolved(model: Any) -> dict[str, Any]:
    """Return what a model's pretraining depends on beside its name: settings or weights.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> tuned = FineTunedClassifier(model=EEGNetClassifier(), objective="none")
    >>> resolved(tuned)
    {'pretraining': None}
    """
    if model.weights is not None:
        return {"weights": _digest(model.weights, Path(model.weights).stat().st_mtime_ns)}
    how = model.pretraining()
    return {"pretraining": None if how is None else asdict(how)}


def pretraining_of(
    name: str,
    recipe: Recipe,
    view: DataView,
    rows: Rows,
    labelled: Rows | None,
    *,
    length: int = 0,
) -> Pretraining | None:
    """Return the pretraining that a fit on some rows starts from, if it starts from one.

    Its key depends on the network, the objective, the seed and the rows; on labels only if
    the objective does.
    """
    try:
        model = recipe.build()
        how = None if model.weights is not None else model.pretraining()
    except Exception:  # the fit itself will fail with the same reason
        return None
    if how is None:
        return None
    labels = (rows if labelled is None else labelled) if _uses_labels(asdict(how)) else None
    whole = {
        "format": FORMAT,
        "network": [type(model.model).__qualname__, architecture(model.model)],
        "how": asdict(how),
        "seed": model.random_state,
        "versions": versions_of(model),
        "rows": places(view, rows),
        "length": length,
    }
    if labels is not None:
        whole["labels"] = [[block.key, block.labelled(own)] for block, own in view.parts(labels)]
    return Pretraining(f"{FAMILY}/{sha256(whole)}", name, recipe, view, rows, labels, length)


def places(view: DataView, rows: Rows) -> list[list[str]]:
    """Return what identifies some rows, without their labels."""
    return [[b.key, sha256(b.trials.index[own])] for b, own in view.parts(rows)]


def people(view: DataView) -> NDArray[np.str_]:
    """Return the person of each row as "data set/subject", the same in every study."""
    alone = [
        subject.removeprefix(f"{data}:")
        for data, subject in zip(view.data.tolist(), view.subject.tolist(), strict=True)
    ]
    return np.char.add(np.char.add(view.data, "/"), np.array(alone))


def saw_target(
    study: Study,
    name: str,
    model: Model,
    view: DataView,
    tested: Rows,
    source: DataView | None = None,
) -> bool:
    """Say whether a model was pretrained on people who are tested; refuse it where none may be.

    Across people and data sets such weights are refused, unless the model says that it is
    `unlabelled`; weights that saw labels of the people tested are always refused.

    Parameters
    ----------
    study : Study
    name : str
        The model's.
    model : Model
    view : DataView
        Of the study's trials.
    tested : array of int64
        Rows of the view that are tested in some split.
    source : DataView or None
        Other data that the model is pretrained on.
    """
    given = model.pretrain or {}
    if source is not None:
        where = f"data {given['data'].name}"
        how = FineTunedClassifier(model=None, **parameters_of(given)).pretraining()
        seen = sorted(set(people(source).tolist()))
        weights = Weights({}, {"subjects": seen, "recipe": asdict(how) if how else {}})
    elif given.get("weights"):
        where, weights = str(given["weights"]), _loaded(name, given["weights"])
    else:
        return False
    names = sorted(set(people(view)[tested].tolist()))
    try:
        used = weights.check(
            study.evaluate.protocol, names, transductive=given.get("unlabelled", False)
        )
    except ValueError as error:
        raise ValueError(f"model '{name}': {where}: {error}") from None
    if used != "none" and _uses_labels(weights.manifest["recipe"]):
        both = ", ".join(who for who in names if who in weights.manifest["subjects"])
        raise ValueError(
            f"model '{name}': {where}: the weights were pretrained with labels of {both}, to be"
            " tested"
        )
    return used != "none"


def refuse_weights(name: str, recipe: Recipe, view: DataView) -> None:
    """Refuse, before it costs anything, a file of weights that are of another network."""
    from eegvit.pretrain.model import untrained

    file = (recipe.pretrain or {}).get("weights")
    if not file:
        return
    weights = _loaded(name, file)
    example = view.blocks[0].trials.X
    try:
        network, last = untrained(recipe.build().model, np.zeros((2, *example.shape[1:]), "f4"))
    except Exception:  # the fit itself will fail with the same reason
        return
    try:
        weights.put_into(network, last)
    except ValueError as error:
        raise ValueError(f"model '{name}': {file}: {error}") from None


def known_weights(store: Store, key: str) -> Weights | None:
    """Return the weights of a pretraining, or None if they are not here or were damaged."""
    try:
        return load(store.weights(key))
    except (OSError, ValueError):
        return None


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
    who, when = people(view)[rows], view.session[rows]
    return PretrainJob(
        one.key, store, one.recipe, tuple(parts), who, when, y, cache, one.length, one.serves
    )


def _uses_labels(how: dict[str, Any]) -> bool:
    objective = how["objective"]
    return bool(objective["contrast"]) and objective["positives"] == "label"


def _loaded(name: str, file: str) -> Weights:
    try:
        return load(file)
    except ValueError as error:
        raise ValueError(f"model '{name}': {error}") from None


@cache
def _digest(path: str, _: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
