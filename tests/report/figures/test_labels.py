"""Names beside marks: they cover nothing, and no line to one crosses another."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from report.browser import Browser

from eegvit.report.figures.cost import cost_plot
from eegvit.report.figures.labels import Box, place_labels
from eegvit.report.render import asset
from eegvit.results.results import Results

INSIDE = Box(0, -130, 700, 430)  # high enough for 40 names


def crossing(one, other) -> bool:
    """Say whether two lines cross, by their equations."""
    (a, b), (c, d) = np.array(one), np.array(other)
    matrix = np.array([b - a, c - d]).T
    if abs(np.linalg.det(matrix)) < 1e-9:
        return False
    along = np.linalg.solve(matrix, c - a)
    return bool(((along > 1e-6) & (along < 1 - 1e-6)).all())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("n", "spread"), [(2, 1), (12, 60), (25, 200), (40, 320)])
def test_names_are_apart_and_their_lines_cross_nothing(n: int, spread: int, seed: int) -> None:
    rng = np.random.default_rng([seed, n])
    x, y = 300 + rng.uniform(0, spread, n), 160 + rng.uniform(-spread / 3, spread / 3, n)
    names = ["m" * int(length) for length in rng.integers(3, 12, n)]
    labels = place_labels(list(zip(x.tolist(), y.tolist(), strict=True)), names, INSIDE)
    boxes = [label.box for label in labels]
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    for number, box in enumerate(boxes):
        covered = (x > box.left) & (x < box.right) & (y > box.top) & (y < box.bottom)
        assert not covered.any()
        assert box.right - box.left == 7 * len(names[number])
        assert box.left >= 0 and box.top >= -130 and box.bottom <= 430
    leaders = [label.leader for label in labels if label.leader is not None]
    beside = [label.box for label in labels if label.leader is None]
    for leader in leaders:
        along = np.linspace(*leader, 400)
        for box in beside:
            inside = (along[:, 0] > box.left) & (along[:, 0] < box.right)
            inside &= (along[:, 1] > box.top + 1) & (along[:, 1] < box.bottom - 1)
            assert not inside.any()
    assert not any(crossing(one, other) for one, other in combinations(leaders, 2))


def test_a_mark_with_room_has_its_name_beside_it() -> None:
    (one,) = place_labels([(100.0, 50.0)], ["name"], INSIDE)
    assert one.to_right and one.leader is None
    (edge,) = place_labels([(690.0, 50.0)], ["name"], INSIDE)
    assert not edge.to_right and edge.leader is None


def test_names_in_the_plot_of_cost_do_not_touch(
    browser: Browser, results: Results, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    row = next(r for r in results.board if r.model == "eegnet")
    crowd = [
        replace(row, model=f"model-{i}-{'wide' * (i % 3)}", mean=mean, ci_low=mean - 0.05,
                ci_high=mean + 0.05, seconds_fit=float(seconds), rank=None)
        for i, (mean, seconds) in enumerate(
            zip(rng.uniform(0.6, 0.68, 14).tolist(), rng.uniform(1, 3, 14), strict=True))
    ]  # fmt: skip
    told = replace(results, board=[*results.board, *crowd])
    file = tmp_path / "plot.html"
    css = f"<style>{asset('page.css')}</style>"
    file.write_text(f'{css}<div id="cost">{cost_plot(told)}</div>', encoding="utf-8")
    with browser.page(file) as page:
        boxes = page.evaluate("""
            [...document.querySelectorAll("#cost svg text.start, #cost svg text.end")]
                .map((one) => one.getBoundingClientRect())
                .map(({left, top, right, bottom}) => [left + 1, top + 2, right - 1, bottom - 2])
        """)
        assert len(boxes) > 20
        touching = [
            (one, other) for one, other in combinations([Box(*box) for box in boxes], 2)
            if one.meets(other)
        ]  # fmt: skip
        assert touching == []
