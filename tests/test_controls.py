"""Controls of a study: labels that are shuffled, a row without a rank, and what the audit says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.plan.plan import make_plan
from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.text.markdown import markdown
from eegvit.report.written.board import write_board
from eegvit.report.written.folder import read
from eegvit.report.written.verify import verify
from eegvit.results.audit import audit
from eegvit.study import StudyResults, run_study
from eegvit.trials import concatenate

CONTROL = "csp (labels shuffled)"
MODELS: dict[str, Any] = {
    "guess": {"branch": "chance"},
    "csp": {"branch": "csp_lda"},
    "mdm": {"branch": "mdm"},
}
STUDY = {"name": "small", "models": MODELS, "controls": ["shuffled"]}


@pytest.fixture(scope="module")
def trials():
    """Return six people whom a classifier knows well."""
    from conftest import simulate_trials

    people = [simulate_trials(n_trials=24, subject=str(s), seed=s) for s in range(6)]
    return concatenate(people)


@pytest.fixture(scope="module")
def told(trials, tmp_path_factory) -> StudyResults:
    """Return the results of a study with a control."""
    folder = tmp_path_factory.mktemp("controls")
    study = {**STUDY, "evaluate": {"seeds": [0, 1]}}
    return run_study(study, trials, jobs=0, cache=folder / "cache", out=folder / "reports")


def test_the_control_is_of_the_first_model_that_learns() -> None:
    study = load_study({**STUDY, "data": "simulated"})
    assert list(study.models) == [*MODELS, CONTROL]
    assert study.models[CONTROL].branch == "csp_lda"
    assert study.models[CONTROL].said == "csp_lda, labels shuffled"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": {"guess": {"branch": "chance"}}}, "there is no model but chance"),
        ({"models": {"net": {"branch": "eegnet", "pretrain": {"objective": "none"}}}}, "pruned"),
        ({"models": {**MODELS, CONTROL: {"branch": "mdm"}}}, "a control is called so"),
        ({"reference": CONTROL}, f"no model or ensemble '{CONTROL}'"),
        ({"controls": ["mixed"]}, "controls"),
        ({"models": {"csp": {"branch": "csp_lda", "control": "shuffled"}}}, "control"),
    ],
)
def test_mistakes_are_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyErrors) as caught:
        load_study({**STUDY, "data": "simulated", **change})
    assert any(said in line for line in caught.value.lines)


def test_labels_are_shuffled_within_recordings_anew_for_each_split_and_seed(
    make_view, make_study
) -> None:
    view = make_view(subjects=3, sessions=2)
    models = {"csp": ("csp_lda", {}), CONTROL: ("csp_lda", {})}
    study = make_study(models, seeds=(0, 1))
    alone = make_plan(study.model_copy(update={"models": {"csp": study.models["csp"]}}),
                      {"csp": view})  # fmt: skip
    control = study.models[CONTROL].model_copy(update={"control": "shuffled"})
    changed = study.model_copy(update={"models": {"csp": study.models["csp"], CONTROL: control}})
    plan = make_plan(changed, dict.fromkeys(models, view))
    assert set(alone.fits) < set(plan.fits) and len(plan.fits) == 3 + 6
    seen = set()
    for key in set(plan.fits) - set(alone.fits):
        fit = plan.fits[key]
        true, block = view.y[fit.train], view.block[fit.train]
        assert 0.3 < (fit.y == true).mean() < 0.7
        for one in np.unique(block):
            assert sorted(fit.y[block == one]) == sorted(true[block == one])
        seen.add(tuple((fit.y == true).tolist()))
    assert len(seen) == 6
    again = make_plan(changed, dict.fromkeys(models, view))
    assert all((plan.fits[key].y == again.fits[key].y).all() for key in plan.fits)


def test_the_control_is_shown_and_never_ranked(told: StudyResults) -> None:
    rows = {row.model: row for row in told.details.board}
    control = rows[CONTROL]
    assert control.rank is None and control.control == "shuffled" and control.status == "ok"
    assert control.n_fits == 12 and rows["csp"].n_fits == 6
    assert rows["csp"].mean > 0.9 and 0.25 < control.mean < 0.7
    assert all(row.rank is not None for row in rows.values() if row.model != CONTROL)
    for family in told.details.families:
        assert CONTROL not in family.models
        assert not any(CONTROL in (pair.first, pair.other) for pair in family.pairs)
    text = page(told.details, manifest(told.details))
    assert '<tr class="control"' in text and ">control</td>" in text
    assert f"| control | {CONTROL} |" in " ".join(markdown(told.details).split())
    with pytest.raises(ValueError, match="has no model"):
        told.model(CONTROL)


def test_the_other_rows_are_what_they_are_without_it(told, trials, tmp_path: Path) -> None:
    study = {**STUDY, "controls": [], "evaluate": {"seeds": [0, 1]}}
    without = run_study(study, trials, jobs=0, cache=tmp_path)
    assert repr(without.details.families) == repr(told.details.families)
    cost = dict.fromkeys(("seconds_fit", "seconds_1", "seconds_64"), 0.0) | {"stages": {}}
    rows = [replace(r, **cost) for r in told.details.board if not r.control]
    assert repr([replace(r, **cost) for r in without.details.board]) == repr(rows)


def test_the_audit_says_whether_the_control_is_at_chance(told: StudyResults) -> None:
    (check,) = [c for c in told.details.audit.checks if "shuffled" in c.what]
    assert check.passed and check.counted.startswith(f"{CONTROL}: 0.")
    (row,) = [r for r in told.details.board if r.control]
    above = replace(row, mean=0.7, ci_low=row.chance + 0.01, ci_high=0.9)
    assert not audit(told.plan, [above]).checks[-1].passed
    few = replace(row, ci_low=float("nan"), ci_high=float("nan"))
    assert not any("shuffled" in c.what for c in audit(told.plan, [few]).checks)


def test_a_model_that_is_told_the_labels_after_all_is_found(trials, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("eegvit.plan.fit.shuffled", lambda y, block, seed: y)
    told = run_study(STUDY, trials, jobs=0, cache=tmp_path)
    (check,) = [c for c in told.details.audit.checks if "shuffled" in c.what]
    assert not check.passed and told.leaderboard.set_index("model")["accuracy"][CONTROL] > 0.9


def test_a_report_with_a_control_is_verified_and_not_counted_with_others(
    told: StudyResults, tmp_path: Path
) -> None:
    report = read(told.page.parent)
    agree, wrong = verify(report)
    assert agree and not wrong
    _, text = write_board([report, report], tmp_path)
    assert "csp" in text and CONTROL not in text
