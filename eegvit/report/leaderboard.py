"""The leaderboard as text: Markdown, CSV and a table for the terminal."""

from __future__ import annotations

import csv
import io
import math
import re
import textwrap
from collections.abc import Sequence

from eegvit.config.names import printable
from eegvit.report import words
from eegvit.report.efficiency import efficiency_markdown, efficiency_terminal
from eegvit.report.ensembles import ensembles_markdown
from eegvit.report.fusion import fusion_markdown
from eegvit.results.few_labels import Efficiency
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import METRICS
from eegvit.results.results import Results

WIDTH = 100
TEST = "p: two-sided paired sign flips over subjects against the best of the group, Holm."
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for one; after ' it is text
SCORE_COLUMNS = ("model", "data", "subject", "session", "seed", "n_trials", *METRICS)


def terminal(results: Results) -> str:
    """Return the leaderboard for a terminal, at most 100 columns wide."""
    metric = results.study.evaluate.metric
    others = [m for m in ("kappa", "roc_auc") if m != metric]  # what fits beside the names
    header = ["#", "model", f"{_short(metric)}{words.unit(metric)}", "SD", "95 % CI", "p"]
    header += [words.SHORT_NAMES[m].lower().replace("auc", "AUC") for m in others]
    header += ["params", "fit"]
    lines = [_headline(results), ""]
    tables = []
    for target in targets(results):
        body = []
        for row in of_target(results, target):
            body.append(
                [
                    rank(row),
                    _clipped(row.model, 24),
                    shown_mean(row, metric),
                    words.score(metric, row.sd),
                    interval(row, metric),
                    p_against_best(results, row),
                    *(words.score(m, row.others[m]) for m in others),
                    words.count(row.n_parameters),
                    words.seconds(row.seconds_fit),
                ]
            )
        tables.append((target, body))
    widths = _widths([header] + [cells for _, body in tables for cells in body])
    for target, body in tables:
        lines += [words.target_title(target), _spaced(header, widths)]
        lines += [_spaced(cells, widths) for cells in body]
        lines += [*_failures(of_target(results, target)), ""]
    if more := efficiency_terminal(results):
        lines += [*more, ""]
    lines += [chance_line(results), TEST]
    if names := ", ".join(results.study.ensembles):
        lines += textwrap.wrap(f"Ensembles: {names}.", WIDTH)
    return "\n".join(printable(line)[:WIDTH].rstrip() for line in lines)


def markdown(results: Results, command: str = "") -> str:
    """Return the leaderboard as Markdown."""
    study, metric = results.study, results.study.evaluate.metric
    others = [m for m in METRICS if m != metric]
    header = ["#", "model", f"{words.METRIC_NAMES[metric]}{words.unit(metric)}", "SD", "95 % CI"]
    header += ["SD seeds", "chance (bound)", "p (Holm)"]
    header += [words.METRIC_NAMES[m] for m in others] + ["parameters", "MACs", "1 trial"]
    header += ["64 trials", "CPU per fit", "CPU total"]
    parts = [f"# {_cell(study.name)}", ""]
    if results.simulated:
        parts += ["**SIMULATED DATA: these scores say nothing about real recordings.**", ""]
    parts += [_cell(study.description), ""] if study.description else []
    parts += [_cell(_headline(results)), "", words.protocol(study.evaluate), ""]
    if more := efficiency_markdown(results):
        parts += ["## Labels", "", *map(_line, more), ""]
    for target in targets(results):
        body = [
            [
                rank(row),
                _cell(row.model),
                shown_mean(row, metric),
                words.score(metric, row.sd),
                interval(row, metric),
                words.score(metric, row.seed_sd),
                f"{words.score(metric, row.chance)} ({words.score(metric, row.chance_bound)})",
                p_against_best(results, row),
                *(words.score(m, row.others[m]) for m in others),
                words.count(row.n_parameters),
                words.macs(row.macs),
                words.latency(row.seconds_1),
                words.latency(row.seconds_64),
                words.seconds(row.seconds_fit),
                words.seconds(row.seconds_total),
            ]
            for row in of_target(results, target)
        ]
        parts += [f"## {words.target_title(target)}", "", words.target_use(target), ""]
        parts += [_pipes(header, body), ""]
        failures = [f"- {_cell(line)}" for line in _failures(of_target(results, target))]
        parts += [*failures, ""] if failures else []
    if results.study.ensembles:
        parts += ["## Ensembles", "", *map(_cell, ensembles_markdown(results)), ""]
    if more := fusion_markdown(results):
        parts += ["## Fusion", "", *map(_line, more), ""]
    parts += [f"{chance_line(results)} {TEST}", ""]
    parts += ["Made by:", "", f"    {printable(command)}", ""] if command else []
    return "\n".join(parts)


def board_csv(results: Results) -> str:
    """Return the leaderboard as CSV, one line a model, scores as fractions."""
    metric = results.study.evaluate.metric
    corrected = {c.other: c for c in results.comparisons}
    plain = ("rank", "model", "branch", "target", "align", "status", "reason")
    counts = ("n_fits", "n_failed", "n_missing", "n_seeds", "n_subjects")
    numbers = ("mean", "sd", "ci_low", "ci_high", "seed_sd", "chance", "chance_bound")
    costs = ("n_parameters", "macs", "seconds_1", "seconds_64", "seconds_fit", "seconds_total")
    lines: list[dict[str, object]] = []
    for row in results.board:
        line: dict[str, object] = {name: getattr(row, name) for name in plain + counts}
        line["metric"] = metric
        line |= {name: getattr(row, name) for name in numbers}
        test = corrected.get(row.model)
        line["p"] = test.p if test else None
        line["p_holm"] = test.p_holm if test else None
        line |= {f"mean_{name}": row.others[name] for name in METRICS}
        line |= {name: getattr(row, name) for name in costs}
        lines.append(line)
    return _csv(list(lines[0]) if lines else list(plain), lines)


def scores_csv(results: Results) -> str:
    """Return every score row as CSV: the same text for the same predictions."""
    return _csv(SCORE_COLUMNS, results.rows)


def labels_csv(efficiency: Efficiency) -> str:
    """Return the score of every model, amount of labels, draw, seed and subject as CSV."""
    columns = ("model", "labels", "draw", "seed", "subject", "metric", "score")
    return _csv(columns, [dict(row) for row in efficiency.rows])


def targets(results: Results) -> list[str]:
    """Return the kinds of target use on the board, in its order."""
    return list(dict.fromkeys(row.target for row in results.board))


def of_target(results: Results, target: str) -> list[BoardRow]:
    """Return the rows of one kind of target use."""
    return [row for row in results.board if row.target == target]


def rank(row: BoardRow) -> str:
    """Return the rank within the target use, or a dash."""
    return words.NOTHING if row.rank is None else str(row.rank)


def shown_mean(row: BoardRow, metric: str) -> str:
    """Return the mean, or why there is none."""
    if row.status != "ok":
        return row.status.upper()
    return words.score(metric, row.mean) + ("" if above_chance(row, metric) else "*")


def above_chance(row: BoardRow, metric: str) -> bool:
    """Whether the mean is beyond the chance bound, or there is no bound to compare with."""
    return math.isnan(row.mean) or math.isnan(row.chance_bound) or row.mean > row.chance_bound


def interval(row: BoardRow, metric: str) -> str:
    """Return the 95 % interval of the mean."""
    if math.isnan(row.ci_low):
        return words.NOTHING
    return f"{words.score(metric, row.ci_low)}–{words.score(metric, row.ci_high)}"


def p_against_best(results: Results, row: BoardRow) -> str:
    """Return Holm's p-value against the best of the same target use."""
    found = [c for c in results.comparisons if c.target == row.target]
    if found and found[0].best == row.model:
        return "best"
    own = [c for c in found if c.other == row.model]
    return words.p_value(own[0].p_holm) if own else words.NOTHING


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


def _headline(results: Results) -> str:
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


def _failures(rows: Sequence[BoardRow]) -> list[str]:
    return [f"{row.model}: {row.reason}" for row in rows if row.status != "ok"]


def _short(metric: str) -> str:
    return words.METRIC_NAMES[metric].lower() if len(metric) < 10 else words.SHORT_NAMES[metric]


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _cell(text: str) -> str:
    return printable(" ".join(text.split())).replace("|", "\\|").replace("<", "&lt;")


def _line(text: str) -> str:
    """Return a line of Markdown in which no name starts a tag."""
    return re.sub("<(?=[A-Za-z/!?])", "&lt;", printable(text))


def _widths(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(cells[i]) for cells in table) for i in range(len(table[0]))]


def _spaced(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = (1,)
    return "  ".join(
        cell.ljust(width) if i in left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _pipes(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    widths = _widths([header, *body])
    rule = ["-" * w if i == 1 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    rule = [part if len(part) > 1 else "-:" for part in rule]
    widths = [max(w, len(part)) for w, part in zip(widths, rule, strict=True)]
    lines = []
    for cells in (header, rule, *body):
        padded = [
            cell.ljust(w) if i == 1 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("| " + " | ".join(padded) + " |")
    return "\n".join(lines)


def _csv(columns: Sequence[str], lines: Sequence[dict[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([_plain(line[name]) for name in columns])
    return out.getvalue()


def _plain(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    text = printable(str(value))
    return f"'{text}" if text.startswith(FORMULA) and isinstance(value, str) else text
