"""Where trials come from: MOABB, files, BIDS folders, simulation; and the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from eegvit import registry
from eegvit.config import Card
from eegvit.source_code import hash_of_code
from eegvit.trials import Trials

if TYPE_CHECKING:
    from eegvit.data.cache import Cache

# What of a card decides the trials; the rest describes them.
_DECIDES = (
    "name", "source", "options", "paradigm", "classes", "channels", "band", "window", "baseline",
    "resample", "artifacts", "windows", "bad_trials", "truncated",
)  # fmt: skip


class Source(Protocol):
    """What every source can do."""

    def subjects(self) -> tuple[str, ...]:
        """Names of the people, without reading any recording."""
        ...

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Everything beside the card that decides what `read` returns, as plain values."""
        ...

    def read(self, subject: str) -> list[Trials]:
        """One person's trials as the card wants them, one Trials a session, in time order."""
        ...


def source(card: Card) -> Source:
    """Return the source that a card names, with the card's options."""
    if card.windows is not None and card.source != "files":
        raise ValueError(f"{card.name}: `windows` cut recordings of the source `files` only")
    chosen: Source = registry.lookup(registry.SOURCES, card.source)(card, **card.options)
    return chosen


def decides(card: Card) -> dict[str, Any]:
    """Return what of a card decides the trials, as plain values."""
    decides = card.model_dump(mode="json", include=set(_DECIDES))
    return decides | {"judged": card.judgement.model_dump(mode="json")}


def recipe_of(card: Card, subject: str) -> dict[str, Any]:
    """Return everything that decides a person's trials: the cache's key is its hash."""
    read_by = source(card)
    return {
        "card": decides(card),
        "subject": str(subject),
        "fingerprint": read_by.fingerprint(str(subject)),
        "source code": hash_of_code([type(read_by).__module__]),
    }


def read_subject(card: Card, subject: str, cache: Cache | None = None) -> list[Trials]:
    """Return a person's trials, one Trials a session, from the cache where they are there."""
    if cache is None:
        sessions = source(card).read(str(subject))
    else:
        recipe = recipe_of(card, subject)
        sessions = cache.sessions(recipe, lambda: source(card).read(str(subject)))
    _check_classes(card, str(subject), sessions)
    return sessions


def _check_classes(card: Card, subject: str, sessions: list[Trials]) -> None:
    """Refuse a person of whom a class is missing."""
    if not sessions:
        raise ValueError(f"{card.name}, subject {subject}: no session")
    present = {label for trials in sessions for label in trials.labels.tolist()}
    missing = [name for name in card.classes if name not in present]
    if missing:
        accounts = [trials.account.left_out for trials in sessions if trials.account]
        left_out = [f"{n} ({why})" for account in accounts for why, n in account.items()]
        gone = f" Trials left out: {', '.join(left_out)}." if left_out else ""
        raise ValueError(
            f"{card.name}, subject {subject}: no trial of class {', '.join(missing)};"
            f" there are {', '.join(sorted(present)) or 'none'}.{gone} The card's `classes` or the"
            " events are wrong, or the copy is incomplete."
        )
