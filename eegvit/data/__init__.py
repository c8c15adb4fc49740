"""Where trials come from: MOABB, files, BIDS folders, simulation; and the cache."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Protocol

from eegvit import registry
from eegvit.config import Card
from eegvit.trials import Trials

if TYPE_CHECKING:
    from eegvit.data.cache import Cache

# What of a card decides the trials; the rest describes them.
_DECIDES = (
    "name", "source", "options", "paradigm", "classes", "channels", "band", "window", "baseline",
    "resample", "artifacts",
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
    chosen: Source = registry.lookup(registry.SOURCES, card.source)(card, **card.options)
    return chosen


def decides(card: Card) -> dict[str, Any]:
    """Return what of a card decides the trials, as plain values."""
    return card.model_dump(mode="json", include=set(_DECIDES))


def recipe_of(card: Card, subject: str) -> dict[str, Any]:
    """Return everything that decides a person's trials: the cache's key is its hash."""
    return {
        "card": decides(card),
        "subject": str(subject),
        "fingerprint": source(card).fingerprint(str(subject)),
    }


def read_subject(card: Card, subject: str, cache: Cache | None = None) -> list[Trials]:
    """Return a person's trials, one Trials a session, from the cache where they are there."""
    if cache is None:
        sessions = source(card).read(str(subject))
    else:
        recipe = recipe_of(card, subject)
        sessions = cache.sessions(recipe, lambda: source(card).read(str(subject)))
    _check_expected(card, str(subject), sessions)
    return sessions


def _check_expected(card: Card, subject: str, sessions: list[Trials]) -> None:
    """Refuse trials of another kind than the card describes; warn where they are too few."""
    if not sessions:
        raise ValueError(f"{card.name}, subject {subject}: no session")
    present = {label for trials in sessions for label in trials.labels.tolist()}
    missing = [name for name in card.classes if name not in present]
    if missing:
        raise ValueError(
            f"{card.name}, subject {subject}: no trial of class {', '.join(missing)};"
            f" there are {', '.join(sorted(present)) or 'none'}. The card's `classes` or the"
            " events are wrong, or the copy is incomplete."
        )
    expected = card.expected
    if expected is None:
        return
    n_channels = sessions[0].n_channels
    if expected.channels and card.channels is None and n_channels != expected.channels:
        raise ValueError(
            f"{card.name}, subject {subject}: {n_channels} channels, the card expects"
            f" {expected.channels}; name the channels to use in the card's `channels`"
        )
    if expected.sessions and len(sessions) != expected.sessions:
        warnings.warn(
            f"{card.name}, subject {subject}: {len(sessions)} sessions, the card expects"
            f" {expected.sessions}; the copy may be incomplete",
            stacklevel=3,
        )
    short = [t for t in sessions if expected.trials and len(t) != expected.trials]
    if short and card.artifacts == "keep":
        warnings.warn(
            f"{card.name}, subject {subject}, session {short[0].session[0]}: {len(short[0])}"
            f" trials, the card expects {expected.trials}",
            stacklevel=3,
        )
