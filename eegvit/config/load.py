"""From a study file to a Study: every mistake found at once, each with its line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit.config.around import adapt_mistakes, distill_mistakes
from eegvit.config.branches import read_model
from eegvit.config.cards.card import Card, View
from eegvit.config.cards.named import cut_mistakes, read_card, read_cards, read_mapping
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.ensembles import read_ensembles
from eegvit.config.imports import ALLOWED
from eegvit.config.models import Model, Study
from eegvit.config.names import name_mistake
from eegvit.config.pretraining import label_mistakes
from eegvit.config.signature import complaints
from eegvit.registry import suggest

SHUFFLED = "{} (labels shuffled)"  # what the control of a model is called
LEARNS_NOTHING = "chance"


def load_yaml(path: str | Path) -> Any:
    """Return what a YAML file says, as plain Python values."""
    return Document.read(Path(path)).value


def load_card(name: str | Path, near: Path | None = None) -> Card:
    """Return a data set's card by name or by file."""
    document = read_mapping(find("datasets", str(name), near))
    errors: list[str] = []
    card = read_card(document, (), errors)
    if card is None:
        raise StudyErrors(errors)
    return card


def load_study(
    study: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    allow: Sequence[str] = (),
) -> Study:
    """Return the study that is described, checked; nothing that it names is called or built.

    Parameters
    ----------
    study : str, Path or dict
        A file, a shipped study's name, or what a file would say as a dictionary.
    overrides : sequence of str
        Changes to it, such as "evaluate.seeds=[0]".
    allow : sequence of str
        Packages whose classes it may name by import path, beside those that every study may.
    """
    if isinstance(study, Mapping):
        file = Path("study.yaml")  # as if it stood here: cards are found beside it
        document = Document.of(json.loads(json.dumps(study, default=_plain)), file)
    else:
        file = find("pipelines", str(study), None)
        document = Document.read(file)
    if not isinstance(document.value, dict):
        raise StudyErrors([f"{file}:1: a study file is a mapping with name, data and models"])
    for override in overrides:
        document.override(override)
    return _study(document, file, (*ALLOWED, *allow))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return value.tolist()
    return str(value)


def _study(document: Document, file: Path, allowed: Collection[str]) -> Study:
    errors: list[str] = []
    top = {str(key): value for key, value in document.value.items()}
    cards = read_cards(document, ("data",), top.pop("data", None), file, errors)
    named = top.pop("models", None)
    models = _models(document, named, file, errors, allowed)
    names = [str(name) for name in named] if isinstance(named, dict) else []
    ensembles = read_ensembles(document, top.pop("ensembles", None), names, errors)
    if models and "shuffled" in (top.get("controls") or ()):
        models |= _shuffled(document, models, errors)
    if {"path", "source_text"} & set(top):
        errors.append(document.error((), "'path' and 'source_text' are not keys of a study file"))
    study = None
    try:
        fallback = (Card(name="?", source="?", classes=("?", "?"), window=(0, 1)),)
        study = Study.model_validate(
            {**top, "data": cards or fallback, "models": models or {"?": Model(branch="?")}}
            | {"ensembles": ensembles, "path": str(file), "source_text": document.text}
        )
    except ValidationError as error:
        errors += [document.error(path, text) for path, text in complaints(error, Study)]
    errors += _meaning(document, study) if study and not errors else []
    if errors or study is None:
        raise StudyErrors(errors)
    return study


def _models(
    document: Document, given: Any, file: Path, errors: list[str], allowed: Collection[str]
) -> dict[str, Model]:
    if not isinstance(given, dict) or not given:
        errors.append(document.error(("models",), "expected a mapping from names to models"))
        return {}
    models = {}
    for name, item in given.items():
        if wrong := name_mistake(str(name)):
            errors.append(document.error(("models", name), wrong))
        model = read_model(document, ("models", name), item, file, errors, allowed)
        if model is not None:
            models[str(name)] = model
    return models


def _shuffled(
    document: Document, models: Mapping[str, Model], errors: list[str]
) -> dict[str, Model]:
    """Return the control of the first model that learns from labels alone."""
    for name, model in models.items():
        more = (model.pretrain, model.prune, model.distill, model.adapt)
        if model.branch != LEARNS_NOTHING and all(each is None for each in more):
            control = SHUFFLED.format(name)
            if control in models:
                errors.append(document.error(("models", control), "a control is called so"))
            return {control: model.model_copy(update={"control": "shuffled"})}
    text = "shuffled: there is no model but chance, pretrained, pruned, distilled and updated ones"
    errors.append(document.error(("controls",), text))
    return {}


def _meaning(document: Document, study: Study) -> list[str]:
    """Return mistakes that no single key shows."""
    errors = []
    if study.evaluate.protocol == "cross_dataset" and len(study.data) < 2:
        errors.append(document.error(("data",), "cross_dataset needs two or more data sets"))
    if study.evaluate.protocol != "cross_dataset" and len(study.data) > 1:
        errors.append(document.error(("data",), "several data sets need protocol cross_dataset"))
    views: list[tuple[KeyPath, View]] = [(("view",), study.view)]
    views += [(("models", n, "view"), m.view) for n, m in study.models.items() if m.view]
    for path, view in views:
        errors += [document.error((*path, key), text) for key, text in cut_mistakes(view)]
    if len(set(study.evaluate.seeds)) < len(study.evaluate.seeds):
        errors.append(document.error(("evaluate", "seeds"), "a seed is given twice"))
    rows = (*(n for n, m in study.models.items() if m.control is None), *study.ensembles)
    if study.reference is not None and study.reference not in rows:
        known = suggest(study.reference, rows)
        text = f"the study has no model or ensemble '{study.reference}'{known}"
        errors.append(document.error(("reference",), text))
    errors += [document.error(path, text) for path, text in label_mistakes(study)]
    errors += [document.error(path, text) for path, text in _bound_mistakes(study)]
    errors += [document.error(path, text) for path, text in distill_mistakes(study)]
    errors += [document.error(path, text) for path, text in adapt_mistakes(study)]
    return errors


def _bound_mistakes(study: Study) -> Iterator[tuple[KeyPath, str]]:
    """Yield (path, sentence) for models trained on the people tested where that means nothing."""
    bounds = [name for name, model in study.models.items() if model.trained_on]
    for name in bounds:
        path: KeyPath = ("models", name, "trained_on")
        if study.evaluate.protocol not in ("cross_subject", "cross_dataset"):
            yield path, f"protocol {study.evaluate.protocol} trains on the people tested anyway"
        if study.evaluate.amounts or study.evaluate.calibrate:
            yield path, "it takes all labels of the other sessions: leave few labels out"
    for name, ensemble in study.ensembles.items():
        if taken := [member for member in ensemble.of if member in bounds]:
            text = f"'{taken[0]}' is trained on other people than the rest: leave it out"
            yield ("ensembles", name, "of"), text
