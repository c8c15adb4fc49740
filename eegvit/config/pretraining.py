"""Pretraining in a study file: what a model learns before it sees labels, each mistake named."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError, create_model

from eegvit.config.cards.named import read_cards
from eegvit.config.document import Document, KeyPath
from eegvit.config.signature import Strict, complaints, signature_model
from eegvit.registry import NEURAL, PRETRAINED, resolve

if TYPE_CHECKING:
    from eegvit.config.models import Model, Study

PREFIXES = re.compile("pretrain_|finetune_")  # of parameters that a study file names without it
ABOUT = "What a network, or several fused, learns before it sees labels."
DATA = (
    "Other data to pretrain on: a card's name, or a mapping in place. By default the trials of"
    " each fold's training people."
)
UNLABELLED = (
    "Accept weights or other data that have seen people who are tested; the row is then ranked"
    " as one that used them without labels."
)
AT_LEAST = {"steps": 1, "epochs": 1, "batch_size": 2}


@functools.cache
def pretrain_model() -> type[BaseModel]:
    """Return the schema of `pretrain`: the parameters of the classifier that it makes.

    Examples
    --------
    >>> pretrain_model()(objective="masked", epochs="5").epochs
    5
    """
    fields: dict[str, Any] = {
        PREFIXES.sub("", name, count=1): (
            field.annotation,
            Field(field.default, description=field.description),
        )
        for name, field in signature_model(resolve(PRETRAINED)).model_fields.items()
        if name != "model"
    }
    fields["data"] = (str | dict[str, Any] | None, Field(None, description=DATA))
    fields["unlabelled"] = (bool, Field(False, description=UNLABELLED))
    return create_model("Pretrain", __base__=Strict, __doc__=ABOUT, **fields)


def parameters_of(pretrain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the classifier's parameters that a study's `pretrain` stands for.

    Examples
    --------
    >>> parameters_of({"epochs": 5, "steps": 100, "unlabelled": False})
    {'pretrain_epochs': 5, 'finetune_steps': 100}
    """
    taken = inspect.signature(resolve(PRETRAINED)).parameters
    names = {PREFIXES.sub("", name, count=1): name for name in taken}
    return {names[key]: value for key, value in pretrain.items() if key in names}


def read_pretrain(
    document: Document,
    path: KeyPath,
    given: Any,
    branch: type,
    parameters: Mapping[str, Any],
    errors: list[str],
) -> dict[str, Any] | None:
    """Return what a model says under `pretrain`, checked, or add to the errors.

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
    parameters : mapping
        Those of the branch, checked.
    errors : list of str
        Where mistakes are noted.
    """
    if not isinstance(given, dict):
        errors.append(document.error(path, "expected a mapping, e.g. {objective: masked}"))
        return None
    if why := why_not_pretrained(branch, parameters):
        errors.append(document.error(path, why))
        return None
    try:
        checked = pretrain_model().model_validate({str(key): v for key, v in given.items()})
    except ValidationError as error:
        for at, text in complaints(error, pretrain_model()):
            errors.append(document.error((*path, *at), text))
        return None
    found = {str(key): getattr(checked, str(key)) for key in given}
    if found.get("weights"):
        found["weights"] = str(_file(found["weights"], document.file))
    before = len(errors)
    if found.get("data"):
        read = read_cards(document, (*path, "data"), found["data"], document.file, errors)
        found["data"] = read[0] if read else None
    errors += [document.error((*path, key), text) for key, text in _mistakes(found)]
    return found if len(errors) == before else None


def controls(models: Mapping[str, Model]) -> dict[str, str]:
    """Return each pretrained model's control: the same from scratch, with as many steps.

    Examples
    --------
    >>> from eegvit.config import Model
    >>> models = {
    ...     "scratch": Model(branch="eegnet", pretrain={"objective": "none"}),
    ...     "masked": Model(branch="eegnet", pretrain={"objective": "masked"}),
    ... }
    >>> controls(models)
    {'masked': 'scratch'}
    """
    scratch = {name: m for name, m in models.items() if is_scratch(m)}
    found = {}
    for name, model in models.items():
        if model.pretrain is None or name in scratch:
            continue
        alike = [n for n, control in scratch.items() if _compared(control) == _compared(model)]
        if alike:
            found[name] = alike[0]
    return found


def is_scratch(model: Model) -> bool:
    """Say whether a model is a control: trained in the same way, without pretraining."""
    own = model.pretrain
    return own is not None and not own.get("weights") and own.get("objective") == "none"


def label_mistakes(study: Study) -> list[tuple[KeyPath, str]]:
    """Return (path, sentence) for what is wrong with a study of few labels."""
    evaluate = study.evaluate
    wrong: list[tuple[KeyPath, str]] = []
    for key in ("label_fraction", "labels_per_class"):
        if getattr(evaluate, key) == ():
            wrong.append((("evaluate", key), "it is empty"))
    if not evaluate.amounts:
        if evaluate.labels_from != "training":
            text = "it belongs to labels_per_class, which is not given"
            wrong.append((("evaluate", "labels_from"), text))
        return wrong
    key = "label_fraction" if evaluate.label_fraction else "labels_per_class"
    if evaluate.label_fraction is not None and evaluate.labels_per_class is not None:
        wrong.append((("evaluate", key), "give either this or labels_per_class"))
    if len(set(evaluate.amounts)) < len(evaluate.amounts):
        wrong.append((("evaluate", key), "a value is given twice"))
    if evaluate.labels_from == "target" and evaluate.labels_per_class is None:
        text = "labels of the target are counted: give labels_per_class"
        wrong.append((("evaluate", "labels_from"), text))
    if evaluate.labels_from == "target" and evaluate.protocol == "within_session":
        text = "protocol within_session trains on the people tested anyway"
        wrong.append((("evaluate", "labels_from"), text))
    if evaluate.calibrate is not None:
        text = f"{key} says which labels there are: use labels_from: target"
        wrong.append((("evaluate", "calibrate"), text))
    if study.ensembles:
        wrong.append((("ensembles",), f"there are no ensembles in a study of {key}"))
    wrong += [
        (("models", name, "seeds"), f"a study of {key} judges each seed by itself")
        for name, model in study.models.items()
        if model.seeds == "mean"
    ]
    controlled = controls(study.models)
    for name, model in study.models.items():
        if model.pretrain is not None and name not in controlled and not is_scratch(model):
            steps = f", steps: {model.pretrain['steps']}" if "steps" in model.pretrain else ""
            text = (
                "its control is missing: the same model from scratch, with"
                f" pretrain: {{objective: none{steps}}}"
            )
            wrong.append((("models", name, "pretrain"), text))
    return wrong


def _mistakes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    wrong = []
    for key, value in found.items():
        if key in AT_LEAST and value < AT_LEAST[key]:
            wrong.append((key, f"{value} is too small: {AT_LEAST[key]} or more"))
        elif key == "layer_decay" and not 0 < value <= 1:
            wrong.append((key, f"{value} is not above 0 and up to 1"))
        elif key in ("objective", "views", "learning_rate"):
            try:
                resolve(PRETRAINED)(model=None, **parameters_of({key: value})).pretraining()
            except (ValueError, TypeError) as error:
                wrong.append((key, str(error)))
    weights = found.get("weights")
    if weights and not Path(weights).is_file():
        wrong.append(("weights", f"there is no file '{weights}'"))
    if weights and "objective" in found:
        wrong.append(("objective", "the weights are pretrained already: give one of the two"))
    if found.get("data") and (weights or found.get("objective") == "none"):
        other = "weights from a file do" if weights else "a training from scratch does"
        wrong.append(("data", f"it says what to pretrain on, which {other} not"))
    if found.get("unlabelled") and not weights and not found.get("data"):
        text = "it is about weights from a file or other data; within a fold none tested is seen"
        wrong.append(("unlabelled", text))
    return wrong


def why_not_pretrained(branch: type, parameters: Mapping[str, Any]) -> str | None:
    """Say why a branch cannot be pretrained; None where it can, or is wrong in another way."""
    if not issubclass(branch, resolve(NEURAL)):
        return f"{branch.__name__} is no network: only networks learn before they see labels"
    try:
        said: str | None = branch(**parameters).why_not_pretrained()
    except (ValueError, TypeError):
        return None
    return said


def _compared(model: Model) -> tuple[Any, ...]:
    steps = pretrain_model().model_fields["steps"].default
    taken = (model.pretrain or {}).get("steps", steps)
    own = (model.branch, model.parameters, model.align, model.view, model.recentre)
    return *own, model.prune, model.adapt, taken


def _file(name: str, study: Path) -> Path:
    """Return a file named in a study: beside the study, or in the working folder."""
    beside = study.parent / name
    return beside if beside.is_file() else Path(name)
