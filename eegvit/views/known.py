"""Whose recordings were read before: what a plan can be made of without opening a recording."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from eegvit.config import Card, sha256
from eegvit.data import decides
from eegvit.data.cache import Cache
from eegvit.sealed import read_mapping, recall, write_sealed


def note_known(card: Card, entries: dict[str, str], cache: Cache) -> None:
    """Note under which keys of the cache the people of a card are.

    Parameters
    ----------
    card : Card
        As it was read, changes of the study included.
    entries : dict
        The key of each person.
    cache : Cache
    """
    path = _file(card, cache)
    if recall(path, read_mapping) != entries:
        write_sealed(path, json.dumps(entries).encode())


def unread(cards: Iterable[Card], cache: Cache) -> dict[str, tuple[str, ...]]:
    """Return, for each data set that is not wholly in the cache, whom a run would read first.

    Nothing is opened and no data set is asked: where a card does not name its people and was
    never read, there are none.
    """
    found: dict[str, tuple[str, ...]] = {}
    for card in cards:
        known = recall(_file(card, cache), read_mapping)
        if known is None:
            found[card.name] = card.subjects or ()
        elif missing := tuple(who for who, key in known.items() if not cache.has_key(key)):
            found[card.name] = missing
    return found


def _file(card: Card, cache: Cache) -> Path:
    return cache.root / "known" / f"{sha256([decides(card), card.subjects])}.json"
