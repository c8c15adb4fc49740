"""Other data that models are pretrained on, beside those of the study."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eegvit.config import Card, Model, Study, View, sha256
from eegvit.data.cache import Cache
from eegvit.tasks import Executor
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
        found[name] = opened[key]
        _check(name, card, found[name], views[name])
    return found


def cards_beside(study: Study, views: Mapping[str, DataView]) -> dict[str, Card]:
    """Return the card of other data of each model that names some, at its data's rate."""
    given = {name: (model.pretrain or {}).get("data") for name, model in study.models.items()}
    return {
        name: card.override(View(resample=views[name].sfreq))
        for name, card in given.items()
        if card is not None
    }


def _check(name: str, card: Card, source: DataView, view: DataView) -> None:
    """Refuse trials that are too short, and signals that are in the view under another name."""
    where = f"model '{name}': pretrain.data: {card.name}"
    if source.n_times < view.n_times:
        raise ValueError(
            f"{where} has trials of {source.n_times} samples at {view.sfreq:g} Hz, those to be"
            f" decoded have {view.n_times}: pretrain on a longer window or decode a shorter one"
        )
    here, there = (np.concatenate([b.digests for b in v.blocks])[:, 0] for v in (view, source))
    both = np.isin(there, here)
    if both.any() and not np.isin(source.people[both], view.people).any():
        raise ValueError(
            f"{where}: {both.sum()} trials are those of the study under another name, e.g. of"
            f" {source.people[both][0]}: give both the same name"
        )
