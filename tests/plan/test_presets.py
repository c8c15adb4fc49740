"""A shape that was chosen by a person's labels is never tested on that person."""

from __future__ import annotations

import pytest

from eegvit.plan.plan import make_plan

PRESET = {"family": "cascaded", "widths": (8,), "depths": (1,), "heads": (2,)}


def plan(make_study, make_view, people, *, fused: bool = False, **evaluate):
    view = make_view(n_trials=8)
    preset = PRESET | {"searched": {"people": tuple(people)}}
    model = "efficientvit", {"preset": preset}
    if fused:
        model = "fusion", {"branches": [{"branch": "efficientvit", "preset": preset}, "eegnet"]}
    return make_plan(make_study({"m": model}, **evaluate), {"m": view})


@pytest.mark.parametrize("fused", [False, True])
def test_who_was_searched_on_is_not_tested(make_study, make_view, fused: bool) -> None:
    view = make_view(n_trials=8)
    who = sorted(set(view.people.tolist()))
    with pytest.raises(ValueError, match=f"model 'm': .* labels of {who[0]}, {who[1]}, to be"):
        plan(make_study, make_view, who[:2], fused=fused)
    rest = {"train_subjects": tuple("12"), "test_subjects": tuple("3")}
    assert plan(make_study, make_view, who[:2], fused=fused, **rest).fits
    with pytest.raises(ValueError, match="to be tested"):
        plan(make_study, make_view, who[2:], fused=fused, **rest)
    assert plan(make_study, make_view, ["elsewhere/1"], fused=fused).fits


def test_labels_of_the_same_person_count_within_a_session(make_study, make_view) -> None:
    view = make_view(n_trials=40)
    preset = PRESET | {"searched": {"people": tuple(set(view.people.tolist()))}}
    study = make_study({"m": ("efficientvit", {"preset": preset})}, protocol="within_session")
    with pytest.raises(ValueError, match="searched for with labels of"):
        make_plan(study, {"m": view})
