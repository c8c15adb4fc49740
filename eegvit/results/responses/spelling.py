"""How fast a board of rows and columns would spell, estimated from single flashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eegvit.config import Study
from eegvit.config.cards.card import Speller
from eegvit.results.leaderboard import Tested
from eegvit.results.metrics import SMALLEST_PROBABILITY
from eegvit.results.outcomes import FloatArray, Predictions, rows_of

REPETITIONS = 15  # most flashes of each row and column for one character
N_DRAWS = 2000  # characters that are drawn for each person


@dataclass(frozen=True, eq=False)
class Spelling:
    """What a model would spell.

    Parameters
    ----------
    right : array, shape (people, repetitions)
        Share of characters that are right after 1, 2, ... flashes of each row and column.
    seconds : array, shape (repetitions,)
        What a character takes.
    """

    right: FloatArray
    seconds: FloatArray

    @property
    def correct(self) -> FloatArray:
        """Correct characters a minute by repetitions, mean over people."""
        return np.asarray((60 * self.right / self.seconds).mean(axis=0))

    @property
    def mended(self) -> FloatArray:
        """Characters a minute where each wrong one costs another to delete it, mean over people.

        None of a person who is wrong more often than right.
        """
        return np.asarray((60 * np.maximum(2 * self.right - 1, 0) / self.seconds).mean(axis=0))


def spelling(study: Study, tested: Tested) -> dict[str, Spelling]:
    """Return what each model and ensemble would spell, where the card describes a board.

    Scores of people's own trials are drawn at random: of trials of the second class for flashes
    that hold the wanted character, of the first for others. Flashes count as independent.

    Parameters
    ----------
    study : Study
    tested : mapping
        Predictions by model and seed; people who lack a fit are left out.
    """
    board = study.data[0].speller
    if len(study.data) != 1 or board is None:
        return {}
    seeds: dict[str, list[dict[str, FloatArray]]] = {}
    for (model, _), predictions in tested.items():
        seeds.setdefault(model, []).append(_of_people(predictions, board))
    found = {}
    for model, told in seeds.items():
        people = [who for who in told[0] if all(who in one for one in told)]
        if people:
            right = [np.mean([one[who] for one in told], axis=0) for who in people]
            found[model] = Spelling(np.stack(right), _seconds(board))
    return found


def characters_right(wanted: FloatArray, others: FloatArray, board: Speller) -> FloatArray:
    """Return the share of characters that are right after 1, 2, ... repetitions.

    A character is right if the sum of scores of its row is the highest of all rows, and that of
    its column the highest of all columns. Of equal sums one is taken at random.

    Parameters
    ----------
    wanted, others : arrays
        Log-odds of flashes that hold the wanted character, and of those that do not.
    board : Speller

    Examples
    --------
    >>> board = Speller(rows=6, columns=6, onset_to_onset=0.1)
    >>> characters_right(np.array([2.0]), np.array([-1.0, 1.0]), board)[[0, -1]]
    array([1., 1.])
    >>> float((characters_right(np.zeros(1), np.zeros(1), board)[0] * 36).round(6))
    1.0
    """
    rng = np.random.default_rng(0)
    return np.prod([_lines_right(wanted, others, n, rng) for n in (board.rows, board.columns)], 0)


def _lines_right(
    wanted: FloatArray, others: FloatArray, n_lines: int, rng: np.random.Generator
) -> FloatArray:
    shape = (N_DRAWS, REPETITIONS)
    target = rng.choice(wanted, shape).cumsum(axis=1)
    rest = rng.choice(others, (*shape, n_lines - 1)).cumsum(axis=1)
    best, equal = rest.max(axis=2), (rest == target[:, :, None]).sum(axis=2)
    return np.where(target >= best, 1 / (1 + equal), 0.0).mean(axis=0)


def _of_people(predictions: Predictions, board: Speller) -> dict[str, FloatArray]:
    told = np.clip(predictions.probabilities, SMALLEST_PROBABILITY, 1.0)
    odds = np.log(told[:, 1]) - np.log(told[:, 0])
    found, done = {}, predictions.done
    for who, rows in rows_of(predictions.subject).items():
        others, wanted = (odds[rows[predictions.y[rows] == code]] for code in (0, 1))
        if done[rows].all() and len(wanted) and len(others):
            found[who] = characters_right(wanted, others, board)
    return found


def _seconds(board: Speller) -> FloatArray:
    flashes = (board.rows + board.columns) * np.arange(1.0, REPETITIONS + 1)
    return np.asarray(flashes * board.onset_to_onset + board.pause, dtype=np.float64)
