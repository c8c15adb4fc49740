"""Weights from elsewhere: whom they saw, and whether they fit the network at all."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from eegvit.config import Model, Study
from eegvit.config.pretraining import parameters_of
from eegvit.plan.pretraining import (
    uses_labels,
)
from eegvit.plan.recipe import Recipe
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.weights import Weights, load
from eegvit.views.view import DataView, Rows


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
        seen = sorted({*source.people.tolist(), *source.known_as})
        weights = Weights({}, {"subjects": seen, "recipe": asdict(how) if how else {}})
    elif given.get("weights"):
        where, weights = str(given["weights"]), _loaded(name, given["weights"])
    else:
        return False
    names = sorted(set(view.people[tested].tolist()))
    try:
        used = weights.check(
            study.evaluate.protocol, names, transductive=given.get("unlabelled", False)
        )
    except ValueError as error:
        raise ValueError(f"model '{name}': {where}: {error}") from None
    if used != "none" and uses_labels(weights.manifest["recipe"]):
        both = ", ".join(who for who in names if who in weights.manifest["subjects"])
        raise ValueError(
            f"model '{name}': {where}: the weights were pretrained with labels of {both}, to be"
            " tested"
        )
    return used != "none"


def refuse_weights(name: str, recipe: Recipe, view: DataView) -> None:
    """Refuse, before it costs anything, a file of weights that are of another network."""
    file = (recipe.pretrain or {}).get("weights")
    if not file:
        return
    from eegvit.pretrain.model import untrained  # torch: a classical study does without

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


def _loaded(name: str, file: str) -> Weights:
    try:
        return load(file)
    except ValueError as error:
        raise ValueError(f"model '{name}': {error}") from None
