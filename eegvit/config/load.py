"""From a study file to a Study: every mistake found at once, each with its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit import registry
from eegvit.config.branches import read_model, read_parameters
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.ensembles import read_ensembles
from eegvit.config.models import Card, Model, Study, View
from eegvit.config.pretraining import label_mistakes
from eegvit.config.signature import complaints


def load_yaml(path: str | Path) -> Any:
    """Return what a YAML file says, as plain Python values."""
    return Document.read(Path(path)).value


def load_card(name: str | Path, near: Path | None = None) -> Card:
    """Return a data set's card by name or by file."""
    document = Document.read(find("datasets", str(name), near))
    errors: list[str] = []
    card = _card(document, (), errors)
    if card is None:
        raise StudyErrors(errors)
    return card


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """Return the study that a file, or a shipped pipeline's name, describes."""
    file = find("pipelines", str(path), None)
    document = Document.read(file)
    if not isinstance(document.value, dict):
        raise StudyErrors([f"{file}:1: a study file is a mapping with name, data and models"])
    for override in overrides:
        document.override(override)
    return _study(document, file)


def _study(document: Document, file: Path) -> Study:
    errors = list(document.repeated)
    top = dict(document.value)
    cards = _cards(document, top.pop("data", None), file, errors)
    named = top.pop("models", None)
    models = _models(document, named, file, errors)
    names = [str(name) for name in named] if isinstance(named, dict) else []
    ensembles = read_ensembles(document, top.pop("ensembles", None), names, errors)
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


def _cards(document: Document, given: Any, file: Path, errors: list[str]) -> tuple[Card, ...]:
    if given is None:
        errors.append(document.error((), "'data' is missing: a card's name, or a mapping in place"))
        return ()
    several = isinstance(given, list)
    cards = []
    for i, item in enumerate(given if several else [given]):
        path: KeyPath = ("data", i) if several else ("data",)
        item = {"card": item} if isinstance(item, str) else item
        if not isinstance(item, dict):
            errors.append(
                document.error(path, f"expected a card's name or a mapping, got {item!r}")
            )
            continue
        item = dict(item)
        base: dict[str, Any] = {"origin": str(file)}
        places = dict(document.places)
        if "card" in item:
            name = str(item.pop("card"))
            try:
                card_document = Document.read(find("datasets", name, file))
            except StudyErrors as error:
                reason = error.lines[0].split(": ", 1)[-1]
                errors.append(document.error(path, reason))
                continue
            base = dict(card_document.value) | {"origin": str(card_document.file)}
            for where, place in card_document.places.items():
                places.setdefault((*path, *where), place)
        if isinstance(item.get("options"), dict):
            item["options"] = {**base.get("options", {}), **item["options"]}
        merged = Document({**base, **item}, places, document.text, document.file)
        card = _card(merged, path, errors)
        if card is not None:
            cards.append(card)
    return tuple(cards)


def _card(document: Document, path: KeyPath, errors: list[str]) -> Card | None:
    try:
        value = {"origin": str(document.file)} | document.value
        card = Card.model_validate(value)
    except ValidationError as error:
        errors += [document.error((*path, *at), text) for at, text in complaints(error, Card)]
        return None
    if card.source not in registry.SOURCES:
        hint = registry.suggest(card.source, registry.SOURCES)
        errors.append(document.error((*path, "source"), f"unknown source '{card.source}'{hint}"))
        return None
    options = read_parameters(
        document, registry.lookup(registry.SOURCES, card.source), card.options,
        (*path, "options"), errors,
    )  # fmt: skip
    return card.model_copy(update={"options": options})


def _models(document: Document, given: Any, file: Path, errors: list[str]) -> dict[str, Model]:
    if not isinstance(given, dict) or not given:
        errors.append(document.error(("models",), "expected a mapping from names to models"))
        return {}
    models = {}
    for name, item in given.items():
        model = read_model(document, ("models", name), item, file, errors)
        if model is not None:
            models[str(name)] = model
    return models


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
        if view.window and view.window[0] >= view.window[1]:
            errors.append(document.error((*path, "window"), "the window ends before it begins"))
    if len(set(study.evaluate.seeds)) < len(study.evaluate.seeds):
        errors.append(document.error(("evaluate", "seeds"), "a seed is given twice"))
    errors += [document.error(path, text) for path, text in label_mistakes(study)]
    return errors
