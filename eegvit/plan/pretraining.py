"""Pretraining within the splits of a study: once for all fits that start from the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from eegvit.config import Model, sha256
from eegvit.plan.recipe import Recipe
from eegvit.plan.versions import versions_of
from eegvit.pretrain.weights import architecture
from eegvit.views.view import DataView, Rows

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
    labels = (rows if labelled is None else labelled) if uses_labels(asdict(how)) else None
    whole = {
        "format": FORMAT,
        "network": [type(model.model).__qualname__, architecture(model.model)],
        "how": asdict(how),
        "seed": model.random_state,
        "versions": versions_of(model),
        "rows": view.places(rows),
        "length": length,
    }
    if labels is not None:
        whole["labels"] = [[block.key, block.labelled(own)] for block, own in view.parts(labels)]
    return Pretraining(f"{FAMILY}/{sha256(whole)}", name, recipe, view, rows, labels, length)


def uses_labels(how: dict[str, Any]) -> bool:
    objective = how["objective"]
    return bool(objective["contrast"]) and objective["positives"] == "label"


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
    one = pretraining_of(name, there, source, np.arange(len(source)), None, length=view.n_times)
    return None if one is None else replace(one, serves=(recipe, len(view.ch_names)))
