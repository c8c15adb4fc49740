"""A study that hypothesis draws is the same as a dictionary, as YAML, and by overrides."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eegvit.config import StudyErrors, load_study, sha256

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)
names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_+-]{0,11}", fullmatch=True)
numbers = st.floats(1e-3, 1e3, allow_nan=False)
cards = st.fixed_dictionaries(
    {
        "name": names,
        "source": st.just("simulated"),
        "classes": st.just(["left_hand", "right_hand"]),
        "window": st.tuples(st.floats(-2, 0), st.floats(0.5, 4)).map(list),
    },
    optional={
        "title": st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20),
        "band": st.tuples(st.none() | st.floats(0.1, 8), st.none() | st.floats(9, 40)).map(list),
        "resample": st.floats(50, 500),
        "bad_trials": st.sampled_from(["refuse", "drop"]),
        "options": st.fixed_dictionaries({}, optional={"n_subjects": st.integers(1, 5)}),
        "subjects": st.lists(names, min_size=1, max_size=3, unique=True),
    },
)
models = st.one_of(
    st.fixed_dictionaries(
        {"branch": st.just("csp_lda")}, optional={"n_filters": st.integers(1, 9)}
    ),
    st.fixed_dictionaries(
        {"branch": st.just("eegnet")},
        optional={"epochs": st.integers(1, 99), "learning_rate": numbers, "dropout": st.just(0.25)},
    ),
    st.fixed_dictionaries({"branch": st.just("chance"), "align": st.just("none")}),
    st.just({"branch": ["fbcsp", "eegnet"], "fuse": "gated"}),
)
studies = st.fixed_dictionaries(
    {
        "name": names,
        "data": cards,
        "models": st.dictionaries(names, models, min_size=1, max_size=3),
    },
    optional={
        "align": st.fixed_dictionaries({"method": st.sampled_from(["euclidean", "riemannian"])}),
        "evaluate": st.fixed_dictionaries(
            {"protocol": st.sampled_from(["within_session", "cross_session", "cross_subject"])},
            optional={"seeds": st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True)},
        ),
        "recentre": st.sampled_from(["none", "session"]),
        "description": st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30),
    },
)


def _plain(study) -> dict:
    said = study.model_dump(mode="json", exclude={"path", "source_text"})
    return {**said, "data": [{**card, "origin": ""} for card in said["data"]]}


def _loaded(asked):
    """Load a study; None if it is refused, in words."""
    try:
        return load_study(asked)
    except StudyErrors as error:
        assert error.lines
        return None


@SETTINGS
@given(asked=studies, flow=st.sampled_from([True, False, None]), unicode=st.booleans())
def test_yaml_and_json_say_the_same_as_a_dictionary(tmp_path_factory, asked, flow, unicode) -> None:
    loaded = _loaded(asked)
    file = tmp_path_factory.getbasetemp() / "study.yaml"
    written = yaml.safe_dump(asked, default_flow_style=flow, allow_unicode=unicode)
    for text in (written, json.dumps(asked, ensure_ascii=not unicode)):
        file.write_text(text, encoding="utf-8")
        again = _loaded(file)
        assert (again is None) == (loaded is None)
        if loaded is not None:
            assert _plain(again) == _plain(loaded)
            assert sha256(_plain(again)) == sha256(_plain(loaded))


@SETTINGS
@given(asked=studies, seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
def test_an_override_is_the_same_as_the_key_in_the_file(asked, seeds) -> None:
    changed = {**asked, "evaluate": {**asked.get("evaluate", {}), "seeds": seeds}}
    expected = _loaded(changed)
    if expected is not None:
        assert _plain(load_study(asked, [f"evaluate.seeds={seeds}"])) == _plain(expected)


@SETTINGS
@given(asked=studies, key=names)
def test_a_key_that_is_none_is_refused(asked, key) -> None:
    with pytest.raises(StudyErrors, match=key.replace("+", r"\+")):
        load_study({**asked, f"x{key}": 1})
