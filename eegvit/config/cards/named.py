"""Cards that a study names or describes, each mistake with its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eegvit import registry
from eegvit.config.cards.card import Card, View, outdated
from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.names import name_mistake
from eegvit.config.signature import complaints, read_parameters


def read_cards(
    document: Document, at: KeyPath, given: Any, file: Path, errors: list[str]
) -> tuple[Card, ...]:
    """Return the cards that a study names or describes at a path, or add to the errors."""
    if given is None:
        errors.append(document.error((), "'data' is missing: a card's name, or a mapping in place"))
        return ()
    if given == []:
        errors.append(document.error(at, "the list is empty: name a card, or describe one"))
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
                found = find("datasets", name, file)
            except StudyErrors as error:
                reason = error.lines[0].split(": ", 1)[-1]
                errors.append(document.error(path, reason))
                continue
            try:
                card_document = read_mapping(found)
            except StudyErrors as error:
                errors += error.lines
                continue
            base = dict(card_document.value) | {"origin": str(card_document.file)}
            for where, place in card_document.places.items():
                places.setdefault((*map(str, path), *where), place)
        if isinstance(item.get("options"), dict) and isinstance(base.get("options"), dict):
            item["options"] = {**base["options"], **item["options"]}
        expected = base.get("expected")
        gone = outdated(item)
        if isinstance(expected, dict) and "expected" not in item:
            base["expected"] = {k: v for k, v in expected.items() if k not in gone}
        merged = Document({**base, **item}, places, document.text, document.file)
        card = read_card(merged, path, errors)
        if card is not None:
            cards.append(card)
    return tuple(cards)


def read_mapping(file: Path) -> Document:
    """Return the document that a card's file is."""
    document = Document.read(file)
    if not isinstance(document.value, dict):
        raise StudyErrors([f"{file}:1: a card is a mapping with name, source, classes and window"])
    return document


def read_card(document: Document, path: KeyPath, errors: list[str]) -> Card | None:
    """Return the card that a document is, its options checked, or add to the errors."""
    before = len(errors)
    try:
        value = {"origin": str(document.file)} | document.value
        card = Card.model_validate({str(key): item for key, item in value.items()})
    except ValidationError as error:
        errors += [document.error((*path, *at), text) for at, text in complaints(error, Card)]
        return None
    errors += [document.error((*path, key), text) for key, text in _mistakes(card)]
    try:
        source = registry.lookup(registry.SOURCES, card.source)
    except Exception as error:  # unknown, or whatever the package of an entry point raises
        errors.append(document.error((*path, "source"), str(error)))
        return None
    options = read_parameters(document, source, card.options, (*path, "options"), errors)
    return card.model_copy(update={"options": options}) if len(errors) == before else None


def _mistakes(card: Card) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for what no type shows."""
    if wrong := name_mistake(card.name):
        yield "name", wrong
    for key in ("classes", "channels", "subjects"):
        names = getattr(card, key)
        if names is None:
            continue
        if not names:
            yield key, "the list is empty: leave it out for all"
        if repeated := [name for i, name in enumerate(names) if name in names[:i]]:
            yield key, f"'{repeated[0]}' is given twice"
    yield from cut_mistakes(card)


def cut_mistakes(cut: Card | View) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for what is wrong with how recordings are cut and filtered."""
    if cut.window and cut.window[0] >= cut.window[1]:
        yield "window", "the window ends before it begins"
    for key in ("band", "baseline"):
        low, high = getattr(cut, key) or (None, None)
        if low is not None and high is not None and low >= high:
            yield key, f"{low:g} is not below {high:g}"
    if cut.band and any(edge is not None and edge <= 0 for edge in cut.band):
        yield "band", "its edges are frequencies above 0 Hz, or null"
