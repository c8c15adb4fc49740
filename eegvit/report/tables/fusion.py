"""Fused models beside their branches alone: where fusion helps and where not."""

from __future__ import annotations

from eegvit.report import words
from eegvit.report.tables.table import Cell, Column, Table, named
from eegvit.results.fusion_gains import FusionGain, fusion_gains
from eegvit.results.results import Results

UNDER = (
    "Each fused model against the better of its branches, where the study has all of them alone{}."
    " Spread: standard deviation over seeds of such a difference; a gain or a loss within it says"
    " nothing. p: two-sided sign flips over subjects, and after Holm's correction."
)
MARKED = "; a branch with other epochs, augmentation or learning rate is marked"
TITLES = ("fused", "branches alone", "gain", "spread", "subjects above", "p", "p (Holm)")


def fusion_under(results: Results) -> str:
    """Return what the table shows: which branch is trained otherwise only where that is known."""
    return UNDER.format("" if results.again else MARKED)


def fusion_table(results: Results) -> Table | None:
    """Return the gain of each fused model, or nothing if there is none to compare."""
    rows = fusion_rows(results)
    columns = tuple(Column(title, left=title in TITLES[:2]) for title in TITLES)
    shown = [
        named(fused, Cell(alone, kind="name"), *map(Cell, rest)) for fused, alone, *rest in rows
    ]
    return Table("Fused models and their branches", columns, "orders").of(shown) if rows else None


def fusion_rows(results: Results) -> list[list[str]]:
    """Return the cells of each fused model, in the order of `TITLES`."""
    gains = fusion_gains(results.study, results.board, trained=not results.again)
    return [_cells(results, gain) for gain in gains]


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
