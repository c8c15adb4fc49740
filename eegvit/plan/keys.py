"""Keys of fits: everything that decides what they predict, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from eegvit.branches.base import about
from eegvit.config import Model, sha256
from eegvit.plan.recipe import Recipe
from eegvit.plan.versions import versions_of
from eegvit.registry import branch_class
from eegvit.views.view import DataView, Rows

FORMAT = 2  # of how fits are carried out; a change of it runs every fit anew


def fit_key(
    identity: dict[str, Any], view: DataView, train: Rows, labelled: Rows | None = None
) -> str:
    """Return the key of a fit: family/digest.

    It depends on the model and its seed, on the versions that matter and on the training
    trials and the labels that are given: on nothing of the trials that are predicted, unless they
    change the model.
    """
    known = train if labelled is None else labelled
    training = [[block.key, block.labelled(rows)] for block, rows in view.parts(known)]
    whole = {"format": FORMAT, "model": identity, "classes": view.classes, "training": training}
    if labelled is not None:
        whole["unlabelled"] = view.places(np.setdiff1d(train, labelled))
    family = {name: identity[name] for name in ("branch", "parameters")}
    return f"{sha256(family)[:16]}/{sha256(whole)}"


def takes_seed(model: Model) -> bool:
    """Say whether the result depends on a seed; a model that cannot be had fails later."""
    try:
        seeded = about(branch_class(model.branch)(**model.parameters)).takes_seed()
    except Exception:
        return False
    return seeded and model.parameters.get("random_state") is None


def of_session(recipe: Recipe) -> tuple[frozenset[str], bool]:
    """Return what a model uses of whom it predicts, and whether trials of a session change it.

    A model that cannot be had uses nothing: its fit will fail.
    """
    try:
        model = about(recipe.build())
        return model.uses_of_session(), model.by_session()
    except Exception:
        return frozenset(), False


def identity_of(recipe: Recipe) -> dict[str, Any]:
    """Return what decides a model's results beside its training trials, as plain values."""
    identity: dict[str, Any] = {"branch": recipe.branch, "seed": recipe.seed}
    try:
        model = recipe.build()
        parameters, versions = about(model).identity(), versions_of(model)
    except Exception:  # the fit will fail with the same reason, and say so in the report
        parameters = {**recipe.parameters, **(recipe.pretrain or {}), **(recipe.prune or {})}
        parameters |= {**(recipe.distill or {}), **(recipe.adapt or {})}
        return {**identity, "parameters": parameters, "versions": {}}
    if recipe.seed is not None:
        parameters.pop("random_state")
    return {**identity, "parameters": parameters, "versions": versions}
