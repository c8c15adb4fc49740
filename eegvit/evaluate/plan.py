"""The plan of a study: which fits its scores need, each of them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eegvit.config import Study
from eegvit.ensemble.recentring import by_recording
from eegvit.evaluate.inner import LEARN_NOTHING, inner_splits
from eegvit.evaluate.keys import fit_key, identity_of, takes_seed
from eegvit.evaluate.labels import with_labels
from eegvit.evaluate.outcomes import FloatArray, Labels, Outcome
from eegvit.evaluate.pretraining import (
    Pretraining,
    pretraining_of,
    refuse_weights,
    saw_target,
)
from eegvit.evaluate.protocols import Split, splits, target
from eegvit.evaluate.recipe import Recipe
from eegvit.evaluate.representation import representations
from eegvit.evaluate.results import Results, tabulate
from eegvit.evaluate.sources import pretraining_on, source_of
from eegvit.evaluate.store import Store
from eegvit.evaluate.view import DataView, Rows, stage_seconds


@dataclass(frozen=True, eq=False)
class Fit:
    """A model to fit on some rows of a view, and the rows to predict with it."""

    key: str
    name: str
    recipe: Recipe
    view: DataView
    train: Rows
    predict: Rows
    labelled: Rows | None = None  # training rows whose label is given, where not all are
    pretraining: Pretraining | None = None

    @property
    def y(self) -> Rows:
        """Label of each training row, -1 where it is not given."""
        y = self.view.y[self.train]
        return y if self.labelled is None else np.where(np.isin(self.train, self.labelled), y, -1)

    def is_in(self, store: Store) -> bool:
        """Say whether the store has every prediction that is wanted of this fit."""
        return store.has(self.key, self.view.ids[self.predict], self.view.block_keys[self.predict])


@dataclass(frozen=True, eq=False)
class Request:
    """A split of a model and seed, and the fit that serves it.

    It is to be scored, or it lies within the training trials of the split `outer` and serves
    the ensembles that learn.
    """

    model: str
    split: str
    seed: int
    key: str
    target: str
    view: DataView
    test: Rows
    outer: str = ""
    shares: FloatArray | None = None  # of the classes, where predictions are recentred
    labels: Labels | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study needs: requests, and distinct fits by their keys."""

    study: Study
    splits: tuple[Split, ...]
    requests: tuple[Request, ...]
    fits: dict[str, Fit]

    @property
    def pretrainings(self) -> dict[str, Pretraining]:
        """The distinct pretrainings that fits start from, by their keys."""
        return {f.pretraining.key: f.pretraining for f in self.fits.values() if f.pretraining}


def make_plan(
    study: Study, views: dict[str, DataView], sources: Mapping[str, DataView] | None = None
) -> Plan:
    """Return the plan of a study.

    Parameters
    ----------
    study : Study
        What is asked for.
    views : dict
        The data view of each model, as `make_views` gives them.
    sources : mapping or None
        Other data that models are pretrained on, as `source_views` gives them.
    """
    sources = sources or {}
    view = next(iter(views.values()))
    found = splits(view, study.evaluate)
    inner = _inner(study, view, found)
    learning = {m for e in study.ensembles.values() if e.learns for m in e.of}
    requests: list[Request] = []
    fits: dict[str, Fit] = {}
    for name, model in study.models.items():
        view = views[name]
        recentre = model.recentre or study.recentre
        tested = np.unique(np.concatenate([split.test for split in found]))
        source = source_of(name, model, sources)
        saw = saw_target(study, name, model, view, tested, source)
        seen = target(model.align or study.align, study.evaluate, recentre, saw)
        seeded = takes_seed(model)
        for seed in study.evaluate.seeds:
            recipe = Recipe(
                model.branch,
                model.parameters,
                view.sfreq,
                view.ch_names,
                seed if seeded else None,
                model.pretrain,
            )
            if seed == study.evaluate.seeds[0]:
                refuse_weights(name, recipe, view)
            identity = identity_of(recipe)
            elsewhere = None
            if source is not None:
                elsewhere = pretraining_on(f"{name}, seed {seed}", recipe, source, view)
                identity["pretrained"] = elsewhere and elsewhere.key
            scored = with_labels(view, study.evaluate, found, seed)
            for outer, split in [("", s) for s in scored] + (inner if name in learning else []):
                train, labelled = split.given(unlabelled=model.pretrain is not None)
                key = fit_key(identity, view, train, labelled)
                known = train if labelled is None else labelled
                shares = None if recentre == "none" else view.class_shares(known)
                about = (name, split.name, seed, key, seen, view, split.test, outer, shares)
                requests.append(Request(*about, split.labels))
                label = _label(name, split, seed if seeded else None)
                start = elsewhere
                if model.pretrain is not None and source is None:
                    start = pretraining_of(label, recipe, view, train, labelled)
                fit = Fit(key, label, recipe, view, train, split.test, labelled, start)
                fits[key] = _union(fits.get(key), fit)
    return Plan(study, tuple(found), tuple(requests), fits)


def outcomes(plan: Plan, store: Store) -> list[Outcome]:
    """Return what the store says of each request, without computing anything."""
    known = {key: store.load(key) for key in plan.fits}
    return [_outcome(request, known[request.key], store) for request in plan.requests]


def score(study: Study, plan: Plan, store: Store) -> Results:
    """Return the results of a study from what is in the store."""
    view = next(iter(plan.fits.values())).view
    views = {id(fit.view): fit.view for fit in plan.fits.values()}
    seconds = stage_seconds(views.values())
    told = outcomes(plan, store)
    return tabulate(study, view.classes, told, seconds, representations(plan, store))


def _inner(study: Study, view: DataView, found: Sequence[Split]) -> list[tuple[str, Split]]:
    """Return the inner splits that ensembles learn from, each with its outer split's name."""
    learning = [name for name, ensemble in study.ensembles.items() if ensemble.learns]
    if not learning:
        return []
    try:
        return [
            (split.name, part)
            for split in found
            for part in inner_splits(view, study.evaluate, split, found)
        ]
    except ValueError as error:
        raise ValueError(
            f"ensembles {', '.join(learning)} learn from predictions out-of-fold: {error};"
            f" {LEARN_NOTHING}"
        ) from None


def _union(known: Fit | None, fit: Fit) -> Fit:
    if known is None:
        return fit
    predict = np.union1d(known.predict, fit.predict)
    return replace(known, predict=predict)


def _label(name: str, split: Split, seed: int | None) -> str:
    """Return what a fit is called while it runs."""
    parts = [name, split.name]
    if split.labels is not None:
        parts.append(f"labels {split.labels.amount:g}, draw {split.labels.draw + 1}")
    return ", ".join(parts if seed is None else [*parts, f"seed {seed}"])


def _outcome(request: Request, prediction: Any, store: Store) -> Outcome:
    view, test = request.view, request.test
    about: dict[str, Any] = {
        "model": request.model,
        "split": request.split,
        "seed": request.seed,
        "key": request.key,
        "target": request.target,
        "outer": request.outer,
        "labels": request.labels,
        "ids": view.ids[test],
        "data": view.data[test],
        "subject": view.subject[test],
        "session": view.session[test],
        "y": view.y[test],
    }
    if prediction is not None and prediction.covers(view.ids[test], view.block_keys[test]):
        seconds = {s: prediction.about[f"seconds_{s}"] for s in ("features", "fit", "predict")}
        told = prediction.select(view.ids[test], view.block_keys[test])
        if request.shares is not None:
            told = by_recording(told, view.block_keys[test], request.shares)
        return Outcome(
            **about,
            probabilities=told,
            seconds=seconds,
            features=prediction.about["features"],
            n_parameters=prediction.about["n_parameters"],
            costs=prediction.about.get("costs", {}),
        )
    failure = store.failure(request.key)
    reason = failure["reason"] if failure is not None else "not run yet"
    return Outcome(**about, reason=reason, failed=failure is not None)
