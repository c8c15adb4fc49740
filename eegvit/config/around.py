"""What a study says around a model: how it is pruned, taught, updated; each mistake named."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError, create_model

from eegvit.config.document import Document, KeyPath
from eegvit.config.signature import Strict, complaints, signature_model
from eegvit.registry import ADAPTING, DISTILLED, NEURAL, PRUNED, resolve, suggest

if TYPE_CHECKING:
    from eegvit.config.models import Study

PRUNE = "How a model that is a single network is made smaller, within each fit."
DISTILL = "From whom a network learns beside the labels, by predictions out-of-fold."
ADAPT = "How a network is updated while it is tested, trial by trial and without labels."
FROM = "The model or ensemble of the study that teaches."
APART = {"model", "teacher", "n_folds"}  # parameters that a study does not say here


@functools.cache
def prune_model() -> type[BaseModel]:
    """Return the schema of `prune`: the parameters of the classifier that it makes.

    Examples
    --------
    >>> prune_model()(to="0.3").to
    0.3
    """
    return create_model("Prune", __base__=Strict, __doc__=PRUNE, **_fields(PRUNED))


@functools.cache
def distill_model() -> type[BaseModel]:
    """Return the schema of `distill`: who teaches, and parameters of the classifier that it makes.

    Examples
    --------
    >>> distill_model()(**{"from": "stacked"}).weight
    0.5
    """
    fields: dict[str, Any] = {"from": (str, Field(description=FROM)), **_fields(DISTILLED)}
    return create_model("Distill", __base__=Strict, __doc__=DISTILL, **fields)


@functools.cache
def adapt_model() -> type[BaseModel]:
    """Return the schema of `adapt`: the parameters of the classifier that it makes.

    Examples
    --------
    >>> adapt_model()(window="16").window
    16
    """
    return create_model("Adapt", __base__=Strict, __doc__=ADAPT, **_fields(ADAPTING))


def _fields(address: str) -> dict[str, Any]:
    return {
        name: (field.annotation, Field(field.default, description=field.description))
        for name, field in signature_model(resolve(address)).model_fields.items()
        if name not in APART
    }


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
    if isinstance(given, dict) and not can_be_pruned(branch):
        text = (
            f"{branch.__name__} is not pruned: of EEGNet, ShallowConvNet, spiking networks and"
            " EfficientViT it is known what can be taken out"
        )
        errors.append(document.error(path, text))
        return None
    found = _read(document, path, given, prune_model(), "{to: 0.5, of: macs}", errors)
    return _meant(document, path, found, resolve(PRUNED), errors)


def read_distill(
    document: Document, path: KeyPath, given: Any, branch: type, errors: list[str]
) -> dict[str, Any] | None:
    """Return what a model says under `distill`, checked, or add to the errors.

    The parameters are those of `read_prune`.
    """
    if isinstance(given, dict) and not issubclass(branch, resolve(NEURAL)):
        text = f"{branch.__name__} is no network: only networks learn from a teacher"
        errors.append(document.error(path, text))
        return None
    found = _read(document, path, given, distill_model(), "{from: stacked, weight: 0.5}", errors)
    return _meant(document, path, found, resolve(DISTILLED), errors)


def read_adapt(
    document: Document, path: KeyPath, given: Any, branch: type, errors: list[str]
) -> dict[str, Any] | None:
    """Return what a model says under `adapt`, checked, or add to the errors.

    `true` is short for no keys, `false` for nothing. The parameters are those of `read_prune`.
    """
    if given is False:
        return None
    if not issubclass(branch, resolve(NEURAL)):
        text = f"{branch.__name__} is no network: only networks are updated while they are tested"
        errors.append(document.error(path, text))
        return None
    given = {} if given is True else given
    found = _read(document, path, given, adapt_model(), "{window: 8}, or true", errors)
    return _meant(document, path, found, resolve(ADAPTING), errors)


def _read(
    document: Document, path: KeyPath, given: Any, schema: type[BaseModel], example: str,
    errors: list[str],
) -> dict[str, Any] | None:  # fmt: skip
    """Return what is said, of the right keys and kinds."""
    if not isinstance(given, dict):
        errors.append(document.error(path, f"expected a mapping, e.g. {example}"))
        return None
    try:
        checked = schema.model_validate({str(key): v for key, v in given.items()})
    except ValidationError as error:
        for at, text in complaints(error, schema):
            errors.append(document.error((*path, *at), text))
        return None
    return {str(key): getattr(checked, str(key)) for key in given}


def _meant(
    document: Document, path: KeyPath, found: dict[str, Any] | None,
    classifier: Callable[..., Any], errors: list[str],
) -> dict[str, Any] | None:  # fmt: skip
    """Return what is said if the classifier that it makes finds nothing wrong with it."""
    if found is None:
        return None
    own = {key: value for key, value in found.items() if key != "from"}
    wrong = classifier(model=None, **own).mistakes()
    errors += [document.error((*path, key), text) for key, text in wrong]
    return None if wrong else found


def can_be_pruned(branch: type) -> bool:
    """Say whether it is known what can be taken out of a branch's network."""
    return issubclass(branch, resolve(NEURAL)) and bool(getattr(branch, "prunable", False))


def distill_mistakes(study: Study) -> Iterator[tuple[KeyPath, str]]:
    """Yield (path, sentence) for teachers that cannot teach, and students that cannot learn."""
    students = {name for name, model in study.models.items() if model.distill is not None}
    known = [name for name, model in study.models.items() if model.control is None]
    for name in students:
        model = study.models[name]
        path: KeyPath = ("models", name, "distill")
        teacher = (model.distill or {})["from"]
        if teacher not in (*known, *study.ensembles):
            hint = suggest(teacher, [one for one in (*known, *study.ensembles) if one != name])
            yield (*path, "from"), f"the study has no model or ensemble '{teacher}'{hint}"
            continue
        members = study.ensembles[teacher].of if teacher in study.ensembles else (teacher,)
        for member in members:
            if member in students:
                text = f"'{member}' is distilled itself: a teacher learns from labels alone"
                yield (*path, "from"), text
            elif study.models[member].trained_on:
                yield (*path, "from"), f"'{member}' is trained on the people tested"
            elif study.models[member].adapt is not None:
                text = f"'{member}' is updated while it is tested: a teacher only tells"
                yield (*path, "from"), text
        if model.trained_on:
            yield path, "a model trained on own sessions has no teacher: it sees other trials"
        if study.evaluate.amounts:
            key = "label_fraction" if study.evaluate.label_fraction else "labels_per_class"
            yield path, f"there are no distilled models in a study of {key}"
    for name, ensemble in study.ensembles.items():
        if ensemble.learns and (taken := [one for one in ensemble.of if one in students]):
            text = (
                f"'{taken[0]}' is distilled: a rule that learns would need a teacher within each of"
                " its folds; let the rule be vote, average or max, without calibrate and select"
            )
            yield ("ensembles", name, "of"), text


def adapt_mistakes(study: Study) -> Iterator[tuple[KeyPath, str]]:
    """Yield (path, sentence) for models that are updated and stand beside no control."""
    for name, model in study.models.items():
        if model.adapt is not None:
            plain = model.model_copy(update={"adapt": None})
            if plain not in study.models.values():
                text = (
                    f"what updates gain is not seen: give a model that is '{name}' without `adapt`"
                )
                yield ("models", name, "adapt"), text
