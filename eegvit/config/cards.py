"""Data sets in a study file: a card by its name, with changes, or a mapping in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit import registry
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.models import Card, outdated
from eegvit.config.signature import complaints, read_parameters


def read_cards(
    document: Document, at: KeyPath, given: Any, file: Path, errors: list[str]
) -> tuple[Card, ...]:
    """Return the cards that a study names or describes at a path, or add to the errors."""
    if given is None:
        errors.append(document.error((), "'data' is missing: a card's name, or a mapping in place"))
        return ()
    several = isinstance(given, list)
    cards = []
    for i, item in enumerate(given if several else [given]):
        path: KeyPath = (*at, i) if several else at
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
        expected = base.get("expected")
        gone = outdated(item)
        if isinstance(expected, dict) and "expected" not in item:
            base["expected"] = {k: v for k, v in expected.items() if k not in gone}
        merged = Document({**base, **item}, places, document.text, document.file)
        card = read_card(merged, path, errors)
        if card is not None:
            cards.append(card)
    return tuple(cards)


def read_card(document: Document, path: KeyPath, errors: list[str]) -> Card | None:
    """Return the card that a document is, its options checked, or add to the errors."""
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
