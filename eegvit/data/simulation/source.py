"""Simulated people who imagine movements: nothing to download, and the truth is known."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import mne

from eegvit.config import Card
from eegvit.data.epoching.runs import Recording
from eegvit.data.epoching.sessions import session_trials
from eegvit.data.folders import chosen_subjects
from eegvit.data.simulation.people import CLASSES
from eegvit.data.simulation.recordings import CHANNELS, Design, simulate
from eegvit.registry import suggest
from eegvit.trials import Trials

FORMAT = 2


class SimulatedSource:
    """A motor imagery experiment in a spherical head.

    The card's `channels` (any of the 10-05 system; by default the 22 of BCI Competition IV
    2a) are recorded and its `classes` (of left_hand, right_hand, feet, tongue) imagined.
    A person is the same whoever else takes part and whatever electrodes they wear.

    Parameters
    ----------
    card : Card
        The effective card.
    seed : int, default=0
        Of everything that is drawn.
    n_subjects : int, default=9
        People, named "1", "2", and so on.
    n_sessions : int, default=2
        Days, each with its own cap placement and drift.
    n_trials : int, default=288
        Trials of a session, shared equally by its runs.
    n_runs : int, default=6
        Runs of a session.
    sampling_rate : float, default=250.0
        In Hz, 80 or more.
    difficulty : float, default=1.0
        1 is about as hard as BCI Competition IV 2a. More means a stronger background and
        weaker control, less means the opposite.

    Examples
    --------
    >>> card = Card(
    ...     name="two",
    ...     source="simulated",
    ...     classes=("left_hand", "right_hand"),
    ...     channels=("C3", "Cz", "C4"),
    ...     band=(4, 40),
    ...     window=(0.5, 3.5),
    ... )
    >>> people = SimulatedSource(card, n_subjects=2, n_sessions=1, n_trials=8, n_runs=2)
    >>> people.subjects()
    ('1', '2')
    >>> people.read("1")[0].X.shape
    (8, 3, 750)
    """

    def __init__(
        self,
        card: Card,
        *,
        seed: int = 0,
        n_subjects: int = 9,
        n_sessions: int = 2,
        n_trials: int = 288,
        n_runs: int = 6,
        sampling_rate: float = 250.0,
        difficulty: float = 1.0,
    ) -> None:
        if min(n_subjects, n_sessions) < 1:
            raise ValueError(
                f"{card.name}: n_subjects={n_subjects}, n_sessions={n_sessions}: at least 1 of each"
            )
        unknown = [name for name in card.classes if name not in CLASSES]
        if unknown:
            raise ValueError(
                f"{card.name}: simulated people cannot imagine '{unknown[0]}'"
                f"{suggest(unknown[0], CLASSES)}"
            )
        self.card = card
        self.n_subjects = n_subjects
        self.n_sessions = n_sessions
        self.design = Design(
            seed=seed,
            n_trials=n_trials,
            n_runs=n_runs,
            sampling_rate=sampling_rate,
            difficulty=difficulty,
            classes=card.classes,
        )

    def subjects(self) -> tuple[str, ...]:
        """Names of the people."""
        names = tuple(str(number + 1) for number in range(self.n_subjects))
        return chosen_subjects(self.card, names, self.card.name)

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """What is asked of people, defaults included, and versions that the numbers depend on."""
        versions = {name: importlib.metadata.version(name) for name in ("mne", "numpy", "scipy")}
        return {"format": FORMAT, **versions, **asdict(self.design), "n_sessions": self.n_sessions}

    def read(self, subject: str) -> list[Trials]:
        """One person's trials, one Trials a session."""
        self._check(subject, tuple(str(number + 1) for number in range(self.n_subjects)))
        return [
            session_trials(
                self._recordings(int(subject), session),
                self.card,
                subject=subject,
                session=str(session),
            )
            for session in range(self.n_sessions)
        ]

    def _recordings(self, subject: int, session: int) -> Iterator[Recording]:
        channels = self.card.channels or CHANNELS
        info = mne.create_info(list(channels), self.design.sampling_rate, "eeg")
        for number, run in enumerate(simulate(self.design, subject, session, channels)):
            yield Recording(
                mne.io.RawArray(run.signals * 1e-6, info, verbose="ERROR"),
                run.cues,
                run.labels,
                artifact=run.artifacts,
                run=str(number),
                where=f"{self.card.name} subject {subject} session {session} run {number}",
            )

    def _check(self, subject: str, names: tuple[str, ...]) -> None:
        if subject not in names:
            raise ValueError(
                f"{self.card.name} has no subject '{subject}'{suggest(subject, names)}"
            )
