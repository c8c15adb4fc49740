"""What each model would spell on the board of the card."""

from __future__ import annotations

import numpy as np

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.outcomes import FloatArray
from eegvit.results.responses.spelling import REPETITIONS, spelling
from eegvit.results.results import Results

AFTER = (1, 5, REPETITIONS)
SPEEDS = {
    "characters a minute": "correct ones, at the repetitions that give the most, mean over people",
    "errors deleted": "characters that remain if each wrong one costs another to delete it",
}


def spelling_table(results: Results) -> Table | None:
    """Return shares of right characters and the best speeds, where the card describes a board."""
    found = spelling(results.study, results.predictions)
    titles = [f"right after {n}, %" for n in AFTER]
    about = "share of characters, mean over people; below it from the least person to the most"
    columns = [Column("model", "model", left=True), *(Column(t, t, about) for t in titles)]
    columns += [Column(title, title, said) for title, said in SPEEDS.items()]
    rows = []
    for row in results.board:
        if row.status != "ok" or row.model not in found:
            continue
        told = found[row.model]
        cells = [_share(told.right[:, n - 1]) for n in AFTER]
        rows.append(named(row.model, *cells, _speed(told.correct), _speed(told.mended)))
    return Table("Estimated spelling", tuple(columns)).of(rows) if rows else None


def spelling_said(results: Results) -> str:
    """Return how the table was estimated, in sentences."""
    board = results.study.data[0].speller
    assert board is not None
    pause = f", and {board.pause:.3g} s between characters" if board.pause else ""
    return (
        f"Spelling on a board of {board.rows} x {board.columns}, whose rows and columns flash"
        f" {board.onset_to_onset:.3g} s after each other{pause}: estimated, not measured. Scores of"
        " single flashes are drawn from each person's own test trials as if flashes were"
        " independent of each other, and summed over repetitions; where responses overlap they"
        " are not independent, and real spelling differs. Speeds are those at the number of"
        " repetitions that suits a model best, chosen on the same figures."
    )


def _share(people: FloatArray) -> Cell:
    mean, low, high = (100 * float(v) for v in (people.mean(), people.min(), people.max()))
    return Cell(f"{mean:.1f}", (f"{low:.0f}–{high:.0f}",), value=mean)


def _speed(by_repetitions: FloatArray) -> Cell:
    best = int(np.argmax(by_repetitions))
    speed = float(by_repetitions[best])
    said = f"after {words.number_of(best + 1, 'repetition')}" if speed else ""
    return Cell(f"{speed:.2f}", (said,) if said else (), value=speed)
