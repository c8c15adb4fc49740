"""Other data that models are pretrained on, beside those of the study."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eegvit.config import Card, Model, Study, View, sha256
from eegvit.data.cache import Cache
from eegvit.tasks import Executor
from eegvit.views.duplicates import Kin
from eegvit.views.kinship import common_recordings
from eegvit.views.reading import make_views
from eegvit.views.view import DataView


def source_views(
    study: Study, views: Mapping[str, DataView], cache: Cache, executor: Executor | None = None
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
    executor : Executor or None
        Who reads; this process if None.
    """
    found: dict[str, DataView] = {}
    opened: dict[str, DataView] = {}
    for name, card in cards_beside(study, views).items():
        model = study.models[name]
        align = model.align or study.align
        key = sha256([card, align])
        if key not in opened:
            models = {name: Model(branch=model.branch)}
            changes = {"data": (card,), "view": View(), "align": align, "models": models}
            opened[key] = make_views(study.model_copy(update=changes), cache, executor)[name]
        how = study.evaluate.duplicates
        found[name] = checked(name, card, opened[key], views[name], how, cache)
    return found


def cards_beside(study: Study, views: Mapping[str, DataView]) -> dict[str, Card]:
    """Return the card of other data of each model that names some, at its data's rate."""
    given = {name: (model.pretrain or {}).get("data") for name, model in study.models.items()}
    return {
        name: card.override(View(resample=views[name].sfreq))
        for name, card in given.items()
        if card is not None
    }


def checked(
    name: str, card: Card, source: DataView, view: DataView, how: str, cache: Cache
) -> DataView:
    """Return other data, without what is in the view under another name if that is dropped.

    Recordings that are in the view under another name are refused, or left out, or they are
    told and known from then on by both names. Trials that are too short are refused.
    """
    where = f"model '{name}': pretrain.data: {card.name}"
    if source.n_times < view.n_times:
        raise ValueError(
            f"{where} has trials of {source.n_times} samples at {view.sfreq:g} Hz, those to be"
            f" decoded have {view.n_times}: pretrain on a longer window or decode a shorter one"
        )
    pairs = common_recordings(view, source, cache)
    renamed = pairs[view.people[pairs[:, 0]] != source.people[pairs[:, 1]]]
    if not len(renamed):
        return source
    here, there = view.people[renamed[0, 0]], source.people[renamed[0, 1]]
    said = (
        f"{where}: {len(np.unique(renamed[:, 1]))} trials are of recordings of the study under"
        f" another name, e.g. of {there}, there called {here}"
    )
    if how == "stop":
        raise ValueError(
            f"{said}: give both the same name, or set `evaluate: {{duplicates: drop}}`"
        )
    if how == "warn":
        warnings.warn(f"{said}: they count as both", stacklevel=3)
        return replace(source, known_as=tuple(np.unique(view.people[renamed[:, 0]]).tolist()))
    gone = set(source.block[renamed[:, 1]].tolist())
    warnings.warn(f"{said}: {len(gone)} sessions are left out", stacklevel=3)
    if len(gone) == len(source.blocks):
        raise ValueError(f"{where}: nothing is left of it: all of it is in the study")
    return replace(
        source,
        blocks=tuple(block for i, block in enumerate(source.blocks) if i not in gone),
        kin=Kin.none(),
    )
