"""Other data that models are pretrained on, beside those of the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eegvit.config import Card, Model, Study, View, sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.blocks import make_views
from eegvit.evaluate.pretraining import Pretraining, people, pretraining_of
from eegvit.evaluate.recipe import Recipe
from eegvit.evaluate.view import DataView


def source_views(
    study: Study, views: Mapping[str, DataView], cache: Cache, *, jobs: int = 1
) -> dict[str, DataView]:
    """Return the data that models are pretrained on, of each model that names other data.

    They are resampled to the rate of the model's own data, and aligned like them.

    Parameters
    ----------
    study : Study
    views : mapping
        The data view of each model.
    cache : Cache
        Where what was read before is.
    jobs : int
        Worker processes that read; 0 reads in this process.
    """
    found: dict[str, DataView] = {}
    opened: dict[str, DataView] = {}
    for name, model in study.models.items():
        card = (model.pretrain or {}).get("data")
        if card is None:
            continue
        card = card.override(View(resample=views[name].sfreq))
        align = model.align or study.align
        key = sha256([card, align])
        if key not in opened:
            models = {name: Model(branch=model.branch)}
            changes = {"data": (card,), "view": View(), "align": align, "models": models}
            opened[key] = make_views(study.model_copy(update=changes), cache, jobs=jobs)[name]
        found[name] = opened[key]
        _check(name, card, found[name], views[name])
    return found


def source_of(name: str, model: Model, sources: Mapping[str, DataView]) -> DataView | None:
    """Return the other data that a model is pretrained on, if it names any."""
    if (model.pretrain or {}).get("data") is None:
        return None
    if name not in sources:
        raise ValueError(f"model '{name}': the data to pretrain on are not there: `source_views`")
    return sources[name]


def pretraining_on(
    name: str, recipe: Recipe, source: DataView, view: DataView
) -> Pretraining | None:
    """Return the pretraining on all of other data, in stretches as long as the trials of a view."""
    there = replace(recipe, ch_names=source.ch_names, sfreq=source.sfreq)
    one = pretraining_of(name, there, source, np.arange(len(source)), None, length=n_times(view))
    return None if one is None else replace(one, serves=(recipe, len(view.ch_names)))


def n_times(view: DataView) -> int:
    """Return how many samples a trial has."""
    return int(view.blocks[0].trials.X.shape[2])


def _check(name: str, card: Card, source: DataView, view: DataView) -> None:
    """Refuse trials that are too short, and signals that are in the view under another name."""
    where = f"model '{name}': pretrain.data: {card.name}"
    if n_times(source) < n_times(view):
        raise ValueError(
            f"{where} has trials of {n_times(source)} samples at {view.sfreq:g} Hz, those to be"
            f" decoded have {n_times(view)}: pretrain on a longer window or decode a shorter one"
        )
    here, there = (np.concatenate([b.digests for b in v.blocks])[:, 0] for v in (view, source))
    both = np.isin(there, here)
    if both.any() and not np.isin(people(source)[both], people(view)).any():
        raise ValueError(
            f"{where}: {both.sum()} trials are those of the study under another name, e.g. of"
            f" {people(source)[both][0]}: give both the same name"
        )
