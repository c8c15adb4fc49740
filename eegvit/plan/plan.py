"""The plan of a study: which fits its scores need, each of them once."""

from __future__ import annotations

import functools
import operator
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eegvit.config import Model, Study
from eegvit.plan.fit import Fit, Request
from eegvit.plan.keys import fit_key, identity_of, of_session, takes_seed
from eegvit.plan.presets import refuse_searched
from eegvit.plan.pretraining import Pretraining, pretraining_of, pretraining_on, source_of
from eegvit.plan.recipe import Recipe
from eegvit.plan.splits.apart import uses_copies
from eegvit.plan.splits.few_labels import with_labels
from eegvit.plan.splits.inner_splits import LEARN_NOTHING, inner_splits
from eegvit.plan.splits.own_sessions import own_sessions
from eegvit.plan.splits.protocols import splits
from eegvit.plan.splits.split import Split, shuffle_of
from eegvit.plan.target import refuse_more, target
from eegvit.plan.teaching import identity_of as identity_of_teaching
from eegvit.plan.teaching import teachers, teaching_of
from eegvit.plan.weights import refuse_weights, saw_target
from eegvit.views.view import DataView


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study needs: requests, and distinct fits by their keys."""

    study: Study
    splits: tuple[Split, ...]
    requests: tuple[Request, ...]
    fits: dict[str, Fit]
    remarks: tuple[str, ...] = ()  # what was warned of when trials were put on two sides

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
    view = whole = _of_all(views)
    found, remarks = _splits(view, study)
    copies = study.evaluate.duplicates == "warn" and uses_copies(view, found)
    inner = _inner(study, view, found)
    taught_by = teachers(study)
    learning = {m for e in study.ensembles.values() if e.learns for m in e.of}
    learning |= {member for members in taught_by.values() for member in members}
    requests: list[Request] = []
    within: dict[tuple[str, int, str], list[Request]] = defaultdict(list)
    fits: dict[str, Fit] = {}
    saw: dict[str, bool] = {}
    for name, model in sorted(study.models.items(), key=lambda item: item[0] in taught_by):
        view = views[name]
        recentre, own = model.recentre or study.recentre, model.trained_on == "own_sessions"
        tested = np.unique(np.concatenate([split.test for split in found]))
        refuse_searched(name, model, view, tested)
        source = source_of(name, model, sources)
        saw[name] = saw_target(study, name, model, view, tested, source)
        saw[name] |= any(saw[member] for member in taught_by.get(name, ()))
        seeded = takes_seed(model)
        uses, changes = of_session(_recipe(model, view, None))
        seen = target(
            model.align or study.align, study.evaluate, recentre, saw[name], copies, own, uses
        )
        refuse_more(name, seen, study.evaluate.cs_mode)
        bound = own_sessions(whole, found, study.evaluate.duplicates) if own else None
        for seed in study.evaluate.seeds:
            recipe = _recipe(model, view, seed if seeded else None)
            if seed == study.evaluate.seeds[0]:
                refuse_weights(name, recipe.whole, view)
            identity = identity_of(recipe)
            elsewhere = None
            if source is not None:
                elsewhere = pretraining_on(f"{name}, seed {seed}", recipe.whole, source, view)
                identity["pretrained"] = elsewhere and elsewhere.key
            scored = bound or with_labels(whole, study.evaluate, found, seed)
            for outer, split in [("", s) for s in scored] + (inner if name in learning else []):
                train, labelled = split.given(unlabelled=model.pretrain is not None)
                shuffle = shuffle_of(model, seed, split)
                told = identity if shuffle is None else {**identity, "shuffled": shuffle}
                teaching = teaching_of(study, model, seed, split.name, within)
                if teaching is not None:
                    told = {**told, "taught": identity_of_teaching(teaching)}
                if changes:
                    told = {**told, "updated by": view.places(split.test)}
                key = fit_key(told, view, train, labelled)
                known = train if labelled is None else labelled
                shares = None if recentre == "none" else view.class_shares(known)
                about = (name, split.name, seed, key, seen, view, split.test, outer, shares)
                requests.append(Request(*about, split.labels, recentre == "causal"))
                if outer:
                    within[name, seed, outer].append(requests[-1])
                label = _label(name, split, seed if seeded or model.control else None)
                start = elsewhere
                if model.pretrain is not None and source is None:
                    start = pretraining_of(label, recipe.whole, view, train, labelled)
                how = (labelled, start, shuffle, teaching)
                fit = Fit(key, label, recipe, view, train, split.test, *how)
                fits[key] = _union(fits.get(key), fit)
    return Plan(study, tuple(found), tuple(requests), fits, remarks)


def _recipe(model: Model, view: DataView, seed: int | None) -> Recipe:
    return Recipe(
        model.branch,
        model.parameters,
        view.sfreq,
        view.ch_names,
        seed,
        model.pretrain,
        model.prune,
        view.classes,
        model.distill,
        model.adapt,
    )


def _splits(view: DataView, study: Study) -> tuple[list[Split], tuple[str, ...]]:
    """Return the splits of the protocol, and what was warned of on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = splits(view, study.evaluate)
    for one in caught:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    said = (str(one.message) for one in caught if one.category is UserWarning)
    return found, tuple(dict.fromkeys(said))


def _of_all(views: Mapping[str, DataView]) -> DataView:
    """Return the first view, with the kin of trials in any: windows and bands may differ."""
    first = next(iter(views.values()))
    return replace(first, kin=functools.reduce(operator.or_, (v.kin for v in views.values())))


def _inner(study: Study, view: DataView, found: Sequence[Split]) -> list[tuple[str, Split]]:
    """Return the inner splits that rules and students learn from, each with its outer split."""
    learning = [name for name, ensemble in study.ensembles.items() if ensemble.learns]
    students = list(teachers(study))
    if not learning and not students:
        return []
    try:
        return [
            (split.name, part)
            for split in found
            for part in inner_splits(view, study.evaluate, split, found)
        ]
    except ValueError as error:
        who = [f"ensembles {', '.join(learning)}"] * bool(learning)
        who += [f"distilled models {', '.join(students)}"] * bool(students)
        hint = f"; {LEARN_NOTHING}" if learning else ""
        raise ValueError(
            f"{' and '.join(who)} learn from predictions out-of-fold: {error}{hint}"
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
