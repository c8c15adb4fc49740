"""What readers have to say: to the user at once, and beside the trials for good."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import mne

_NOTES: ContextVar[list[str] | None] = ContextVar("_NOTES", default=None)
_OF_NO_USE = re.compile(
    r"This filename .* does not conform|^Did not find any|^The search_str was|"
    r"^No BIDS -> MNE mapping|^Not setting positions|DigMontage is only a subset"
)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect what is noted within a block.

    Examples
    --------
    >>> with collected() as notes, warnings.catch_warnings(action="ignore"):
    ...     note("a.edf: its last second is missing")
    >>> notes
    ['a.edf: its last second is missing']
    """
    notes: list[str] = []
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def note(text: str) -> None:
    """Say something about a recording, once."""
    notes = _NOTES.get()
    if notes is not None and text in notes:
        return
    if notes is not None:
        notes.append(text)
    warnings.warn(text, stacklevel=3)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what MNE warns of within a block, once each; the list is full after the block."""
    said: list[str] = []
    with mne.use_log_level("WARNING"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    for warning in caught:
        text = " ".join(str(warning.message).split())
        of_use = issubclass(warning.category, RuntimeWarning) and not _OF_NO_USE.search(text)
        own = "mne" in Path(warning.filename).parts  # MNE shows its warnings as its caller's
        if of_use and not own and text not in said:
            said.append(text)
