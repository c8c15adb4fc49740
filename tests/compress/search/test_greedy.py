"""Merit by hand, and steps on tables that were made for them."""

from __future__ import annotations

import itertools

import pytest

from eegvit.compress.search.greedy import Judged, Step, best_step, descend
from eegvit.compress.search.merit import POWERS, merit, units_here
from eegvit.compress.search.others import front


def one(accuracy: float, merit: float, shape: str = "") -> Judged[str]:
    return Judged(shape, accuracy, merit, {})


def test_merit_by_hand() -> None:
    """(2.25) ** -0.5 = 2 / 3 of size, (1 / 3) ** -1 = 3 of latency, and 100 times both."""
    units = {"parameters": 4000.0, "latency": 0.003}
    assert merit({"parameters": 9000.0, "latency": 0.001}, units) == pytest.approx(200.0)
    assert dict(POWERS) == {"parameters": 0.5, "latency": 1.0}
    slower = merit({"parameters": 9000.0, "latency": 0.002}, units)
    larger = merit({"parameters": 36000.0, "latency": 0.001}, units)
    assert slower == larger == pytest.approx(100.0)  # twice the time is four times the size
    assert merit({"macs": 8.0}, {"macs": 2.0}, {"macs": 0.25}) == pytest.approx(70.7107)


def test_units_are_of_eegnet_here() -> None:
    units = units_here(3, 250, 2)
    assert merit(units, units) == 100.0
    assert units_here(22, 250, 2)["parameters"] - units["parameters"] == 19 * 16


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"a": one(0.70, 110), "b": one(0.60, 150), "c": one(0.78, 101)}, "b"),  # 1, 0.4, 2 a point
        ({"a": one(0.79, 101), "b": one(0.40, 151), "c": one(0.78, 110)}, "c"),  # 1, 0.8, 0.2
        ({"a": one(0.80, 100), "b": one(0.90, 90), "c": one(0.10, 101)}, "c"),  # one gains merit
        ({"a": one(0.80, 101), "b": one(0.85, 102), "c": one(0.99, 101)}, "b"),  # nothing is lost
        ({"a": one(0.80, 100), "b": one(0.99, 99)}, None),
        ({}, None),
    ],
)
def test_the_step_that_loses_least_for_what_it_gains(
    others: dict[str, Judged[str]], expected: str | None
) -> None:
    now = one(0.80, 100)
    for order in itertools.permutations(others):
        assert best_step(now, {name: others[name] for name in order}) == expected


# shape: accuracy, merit, and what is a step smaller
TABLE = {
    "start": (0.90, 100.0, ("left", "right")),
    "left": (0.80, 120.0, ("left left",)),  # 0.5 points a point of merit
    "right": (0.85, 105.0, ("right left",)),  # 1.0
    "left left": (0.79, 180.0, ("end",)),
    "right left": (0.84, 300.0, ()),
    "end": (0.50, 400.0, ()),
}


def judge(shape: str) -> Judged[str]:
    accuracy, worth, _ = TABLE[shape]
    return Judged(shape, accuracy, worth, {"macs": 1000 / worth})


def steps(shape: str) -> dict[str, str]:
    return {f"to {after}": after for after in TABLE[shape][2]}


def test_steps_go_on_until_the_budget_is_met_and_no_further() -> None:
    told: list[Step[str]] = []
    path = descend(
        judge("start"), steps, judge, lambda found: found.costs["macs"] <= 6, told.append
    )
    assert [step.found.shape for step in path] == ["left", "left left"]
    assert path == told and path[-1].found.costs["macs"] <= 6 < path[-2].found.costs["macs"]
    assert set(path[0].others) == {"to left", "to right"}
    assert descend(judge("start"), steps, judge, lambda found: True) == []


def test_every_step_that_there_is_is_judged_each_time() -> None:
    seen: list[str] = []

    def noted(shape: str) -> Judged[str]:
        seen.append(shape)
        return judge(shape)

    descend(judge("start"), steps, noted, lambda found: found.shape == "end")
    assert seen == ["left", "right", "left left", "end"]


def test_a_budget_that_no_step_leads_to_is_said() -> None:
    with pytest.raises(ValueError, match="no step is left .* raise `to`"):
        descend(judge("start"), steps, judge, lambda found: found.costs["macs"] < 1)


def test_a_front_is_of_what_nothing_surpasses() -> None:
    found = [one(a, m, f"{a} {m}") for a, m in [(0.5, 9), (0.6, 8), (0.6, 7), (0.5, 8), (0.7, 1)]]
    assert [each.shape for each in front(found)] == ["0.5 9", "0.6 8", "0.7 1"]
    assert front([]) == []
