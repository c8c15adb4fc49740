"""The leaderboard for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from eegvit.config.names import printable
from eegvit.report import words
from eegvit.report.rows import (
    TOO_FEW,
    chance_line,
    failures,
    headline,
    interval,
    of_target,
    p_beside,
    rank,
    shown_mean,
    targets,
    test_said,
)
from eegvit.report.tables.pairs import power_said
from eegvit.report.text.labels import labels_terminal
from eegvit.report.text.markdown import widths_of
from eegvit.results.results import Results

WIDTH = 100
NAME = 24  # columns of a model's name; a longer one goes on below


def terminal(results: Results) -> str:
    """Return the leaderboard for a terminal, at most 100 columns wide: longer text is wrapped."""
    metric = results.study.evaluate.metric
    others = [m for m in ("kappa", "roc_auc") if m != metric]  # what fits beside the names
    header = ["#", "model", f"{_short(metric)}{words.unit(metric)}", "SD", "95 % CI", "p"]
    header += [words.SHORT_NAMES[m].lower().replace("auc", "AUC") for m in others]
    header += ["params", "fit"]
    lines = [*_wrapped(headline(results)), ""]
    tables = []
    for target in targets(results):
        body = []
        for row in of_target(results, target):
            named = textwrap.wrap(printable(row.model), NAME) or [""]
            body.append(
                [
                    rank(row),
                    named[0],
                    shown_mean(row, metric),
                    words.score(metric, row.sd),
                    interval(row, metric).replace(TOO_FEW, "too few"),
                    p_beside(results, row),
                    *(words.score(m, row.others[m]) for m in others),
                    words.count(row.n_parameters),
                    words.seconds(row.seconds_fit),
                ]
            )
            body += [["", more, *[""] * (len(header) - 2)] for more in named[1:]]
        tables.append((target, body))
    widths = widths_of([header] + [cells for _, body in tables for cells in body])
    for target, body in tables:
        lines += [words.target_title(target), _spaced(header, widths)]
        lines += [_spaced(cells, widths) for cells in body]
        for failed in failures(of_target(results, target)):
            lines += _wrapped(failed, "  ")
        lines.append("")
    if more := labels_terminal(results):
        lines += [*map(printable, more), ""]
    for warning in results.warnings:
        lines += _wrapped(f"Warning: {warning}", "  ")
    if results.warnings:
        lines.append("")
    lines += [*_wrapped(chance_line(results)), *_wrapped(f"p: {test_said(results)}.")]
    for said in power_said(results):
        lines += _wrapped(said)
    if names := ", ".join(results.study.ensembles):
        lines += _wrapped(f"Ensembles: {names}.")
    return "\n".join(lines)


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, subsequent_indent=indent)


def _short(metric: str) -> str:
    return words.METRIC_NAMES[metric].lower() if len(metric) < 10 else words.SHORT_NAMES[metric]


def _spaced(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if i == 1 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
