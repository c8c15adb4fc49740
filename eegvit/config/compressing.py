"""Compression in a study file: how a model is made smaller, each mistake named."""

from __future__ import annotations

import functools
from typing import Any

from pydantic import BaseModel, Field, ValidationError, create_model

from eegvit.config.document import Document, KeyPath
from eegvit.config.signature import Strict, complaints, signature_model
from eegvit.registry import NEURAL, PRUNED, resolve

ABOUT = "How a model that is a single network is made smaller, within each fit."


@functools.cache
def prune_model() -> type[BaseModel]:
    """Return the schema of `prune`: the parameters of the classifier that it makes.

    Examples
    --------
    >>> prune_model()(to="0.3").to
    0.3
    """
    fields: dict[str, Any] = {
        name: (field.annotation, Field(field.default, description=field.description))
        for name, field in signature_model(resolve(PRUNED)).model_fields.items()
        if name != "model"
    }
    return create_model("Prune", __base__=Strict, __doc__=ABOUT, **fields)


def read_prune(
    document: Document, path: KeyPath, given: Any, branch: type, errors: list[str]
) -> dict[str, Any] | None:
    """Return what a model says under `prune`, checked, or add to the errors.

    Parameters
    ----------
    document : Document
        The study file.
    path : tuple
        Where it says so.
    given : mapping
        What it says.
    branch : type
        The class of the model's branch.
    errors : list of str
        Where mistakes are noted.
    """
    if not isinstance(given, dict):
        errors.append(document.error(path, "expected a mapping, e.g. {to: 0.5, of: macs}"))
        return None
    if not can_be_pruned(branch):
        text = (
            f"{branch.__name__} is not pruned: of EEGNet, ShallowConvNet, spiking networks and"
            " EfficientViT it is known what can be taken out"
        )
        errors.append(document.error(path, text))
        return None
    try:
        checked = prune_model().model_validate({str(key): v for key, v in given.items()})
    except ValidationError as error:
        for at, text in complaints(error, prune_model()):
            errors.append(document.error((*path, *at), text))
        return None
    found = {str(key): getattr(checked, str(key)) for key in given}
    wrong = resolve(PRUNED)(model=None, **found).mistakes()
    errors += [document.error((*path, key), text) for key, text in wrong]
    return None if wrong else found


def can_be_pruned(branch: type) -> bool:
    """Say whether it is known what can be taken out of a branch's network."""
    return issubclass(branch, resolve(NEURAL)) and bool(getattr(branch, "prunable", False))
