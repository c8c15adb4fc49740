"""Trials that are in memory already: given to `run_study`, not read from anywhere."""

from __future__ import annotations

from typing import Any, NoReturn

from eegvit.config import Card
from eegvit.trials import Trials


class ArraysSource:
    """The source of a card that stands for trials in memory.

    Parameters
    ----------
    card : Card
        What the trials are.
    """

    def __init__(self, card: Card) -> None:
        self.card = card

    def subjects(self) -> tuple[str, ...]:
        """Refuse: only `run_study` has the trials."""
        self._refuse()

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Refuse: only `run_study` has the trials."""
        self._refuse()

    def read(self, subject: str) -> list[Trials]:
        """Refuse: only `run_study` has the trials."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError(
            f"{self.card.name}: `source: arrays` stands for trials in memory; run the study from"
            " Python, eegvit.run_study(study, data=trials), or name files, bids or moabb"
        )
