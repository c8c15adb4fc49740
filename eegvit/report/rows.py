"""What a row of the leaderboard shows, the same on the page, in Markdown and on a terminal."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.results.leaderboard import BoardRow
from eegvit.results.results import Results
from eegvit.results.statistics.intervals import FEWEST

TOO_FEW = "too few people"


def targets(results: Results) -> list[str]:
    """Return the kinds of target use on the board, in its order."""
    return list(dict.fromkeys(row.target for row in results.board))


def of_target(results: Results, target: str) -> list[BoardRow]:
    """Return the rows of one kind of target use."""
    return [row for row in results.board if row.target == target]


def rank(row: BoardRow) -> str:
    """Return the rank within the target use, that it is a control, or a dash."""
    if row.control:
        return "control"
    return words.NOTHING if row.rank is None else str(row.rank)


def shown_mean(row: BoardRow, metric: str) -> str:
    """Return the mean, or why there is none."""
    if row.status != "ok":
        return row.status.upper()
    return words.score(metric, row.mean) + ("" if above_chance(row) else "*")


def above_chance(row: BoardRow) -> bool:
    """Whether the mean is beyond the chance bound, or there is no bound to compare with."""
    return math.isnan(row.mean) or math.isnan(row.chance_bound) or row.mean > row.chance_bound


def interval(row: BoardRow, metric: str) -> str:
    """Return the 95 % interval of the mean, or that so few people give none."""
    if math.isnan(row.ci_low):
        known = not math.isnan(row.mean) and row.n_subjects < FEWEST
        return TOO_FEW if known else words.NOTHING
    return f"{words.score(metric, row.ci_low)}–{words.score(metric, row.ci_high)}"


def p_beside(results: Results, row: BoardRow) -> str:
    """Return the corrected p against the reference, or the best of the same target use."""
    if results.against and row.model == results.study.reference:
        return "reference"
    pair = results.tested(row)
    if pair is not None:
        return words.p_value(pair.p_holm)
    is_best = not results.against and row.rank == 1 and results.family(row.target).pairs
    return "best" if is_best else words.NOTHING


def test_said(results: Results) -> str:
    """Return what the p beside a row is."""
    if results.against:
        return f"sign flips over people against {results.study.reference}, Holm over all rows"
    return "sign flips over people against the best of the group, Holm over all its pairs"


def ranks(results: Results, row: BoardRow) -> str:
    """Return the interval of the rank."""
    standing = results.family(row.target).standings.get(row.model)
    if standing is None or standing.low is None:
        return words.NOTHING
    return f"{standing.low}–{standing.high}" if standing.low != standing.high else str(standing.low)


def letters(results: Results, row: BoardRow) -> str:
    """Return the letters of the rows that it cannot be told apart from."""
    family = results.family(row.target)
    return family.standings[row.model].letters if row.rank is not None and family.pairs else ""


def chance_line(results: Results) -> str:
    """Return the chance level of the mean over subjects, and what the star means."""
    metric = results.study.evaluate.metric
    if not results.board:
        return ""
    row = results.board[0]
    said = f"Chance {words.score(metric, row.chance)}{words.unit(metric)}"
    if not math.isnan(row.chance_bound):
        said += f", 95 % bound {words.score(metric, row.chance_bound)} (* = not above it)"
    return said + "."


def headline(results: Results) -> str:
    """Return study, data, people, trials and protocol in a line."""
    study = results.study
    data = ", ".join(card.name for card in study.data)
    if results.simulated:
        data += " [SIMULATED]"
    return " · ".join(
        [
            study.name,
            data,
            words.number_of(results.n_subjects, "subject"),
            words.number_of(results.n_trials, "test trial"),
            study.evaluate.protocol.replace("_", "-"),
        ]
    )


def failures(rows: list[BoardRow]) -> list[str]:
    """Return why rows have no score: a reason that several share is said once."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.status != "ok":
            reasons.setdefault(row.reason, []).append(row.model)
    return [f"{', '.join(models)}: {reason}" for reason, models in reasons.items()]
