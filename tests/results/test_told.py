"""What was left out and warned of reaches the results, the page and the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit import run_study
from eegvit.report.text.terminal import terminal
from eegvit.results.told import warnings_of
from eegvit.trials import concatenate

DATA = {
    "card": "simulated",
    "subjects": [1, 2, 3],
    "channels": ["C3", "Cz", "C4"],
    "classes": ["left_hand", "right_hand"],
    "resample": 100,
    "window": [0.5, 12.0],  # longer than the last trial, and than the distance of cues
    "options": {"n_trials": 24, "n_runs": 1, "n_sessions": 1},
}


def test_what_is_left_out_is_told_where_the_results_are(tmp_path: Path) -> None:
    noisy = {"from": "sklearn.linear_model.LogisticRegression", "parameters": {"max_iter": 1}}
    vectors = {"from": "mne.decoding.Vectorizer"}
    models = {
        "csp": {"branch": "csp_lda"},
        "noisy": {"branch": "pipeline", "steps": [vectors, noisy]},
    }
    study: dict[str, Any] = {"name": "told", "data": DATA, "models": models}
    with pytest.warns(UserWarning, match="share samples with another"):
        results = run_study(study, jobs=0, cache=tmp_path / "cache", out=tmp_path)
    read = {(one.subject, one.session): one for one in results.details.reading}
    assert len(read) == 3
    n_left_out = sum(one.left_out for one in read.values())
    assert n_left_out > 0 and all(one.why for one in read.values() if one.left_out)
    assert sum(one.read for one in read.values()) == results.details.n_trials
    said = results.details.warnings
    assert any("share samples with another" in sentence for sentence in said)
    assert any(sentence.startswith("noisy (3 fits): ConvergenceWarning") for sentence in said)
    key = next(iter(results.plan.fits))
    (*_, odd) = warnings_of(results.plan, {key: ["/home/ann/sub-1_epo.fif: odd"]})
    assert odd.endswith("(1 fit): sub-1_epo.fif: odd")  # folders are of one machine
    page = results.page.read_text()
    assert "ConvergenceWarning" in page and "beyond the recording" in page
    assert "ConvergenceWarning" in terminal(results.details)
    with pytest.warns(UserWarning, match="share samples"):  # and again when all is stored
        again = run_study(study, jobs=0, cache=tmp_path / "cache")
    assert again.details.warnings == said and again.details.reading == results.details.reading
    assert np.isfinite(again.leaderboard["accuracy"]).all()


@pytest.mark.parametrize(("how", "done"), [("warn", "kept"), ("drop", "left out of training")])
def test_copies_and_overlaps_between_splits_are_told_on_the_page(
    how: str, done: str, make_trials: Any, tmp_path: Path
) -> None:
    people = concatenate([make_trials(subject=s, n_trials=24, seed=int(s)) for s in "1234"])
    X = people.X.copy()
    X[people.subject == "2"] = X[people.subject == "1"]
    study = {"name": "copies", "models": {"csp": {"branch": "csp_lda"}}}
    study["evaluate"] = {"protocol": "cross_subject", "duplicates": how}
    with pytest.warns(UserWarning, match=f"evaluate.duplicates: {how}"):
        results = run_study(study, people.replace(X=X), jobs=0, cache=tmp_path, out=tmp_path)
    (said,) = [one for one in results.details.warnings if "under two names and " + done in one]
    assert said.startswith(f"evaluate.duplicates: {how}")
    assert f"evaluate.duplicates: {how}" in results.page.read_text(encoding="utf-8")
    assert f"evaluate.duplicates: {how}" in terminal(results.details)
