"""Scales, round steps and labels that keep apart."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.report.figures.axes import Scale, apart, round_steps, spanning


@pytest.mark.parametrize("span", [(0.0, 1.0), (0.48, 0.53), (-0.02, 0.9), (-3.2, 2.1), (5.0, 5.1)])
@pytest.mark.parametrize("most", [4, 6, 8])
def test_steps_are_inside_even_and_few(span: tuple[float, float], most: int) -> None:
    steps = round_steps(Scale(*span, 0, 1), most)
    assert 1 < len(steps) <= most + 1
    assert steps[0] >= span[0] and steps[-1] <= span[1]
    assert np.allclose(np.diff(steps), steps[1] - steps[0])


def test_span_of_equal_or_unknown_values_has_width() -> None:
    for values in ([0.5, 0.5], [0.0], [float("nan")], []):
        scale = spanning(values, 0, 100)
        assert scale.high > scale.low


def test_labels_keep_apart_in_order_and_within_limits() -> None:
    wanted = [50.0, 51.0, 52.0, 10.0, 99.0]
    placed = apart(wanted, 12, 0, 100)
    assert np.all(np.diff(np.array(placed)[np.argsort(wanted)]) >= 12 - 1e-9)
    assert min(placed) >= 0 and max(placed) <= 100
