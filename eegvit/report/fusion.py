"""Fused models beside their branches alone: where fusion helps and where not."""

from __future__ import annotations

from eegvit.report import words
from eegvit.report.markup import Markup, tag
from eegvit.results.fusion_gains import FusionGain, fusion_gains
from eegvit.results.results import Results

UNDER = (
    "Each fused model against the better of its branches, where the study has all of them alone; a"
    " branch with other epochs, augmentation or learning rate is marked. Spread: standard deviation"
    " over seeds of such a difference; a gain or a loss within it says nothing. p: two-sided sign"
    " flips over subjects, and after Holm's correction."
)
TITLES = ("fused", "branches alone", "gain", "spread", "subjects above", "p", "p (Holm)")


def fusion_table(results: Results) -> Markup | None:
    """Return the gain of each fused model, or nothing if there is none to compare."""
    gains = fusion_gains(results.study, results.board)
    if not gains:
        return None
    named = TITLES[:2]
    head = [tag("th", t, class_="name" if t in named else None, scope="col") for t in TITLES]
    rows = [
        tag(
            "tr",
            tag("th", cells[0], class_="name", scope="row"),
            tag("td", cells[1], class_="name"),
            *(tag("td", cell) for cell in cells[2:]),
        )
        for cells in (_cells(results, gain) for gain in gains)
    ]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="orders")


def fusion_markdown(results: Results) -> list[str]:
    """Return the table as lines of Markdown."""
    gains = fusion_gains(results.study, results.board)
    if not gains:
        return []
    rows = [[cell.replace("|", "/") for cell in _cells(results, gain)] for gain in gains]
    lines = [f"| {' | '.join(row)} |" for row in (TITLES, *rows)]
    return [UNDER, "", lines[0], "|-|-|" + "-:|" * (len(TITLES) - 2), *lines[1:]]


def _cells(results: Results, gain: FusionGain) -> list[str]:
    metric = results.study.evaluate.metric
    alone = ", ".join(
        f"{name} {words.score(metric, mean)}" + " (trained otherwise)" * (name in gain.otherwise)
        for name, mean in gain.alone.items()
    )
    return [
        gain.model,
        alone,
        words.signed(metric, gain.difference),
        words.score(metric, gain.spread),
        f"{gain.n_above} of {gain.n_subjects}",
        words.p_value(gain.p),
        words.p_value(gain.p_holm),
    ]
