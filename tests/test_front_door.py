"""From Python and from the command line: names, studies of trials in memory, commands."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

import eegvit
from eegvit import Trials, load_study, run_study
from eegvit.command import COMMANDS, main
from eegvit.data import read_subject
from eegvit.preprocess.alignment import align_offline
from eegvit.registry import BRANCHES, resolve
from eegvit.trials import concatenate

DATA = {
    "card": "simulated",
    "subjects": [1, 2, 3],
    "channels": ["C3", "Cz", "C4"],
    "classes": ["left_hand", "right_hand"],
    "resample": 125,
    "options": {"n_trials": 24, "n_runs": 1, "n_sessions": 1},
}
STUDY: dict[str, Any] = {
    "name": "small",
    "align": "euclidean",
    "models": {
        "csp": {"branch": "csp_lda", "n_components": 2},
        "tangent": {"branch": "tangent_space"},
        "raw": {"branch": "mdm", "align": "none"},
    },
    "ensembles": {"both": {"of": ["csp", "tangent"], "rule": "weighted"}},
}


@pytest.fixture(scope="module")
def by_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the results of the study with its data read by a card."""
    folder = tmp_path_factory.mktemp("by_file")
    return run_study({**STUDY, "data": DATA}, jobs=0, cache=folder / "cache", out=folder)


@pytest.fixture(scope="module")
def trials() -> Trials:
    """Return the trials of that card."""
    (card,) = load_study({**STUDY, "data": DATA}).data
    return concatenate([part for who in "123" for part in read_subject(card, who)])


def test_every_name_of_the_package_is_there_and_every_branch_has_one() -> None:
    for name in eegvit.__all__:
        assert getattr(eegvit, name) is not None
    assert {resolve(address) for address in BRANCHES.values()} <= {
        getattr(eegvit, name) for name in eegvit.__all__
    }
    tree = ast.parse(inspect.getsource(eegvit))
    typed = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eegvit")
        for alias in node.names
    ]
    assert sorted(typed) == sorted(set(eegvit.__all__) - {"__version__"})
    with pytest.raises(AttributeError, match="no attribute 'EEGNetClasifier'"):
        _ = eegvit.EEGNetClasifier


@pytest.mark.parametrize("form", ["trials", "arrays", "epochs"])
def test_a_study_of_trials_in_memory_has_the_scores_of_its_file(
    by_file: Any, trials: Trials, tmp_path: Path, form: str
) -> None:
    data: Any = trials
    if form == "arrays":
        about = {"sfreq": trials.sfreq, "ch_names": trials.ch_names, "tmin": trials.tmin}
        data = {"X": trials.X, "y": trials.labels, "subject": trials.subject, **about}
    if form == "epochs":
        data = {who: trials[trials.subject == who].to_epochs() for who in "123"}
    results = run_study(STUDY, data, jobs=0, cache=tmp_path / "cache")
    assert results.page is None
    same = ["model", "subject", "seed", "n_trials", "accuracy", "kappa"]
    pd.testing.assert_frame_equal(results.scores[same], by_file.scores[same])
    one, other = (r.predictions.filter(like="p_").to_numpy() for r in (results, by_file))
    np.testing.assert_allclose(one, other, atol=1e-4 if form == "epochs" else 1e-7)


def test_results_are_frames_figures_and_a_page(by_file: Any) -> None:
    board = by_file.leaderboard
    assert set(board["model"]) == {"csp", "tangent", "raw", "both"}
    assert board["accuracy"].between(0, 1).all() and board["rank"].notna().all()
    assert len(by_file.scores) == 4 * 3 and len(by_file.predictions) == 4 * 72
    told = by_file.predictions
    right = (told["y"] == told["predicted"]).groupby(told["model"]).mean()
    means = board.set_index("model")["accuracy"]
    pd.testing.assert_series_equal(right.sort_index(), means.sort_index(), check_names=False)
    assert "SIMULATED" in by_file._repr_html_() and "<table" in by_file._repr_html_()
    assert repr(by_file) == "StudyResults(small: 4 rows, 3 people, 72 test trials)"
    matplotlib.use("Agg")
    for ax in (by_file.plot_leaderboard(), by_file.plot_subjects()):
        assert [label.get_text() for label in ax.get_yticklabels()]
        matplotlib.pyplot.close(ax.figure)
    assert by_file.page.is_file()


@pytest.mark.parametrize("name", ["csp", "both", "raw"])
def test_a_model_of_the_study_fitted_on_all_people(by_file: Any, trials: Trials, name: str) -> None:
    model = by_file.model(name)
    assert model.classes_.tolist() == ["left_hand", "right_hand"]
    alone = trials[trials.subject == "2"]
    told = model.predict_proba(alone.X)
    assert told.shape == (24, 2)
    if name == "raw":
        return
    aligned = align_offline(alone.X, "euclidean")  # as the study aligned the session
    np.testing.assert_allclose(told, model[-1].predict_proba(aligned), atol=1e-6)
    louder = model.predict_proba(1e3 * alone.X)  # so another unit changes nothing
    np.testing.assert_allclose(told, louder, atol=1e-4)


def test_models_that_are_not_there(by_file: Any) -> None:
    with pytest.raises(ValueError, match="no model 'csq'"):
        by_file.model("csq")
    with pytest.raises(ValueError, match="no seed 7"):
        by_file.model("csp", seed=7)


def test_changes_and_mistakes_of_a_dictionary(tmp_path: Path, trials: Trials) -> None:
    study = {**STUDY, "ensembles": {}}
    results = run_study(
        study, trials, jobs=0, cache=tmp_path, changes={"evaluate.test_subjects": ["2"]}
    )
    assert results.scores["subject"].unique().tolist() == ["2"]
    with pytest.raises(ValueError, match=r"study\.yaml:\d+: models\.csp\.branch: .*'csp_lda'"):
        run_study({**study, "models": {"csp": {"branch": "csp_lds"}}}, trials, cache=tmp_path)
    with pytest.raises(ValueError, match="filters and cuts recordings"):
        run_study({**study, "view": {"band": [8, 30]}}, trials, jobs=0, cache=tmp_path)
    with pytest.raises(ValueError, match=r"give Trials, arrays as a dict"):
        run_study(study, [1, 2], cache=tmp_path)  # type: ignore[arg-type]


def test_trials_to_epochs_and_back(trials: Trials) -> None:
    again = Trials.from_epochs(trials.to_epochs())
    np.testing.assert_allclose(again.X, trials.X, rtol=1e-6)
    for name in ("y", "subject", "session", "classes", "ch_names", "sfreq", "tmin"):
        assert np.array_equal(getattr(again, name), getattr(trials, name))
    assert repr(trials) == (
        "Trials(72 x 3 channels x 500 samples at 125 Hz; 3 people, 1 session;"
        " classes left_hand, right_hand)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list"], "eegnet "),
        (["list", "data"], "bci_iv_2a "),
        (["list", "rules"], "weighted "),
        (["show", "fbcsp"], "branch: fbcsp"),
        (["show", "quickstart"], "name: quickstart"),
        (["show", "meta"], "learner: logistic"),
        (["show", "evaluate.seeds"], "key evaluate.seeds"),
        (["check", "quickstart"], "no mistake found"),
        (["--help"], "commands:"),
        (["cache", "list"], "GB"),
    ],
)
def test_commands_answer(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 0 and said in capsys.readouterr().out


def test_each_command_explains_itself_and_unknown_names_get_a_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0 and name in capsys.readouterr().out
    assert main(["show", "eegnett"]) == 1
    assert "did you mean 'eegnet'" in capsys.readouterr().err
    assert main(["quikstart"]) == 2
    assert "did you mean 'quickstart'" in capsys.readouterr().err


def test_a_report_is_written_again_without_a_fit(by_file: Any, tmp_path: Path) -> None:
    cache = by_file.page.parent.parent / "cache"
    import json

    path = tmp_path / "small.yaml"
    path.write_text(json.dumps({**STUDY, "data": DATA}))
    where = ["--out", str(tmp_path), "--cache", str(cache)]
    assert main(["report", str(path), *where]) == 0
    scores = (tmp_path / "small" / "scores.csv").read_bytes()
    assert scores == (by_file.page.parent / "scores.csv").read_bytes()
