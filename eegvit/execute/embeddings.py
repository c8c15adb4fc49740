"""What networks hold before they see labels: probes of embeddings of training trials."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.execute.features import Part, gather, open_parts, parts_of
from eegvit.execute.pretraining import pretrain_missing
from eegvit.execute.store import Store
from eegvit.plan.fit import Fit
from eegvit.plan.plan import Plan
from eegvit.plan.recipe import Recipe
from eegvit.plan.splits.few_labels import largest
from eegvit.plan.versions import versions_of
from eegvit.pretrain.weights import architecture, load
from eegvit.progress import Progress
from eegvit.tasks import Executor, InProcess, Task
from eegvit.views.view import DataView, Rows, check_signals

FORMAT = 2  # of what is measured; a change of it measures everything anew
FAMILY = "represented"  # of the keys
MOST = 1500  # trials that embeddings are measured on
SHOWN = 400  # trials on a map


@dataclass(frozen=True, eq=False)
class Network:
    """A network as it is before fine-tuning, and the training trials to measure it on."""

    key: str
    model: str
    name: str
    recipe: Recipe
    weights: str  # file; empty if it is as it was built
    fit: Fit  # that starts from it
    view: DataView
    rows: Rows


@dataclass(frozen=True, eq=False)
class ProbeJob:
    """A network to measure and where to note what was found."""

    key: str
    store: Store
    recipe: Recipe
    weights: str
    parts: tuple[Part, ...]
    y: NDArray[np.int64]
    people: NDArray[np.str_]
    cache: Cache


def networks(plan: Plan, store: Store) -> Iterator[Network]:
    """Yield the network that each split and seed of a model starts from, if it may be pretrained.

    Its trials are training trials of the split, thinned out at random, none of a person who is
    tested unless all are; the labels are theirs, known or not to the fits. Nothing is chosen by
    what is found.
    """
    shown = largest(plan.study.evaluate)
    for request in plan.requests:
        fit, model = plan.fits[request.key], plan.study.models[request.model]
        if model.pretrain is None or request.outer or request.labels != shown:
            continue
        try:
            unfitted = fit.recipe.whole.build()
            whole = {
                "format": FORMAT,
                "network": [type(unfitted.model).__qualname__, architecture(unfitted.model)],
                "weights": fit.pretraining.key if fit.pretraining else unfitted.starts_from(),
                "seed": unfitted.random_state,
                "versions": versions_of(unfitted),
            }
        except Exception:  # the fit says why
            continue
        tested = np.isin(fit.view.subject[fit.train], fit.view.subject[request.test])
        known = fit.train if tested.all() else fit.train[~tested]
        rows = np.sort(np.random.default_rng(0).permutation(known)[:MOST])
        whole["rows"] = [[block.key, block.labelled(own)] for block, own in fit.view.parts(rows)]
        file = str(model.pretrain.get("weights") or "")
        if fit.pretraining:
            file = str(store.weights(fit.pretraining.key))
        key, name = f"{FAMILY}/{sha256(whole)}", f"{request.model}, {request.split}"
        yield Network(key, request.model, name, fit.recipe.whole, file, fit, fit.view, rows)


def represent(plan: Plan, store: Store, cache: Cache, executor: Executor | None = None) -> None:
    """Measure the networks that are not measured yet, each once; one that fails is left out.

    Parameters
    ----------
    plan : Plan
        The study's fits, carried out.
    store : Store
        Where weights are, and where what is found is noted.
    cache : Cache
    executor : Executor or None
        Who measures; this process if None.
    """
    todo = {
        network.key: network
        for network in networks(plan, store)
        if store.note(network.key) is None and network.fit.is_in(store)
    }
    if not todo:
        return
    check_signals(block for network in todo.values() for block in network.view.blocks)
    workers = executor or InProcess()
    made = {key: one for key, n in todo.items() if (one := n.fit.pretraining) is not None}
    failed = pretrain_missing(made.values(), store, cache, workers)
    ready = [n for k, n in todo.items() if k not in made or made[k].key not in failed]
    progress = Progress(len(ready), "embeddings")
    tasks = [Task(n.name, probe_and_note, (_job(n, store, cache),)) for n in ready]
    for answer in workers.run(tasks, progress.show):
        progress.advance(failed=answer.reason is not None)
    progress.finish()


def probe_and_note(job: ProbeJob) -> None:
    """Measure a network's embeddings and note what is found."""
    from eegvit.pretrain.model import untrained
    from eegvit.pretrain.probes import described

    start = time.process_time()
    X = gather(open_parts(job.parts, None, job.cache)[0], None)
    model = job.recipe.build()
    network, last = untrained(model.model, X, model.random_state)
    if job.weights:
        load(job.weights).put_into(network, last)
    found = described(network.eval(), X, job.y, job.people)
    step = -(-len(X) // SHOWN)
    found["places"] = scaled(found["places"][::step]).round(4).tolist()
    found["axes"] = found["axes"].tolist()
    about = {"codes": job.y[::step].tolist(), "people": job.people[::step].tolist()}
    job.store.keep_note(job.key, found | about | {"seconds": time.process_time() - start})


def scaled(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places on a map of size 1: embeddings may be as small as they like.

    Examples
    --------
    >>> scaled(np.array([[1e-9, 0.0], [-4e-9, 2e-9]]))
    array([[ 0.25, 0.  ], [-1.  , 0.5 ]])
    """
    return places / (np.abs(places).max(initial=0.0) or 1.0)


def _job(network: Network, store: Store, cache: Cache) -> ProbeJob:
    view, rows = network.view, network.rows
    who, parts = view.people[rows], parts_of(view, rows)
    return ProbeJob(
        network.key, store, network.recipe, network.weights, parts, view.y[rows], who, cache
    )
