"""The leaderboard and what it is made of as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from eegvit.config.names import printable
from eegvit.results.families import Standing
from eegvit.results.few_labels import Efficiency
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import METRICS
from eegvit.results.results import Results

SCORE_COLUMNS = ("model", "data", "subject", "session", "seed", "n_trials", *METRICS)
FORMULA = ("=", "+", "-", "@")  # with which a spreadsheet's formulas begin


def board_csv(results: Results) -> str:
    """Return the leaderboard as CSV, one line a model, scores as fractions."""
    metric = results.study.evaluate.metric
    plain = ("rank", "model", "branch", "target", "align", "status", "reason", "control")
    counts = ("n_fits", "n_failed", "n_missing", "n_seeds", "n_subjects")
    numbers = (
        "mean",
        "sd",
        "ci_low",
        "ci_high",
        "both_low",
        "both_high",
        "seed_sd",
        "chance",
        "chance_bound",
    )
    costs = ("n_parameters", "macs", "seconds_1", "seconds_64", "seconds_fit", "seconds_total")
    lines: list[dict[str, object]] = []
    for row in results.board:
        line: dict[str, object] = {name: getattr(row, name) for name in plain + counts}
        line["metric"] = metric
        line |= {name: getattr(row, name) for name in numbers}
        test = results.tested(row)
        line["p"] = test.p if test else None
        line["p_holm"] = test.p_holm if test else None
        line |= {f"mean_{name}": row.others[name] for name in METRICS}
        line |= {name: getattr(row, name) for name in costs}
        lines.append(line | _standing(results, row))
    return _csv(list(lines[0]) if lines else list(plain), lines)


def pairs_csv(results: Results) -> str:
    """Return every pair of rows of one target use as CSV, and those with the reference."""
    columns = ["family", "first", "other", "difference", "low", "high", "both_low", "both_high"]
    columns += ["sd", "effect", "n_subjects", "wins", "ties", "losses"]
    columns += ["p", "p_wilcoxon", "p_holm"]
    told = [(f"target use: {one.target}", pair) for one in results.families for pair in one.pairs]
    told += [(f"reference: {results.study.reference}", pair) for pair in results.against]
    lines = [
        {"family": family} | {name: getattr(pair, name) for name in columns[1:]}
        for family, pair in told
    ]
    return _csv(columns, lines)


def _standing(results: Results, row: BoardRow) -> dict[str, object]:
    standing = results.family(row.target).standings.get(row.model, Standing(None, None, ""))
    told: dict[str, object] = {"rank_low": standing.low, "rank_high": standing.high}
    told["alike"] = standing.letters
    if results.study.reference is not None:
        pair = next((one for one in results.against if one.first == row.model), None)
        for name in ("difference", "low", "high"):
            told[f"reference_{name}"] = getattr(pair, name) if pair else None
    return told


def scores_csv(results: Results) -> str:
    """Return every score row as CSV: the same text for the same predictions."""
    return _csv(SCORE_COLUMNS, results.rows)


def labels_csv(efficiency: Efficiency) -> str:
    """Return the score of every model, amount of labels, draw, seed and subject as CSV."""
    columns = ("model", "labels", "draw", "seed", "subject", "metric", "score")
    return _csv(columns, efficiency.rows)


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([plain(line[name]) for name in columns])
    return out.getvalue()


def plain(value: object) -> str:
    """Return a value as it stands in a CSV file: no name is a formula.

    Examples
    --------
    >>> plain(0.25), plain("=1+1"), plain(None)
    ('0.250000', "'=1+1", '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    said = printable(str(value))
    return f"'{said}" if isinstance(value, str) and said.startswith(FORMULA) else said
