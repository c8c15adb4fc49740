"""A bound: rows trained on the other sessions of whom they test, and on nobody else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.deploy.decoder import Decoder
from eegvit.plan.splits.own_sessions import own_sessions
from eegvit.plan.splits.protocols import splits
from eegvit.report.text.markdown import markdown
from eegvit.study import run_study
from eegvit.trials import Trials, concatenate

MODELS: dict[str, Any] = {
    "csp": {"branch": "csp_lda"},
    "mdm": {"branch": "mdm"},
    "bound": {"branch": "csp_lda", "trained_on": "own_sessions"},
}
STUDY = {"name": "small", "models": MODELS}


def people(*, sessions: str = "01", flip: str = "") -> Trials:
    """Return three people of two sessions; of one session the labels are exchanged."""
    from conftest import simulate_trials

    made = []
    for who in "123":
        for session in sessions:
            seed = 10 * int(who) + int(session)
            one = simulate_trials(
                n_trials=20, subject=who, session=session, seed=seed, contrast=0.8
            )
            made.append(one.replace(y=1 - one.y) if f"{who}{session}" == flip else one)
    return concatenate(made)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return run_study(STUDY, people(), jobs=0, cache=tmp_path_factory.mktemp("cache"))


def test_each_tested_session_is_left_out_and_the_rest_of_its_person_trains(make_view, make_study):
    view = make_view(subjects=3, sessions=3)
    found = splits(view, make_study({"csp": ("csp_lda", {})}).evaluate)
    made = own_sessions(view, found, "stop")
    assert len(made) == 9
    tested = np.sort(np.concatenate([split.test for split in made]))
    np.testing.assert_array_equal(tested, np.sort(np.concatenate([s.test for s in found])))
    for split in made:
        (person,) = set(view.people[split.test])
        assert set(view.people[split.train]) == {person}
        assert len(set(view.block[split.test])) == 1
        assert not set(view.block[split.test]) & set(view.block[split.train])
        assert len(split.train) == 2 * len(split.test)


def test_it_is_ranked_apart_and_the_page_says_what_it_is(told):
    rows = {row.model: row for row in told.details.board}
    assert rows["bound"].target == "own sessions" and rows["bound"].rank == 1
    assert rows["bound"].status == "ok" and rows["bound"].n_fits == 6
    assert {rows[name].target for name in ("csp", "mdm")} == {"none"}
    assert not any({"bound", "csp"} <= set(f.models) for f in told.details.families)
    text = markdown(told.details)
    assert "## Target use: own sessions" in text and "not what a new person would get" in text
    assert "csp_lda, trained on own sessions" == rows["bound"].branch
    checks = {check.what: check.passed for check in told.details.audit.checks}
    assert all(checks.values())
    assert any("but by rows that say they are trained on own sessions" in what for what in checks)


def test_the_other_rows_are_what_they_are_without_it(told, tmp_path):
    models = {name: model for name, model in MODELS.items() if name != "bound"}
    without = run_study({**STUDY, "models": models}, people(), jobs=0, cache=tmp_path)
    for name in models:
        one, other = (t.details.predictions[name, 0].probabilities for t in (told, without))
        np.testing.assert_array_equal(one, other)


def test_labels_of_the_tested_session_move_nothing_those_of_the_other_do(told, tmp_path):
    flipped = run_study(STUDY, people(flip="21"), jobs=0, cache=tmp_path)
    before, after = (t.details.predictions["bound", 0] for t in (told, flipped))
    same = before.probabilities == after.probabilities
    own = (before.subject == "2") & (before.session == "1")
    other = (before.subject == "2") & (before.session == "0")
    assert same[~other].all() and not same[other].any()
    assert (before.y[own] != after.y[own]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evaluate": {"protocol": "cross_session"}}, "trains on the people tested anyway"),
        ({"evaluate": {"calibrate": 2}}, "leave few labels out"),
        ({"ensembles": {"both": {"of": ["csp", "bound"]}}}, "'bound' is trained on other people"),
    ],
)
def test_where_it_means_nothing_it_is_refused(change, said):
    with pytest.raises(StudyErrors) as caught:
        load_study({**STUDY, "data": "simulated", **change})
    assert any(said in line for line in caught.value.lines)


def test_one_session_is_too_few_and_no_decoder_is_made(told, tmp_path):
    with pytest.raises(ValueError, match="needs two sessions or more of each person tested"):
        run_study(STUDY, people(sessions="0"), jobs=0, cache=tmp_path)
    with pytest.raises(ValueError, match="'bound' is a bound"):
        Decoder.fit(told, "bound")
