"""Results drawn with matplotlib, for notebooks and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eegvit.results.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_leaderboard(results: Results, ax: Axes | None = None) -> Axes:
    """Draw each model's mean and its interval over people, the best on top, chance dashed."""
    rows = [row for row in results.board if np.isfinite(row.mean)][::-1]
    ax = _axes(ax, len(rows))
    for place, row in enumerate(rows):
        ax.plot([row.ci_low, row.ci_high], [place, place], color="0.6", linewidth=2, zorder=1)
        ax.plot(row.mean, place, "o", color="C0", zorder=2)
    return _finished(ax, results, [f"{row.model} ({row.target})" for row in rows])


def plot_subjects(results: Results, ax: Axes | None = None) -> Axes:
    """Draw the score of every person under every model, means as bars, chance dashed."""
    rows = [row for row in results.board if row.subjects][::-1]
    ax = _axes(ax, len(rows))
    for place, row in enumerate(rows):
        values = list(row.subjects.values())
        ax.plot(values, [place] * len(values), "o", color="C0", alpha=0.5)
        ax.plot([row.mean, row.mean], [place - 0.3, place + 0.3], color="0.2")
    return _finished(ax, results, [row.model for row in rows])


def _axes(ax: Axes | None, n_rows: int) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 1 + 0.35 * n_rows), layout="constrained")[1]


def _finished(ax: Axes, results: Results, names: list[str]) -> Axes:
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel(results.study.evaluate.metric.replace("_", " "))
    if results.board and np.isfinite(results.board[0].chance):
        ax.axvline(results.board[0].chance, color="0.4", linestyle="--", linewidth=1)
    ax.set_title(results.study.name + (" (SIMULATED)" if results.simulated else ""))
    return ax
