"""The figure of mean signals: curves where their values are, marks at the flicker's frequencies."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from eegvit.report.figures.signals import LEFT, RIGHT, signals_plot
from eegvit.results.responses.signals import Curve, Signals

HERTZ = np.arange(10.0, 40.5, 0.5)


def curve(name: str, height: float, n_people: int = 3) -> Curve:
    mean = np.ones_like(HERTZ)
    mean[int(np.flatnonzero(HERTZ == 13)[0])] = height
    reach = np.full_like(mean, 3.0 if n_people > 1 else np.nan)
    return Curve(name, 30, n_people, mean, mean - reach, mean + reach)


@pytest.fixture
def signals() -> Signals:
    curves = (curve("13", 9.0), curve("21 Hz", 1.0), curve("rest", 1.0))
    return Signals("ssvep", ("O1", "Oz"), "µV", HERTZ, curves)


def at(hertz: float) -> float:
    return LEFT + (hertz - 10) / 30 * (RIGHT - LEFT)


def places(drawn: str, kind: str) -> list[list[tuple[float, float]]]:
    """Return the points of each line or polygon of a kind."""
    found = re.findall(rf'points="([^"]*)" class="{kind}', drawn)
    return [[tuple(map(float, p.split(","))) for p in one.split()] for one in found]


def test_the_highest_point_of_a_curve_is_where_it_belongs(signals: Signals) -> None:
    first, _, rest = places(str(signals_plot(signals)), "line hue-")
    x, y = min(first, key=lambda point: point[1])
    assert x == pytest.approx(at(13), abs=0.1)
    assert all(below > y for _, below in rest)
    grid = re.findall(r'y1="([\d.]+)"[^>]*class="grid"', str(signals_plot(signals)))
    steps = [float(v) for v in grid]  # 0, 5, 10
    unit = (steps[0] - steps[1]) / 5
    assert rest[0][1] == pytest.approx(steps[0] - unit, abs=0.2)
    assert y == pytest.approx(steps[0] - 9 * unit, abs=0.2)


def test_named_frequencies_and_their_harmonics_are_marked(signals: Signals) -> None:
    drawn = str(signals_plot(signals))
    marks = re.findall(r'x1="([\d.]+)"[^>]*class="line each dashed', drawn)
    assert [float(x) for x in marks] == pytest.approx([at(13), at(26), at(21)], abs=0.01)
    assert "2 × 13" in drawn and "2 × 21" not in drawn  # 42 Hz is beyond the axis


def test_a_band_needs_two_people_and_stays_on_the_figure(signals: Signals) -> None:
    bands = places(str(signals_plot(signals)), "area hue-")
    floor = max(y for _, y in places(str(signals_plot(signals)), "line hue-")[2])
    assert len(bands) == 3
    lowest = max(y for band in bands for _, y in band)
    assert floor < lowest < floor + 60  # cut at nothing, where the interval reaches below
    alone = replace(signals, curves=(curve("13", 9.0, n_people=1),))
    assert places(str(signals_plot(alone)), "area hue-") == []


def test_a_response_is_drawn_from_the_stimulus_on(signals: Signals) -> None:
    seconds = np.linspace(-0.2, 0.8, 61)
    drawn = str(signals_plot(replace(signals, paradigm="p300", electrodes=("Pz",), axis=seconds)))
    rules = re.findall(r'x1="([\d.]+)" x2="([\d.]+)"[^>]*class="rule"', drawn)
    zero = LEFT + 0.2 * (RIGHT - LEFT)
    assert [float(x) for x in rules[1]] == pytest.approx([zero, zero], abs=0.01)
    assert "mean at Pz, µV" in drawn and "dashed" not in drawn


def test_names_are_inert(signals: Signals) -> None:
    odd = replace(signals, curves=(curve("<b>13</b>", 2.0),), unit="")
    drawn = str(signals_plot(odd))
    assert "<b>" not in drawn and "as recorded" in drawn
