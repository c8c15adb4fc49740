"""The leaderboard as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eegvit.config.names import printable
from eegvit.report import words
from eegvit.report.rows import (
    chance_line,
    failures,
    headline,
    interval,
    letters,
    of_target,
    p_beside,
    rank,
    ranks,
    shown_mean,
    targets,
    test_said,
)
from eegvit.report.tables.ensembles import NO_RESULT
from eegvit.report.tables.fusion import TITLES as FUSION_TITLES
from eegvit.report.tables.fusion import fusion_rows, fusion_under
from eegvit.report.tables.pairs import power_said
from eegvit.report.text.labels import labels_markdown
from eegvit.results.members import Bound
from eegvit.results.metrics import METRICS
from eegvit.results.results import Results

ALIKE = "Rows that share a letter cannot be told apart."


def markdown(results: Results, command: str = "") -> str:
    """Return the leaderboard as Markdown."""
    study, metric = results.study, results.study.evaluate.metric
    others = [m for m in METRICS if m != metric]
    header = [
        "#",
        "model",
        "ranks",
        "alike",
        f"{words.METRIC_NAMES[metric]}{words.unit(metric)}",
        "SD",
        "95 % CI",
    ]
    header += ["SD seeds", "chance (bound)", "p (Holm)"]
    header += [words.METRIC_NAMES[m] for m in others] + ["parameters", "MACs", "1 trial"]
    header += ["64 trials", "CPU per fit", "CPU total"]
    parts = [f"# {_cell(study.name)}", ""]
    if results.simulated:
        parts += ["**SIMULATED DATA: these scores say nothing about real recordings.**", ""]
    parts += [_cell(study.description), ""] if study.description else []
    parts += [_cell(headline(results)), "", words.protocol(study.evaluate), ""]
    parts += [_cell(results.again), ""] if results.again else []
    if more := labels_markdown(results):
        parts += ["## Labels", "", *map(_line, more), ""]
    for target in targets(results):
        body = [
            [
                rank(row),
                _cell(row.model),
                ranks(results, row),
                letters(results, row),
                shown_mean(row, metric),
                words.score(metric, row.sd),
                interval(row, metric),
                words.score(metric, row.seed_sd),
                f"{words.score(metric, row.chance)} ({words.score(metric, row.chance_bound)})",
                p_beside(results, row),
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
        parts += [pipes(header, body), ""]
        failed = [f"- {_cell(line)}" for line in failures(of_target(results, target))]
        parts += [*failed, ""] if failed else []
    if results.study.ensembles:
        parts += ["## Ensembles", "", *map(_cell, _ensembles(results)), ""]
    if more := _fusion(results):
        parts += ["## Fusion", "", *map(_line, more), ""]
    about = [f"{card.name}: {card.notes}" for card in study.data if card.notes]
    parts += ["## Data", "", *(f"- {_cell(said)}" for said in about), ""] if about else []
    if results.warnings:
        parts += ["## Warnings", "", *(f"- {_cell(said)}" for said in results.warnings), ""]
    parts += [f"{chance_line(results)} p: {_cell(test_said(results))}. {ALIKE}", ""]
    parts += [line for said in power_said(results) for line in (said, "")]
    parts += ["Made by:", "", f"    {printable(command)}", ""] if command else []
    return "\n".join(parts)


def widths_of(table: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column of a table of text is."""
    return [max(len(cells[i]) for cells in table) for i in range(len(table[0]))]


def _ensembles(results: Results) -> list[str]:
    metric = results.study.evaluate.metric
    lines = [
        f"- {name}: {ensemble.said} of {', '.join(ensemble.of)}"
        for name, ensemble in results.study.ensembles.items()
    ]
    return lines + [_bound_line(bound, metric) for bound in results.ensembles.bounds]


def _bound_line(bound: Bound, metric: str) -> str:
    score = f"{words.score(metric, bound.score)}{words.unit(metric)}"
    return (
        f"- oracle ({NO_RESULT}): each person's best of {', '.join(bound.members)},"
        f" seed {bound.seed}: {score}"
    )


def _fusion(results: Results) -> list[str]:
    rows = [[cell.replace("|", "/") for cell in row] for row in fusion_rows(results)]
    if not rows:
        return []
    head, *lines = [f"| {' | '.join(row)} |" for row in (FUSION_TITLES, *rows)]
    rule = "|-|-|" + "-:|" * (len(FUSION_TITLES) - 2)
    return [fusion_under(results), "", head, rule, *lines]


def _cell(text: str) -> str:
    said = printable(" ".join(text.split()))
    return said.replace("|", "\\|").replace("<", "&lt;")


def _line(text: str) -> str:
    """Return a line of Markdown in which no name starts a tag."""
    return re.sub("<(?=[A-Za-z/!?])", "&lt;", printable(text))


def pipes(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown, its columns aligned; the second one holds text."""
    widths = widths_of([header, *body])
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
