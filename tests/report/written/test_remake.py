"""A page made again from its folder says what the page of the fits said, and nothing more."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit import run_study
from eegvit.command import start
from eegvit.config import sha256 as sha256_of
from eegvit.report import write
from eegvit.report.written.folder import read
from eegvit.report.written.remake import remake
from eegvit.report.written.verify import verify
from eegvit.results.results import Results

SAME = ("leaderboard.csv", "scores.csv", "pairs.csv", "predictions.npz")
GAINED = ("both_low", "both_high", "mean_brier", "rank_low", "rank_high", "alike", "control")
ENSEMBLES = {
    "both": {"of": ["csp", "tangent"]},
    "learned": {"of": ["csp", "tangent"], "rule": "weighted"},
}
STUDY = {
    "name": "people",
    "description": "A few people.",
    "align": "euclidean",
    "models": {
        "csp": {"branch": "csp_lda"},
        "tangent": {"branch": "tangent_space", "align": "none"},
    },
}


@pytest.fixture(scope="module")
def people() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((160, 3, 64)), np.tile(["left", "right"], 80)
    X[y == "left", 0] *= 1.4
    subject = np.repeat(["ann", "bob", "eve", "joe", "kim"], 32)
    return {"X": X, "y": y, "sfreq": 64.0, "subject": subject}


@pytest.fixture(scope="module")
def ran(people: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a study whose fits are gone."""
    folder = tmp_path_factory.mktemp("remake")
    study = {**STUDY, "ensembles": ENSEMBLES}
    run_study(study, people, jobs=0, cache=folder / "cache", out=folder)
    shutil.rmtree(folder / "cache")
    return folder / "people"


@pytest.fixture
def folder(ran: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ran, tmp_path / "people"))


def untimed(text: str) -> str:
    """Return Markdown without times, whose last digit is lost in leaderboard.csv."""
    return re.sub(r"[-: ]+", " ", re.sub(r"[\d.,]+ (ms|s|min)\b", "", text))


def test_the_same_board_scores_and_pairs_without_a_fit(folder: Path, ran: Path) -> None:
    results, page = remake(folder)
    for name in SAME:
        assert (folder / name).read_bytes() == (ran / name).read_bytes(), name
    then, now = ((f / "leaderboard.md").read_text("utf-8") for f in (ran, folder))
    assert results.again in now
    assert untimed(now.replace(f"{results.again}\n\n", "")) == untimed(then)
    assert "audit" not in [one.partition('"')[0] for one in page.read_text().split('section id="')]
    assert "Left out" in results.again and "what ensembles learned" in results.again
    assert verify(read(folder))[1] == []
    before, after = (json.loads((f / "manifest.json").read_text("utf-8")) for f in (ran, folder))
    assert set(after.pop("remade")) == {"on", "commit", "eegvit"}
    assert {k: v for k, v in after.items() if k != "files"} == {
        k: v for k, v in before.items() if k != "files"
    }


def test_times_are_told_by_stage_where_the_fits_tell_them(folder: Path, ran: Path) -> None:
    results, _ = remake(folder)
    rows = {row.model: row for row in results.board}
    fits = json.loads((ran / "manifest.json").read_text("utf-8"))["fits"]
    scored = [fit for fit in fits if fit["model"] == "csp" and "held out" not in fit["split"]]
    trained = sum(fit["seconds_fit"] for fit in scored)
    assert len(scored) == 5 and rows["csp"].stages["fit"] == pytest.approx(trained)
    inner = [fit for fit in fits if fit["model"] in ("csp", "tangent")]
    assert len(inner) > 10  # the ensemble that learns has the inner ones too
    learned = sum(fit["seconds_fit"] for fit in inner)
    assert rows["learned"].stages["fit"] == pytest.approx(learned)


def test_twice_is_as_once_and_the_command_takes_folders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remake(folder)
    once = {name: (folder / name).read_bytes() for name in (*SAME, "leaderboard.md")}
    assert start("report", ["remake", str(folder)]) == 0
    assert "people · arrays" in capsys.readouterr().out
    assert once == {name: (folder / name).read_bytes() for name in once}
    assert start("report", ["remake", str(folder), "--set", "name=x"]) == 1
    assert "--set goes with a study" in capsys.readouterr().err


def test_rows_of_failed_fits_stay_failed(results: Results, tmp_path: Path) -> None:
    folder = write(results, tmp_path / "made_up").parent
    old = {name: (folder / name).read_bytes() for name in SAME}
    again, page = remake(folder)
    assert old == {name: (folder / name).read_bytes() for name in SAME}
    row = next(row for row in again.board if row.model == "mdm")
    assert (row.status, row.rank, row.n_failed) == ("failed", None, 2)
    assert "not positive definite" in row.reason and row.reason in page.read_text("utf-8")
    assert {r.model: r.target for r in again.board} == {r.model: r.target for r in results.board}


def changed(folder: Path, how: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest, and make the hash of its study right again."""
    file = folder / "manifest.json"
    about = json.loads(file.read_text("utf-8"))
    how(about)
    if "asked" in about:
        about["study_sha256"] = sha256_of(about["asked"])
    file.write_text(json.dumps(about), "utf-8")


def test_what_is_gone_since_stops_nothing(folder: Path, ran: Path) -> None:
    def gone(about: dict[str, Any]) -> None:
        about["asked"]["models"]["csp"] |= {"parameters": {"layout": "lattice"}}
        about["asked"]["models"]["tangent"]["branch"] = "since_deleted"
        about["asked"]["evaluate"] = {"strictness": 3}

    changed(folder, gone)
    results, page = remake(folder)
    assert (folder / "leaderboard.csv").read_bytes() == (ran / "leaderboard.csv").read_bytes()
    assert "mean nothing today: evaluate.strictness." in results.again
    assert "layout: lattice" in page.read_text("utf-8")


@pytest.mark.parametrize("name", ["predictions.npz", "scores.csv", "leaderboard.csv"])
def test_what_does_not_agree_is_refused_and_nothing_written(folder: Path, name: str) -> None:
    if name == "predictions.npz":
        with np.load(folder / name) as saved:
            arrays = {key: saved[key] for key in saved.files}
        table = arrays["probabilities/csp/0"]
        table[:4] = table[:4, ::-1]
        np.savez_compressed(folder / name, **arrays)
    else:
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text.replace("csp,", "csq,") if name == "scores.csv" else
                                   text.replace("unlabelled", "none"), "utf-8")  # fmt: skip
    made = sha256((folder / name).read_bytes()).hexdigest()

    def hashed(about: dict[str, Any]) -> None:
        if name != "leaderboard.csv":  # whose numbers are not all recomputed: its hash tells
            about["files"][name] = made
            about["scores_sha256"] = about["files"]["scores.csv"]

    changed(folder, hashed)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ValueError, match=r"people is not made again: \w+\.csv"):
        remake(folder)
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_rows_of_another_study_are_refused(folder: Path) -> None:
    changed(folder, lambda about: about["asked"]["ensembles"].pop("both"))
    with pytest.raises(ValueError, match="people: both: not in all of"):
        remake(folder)


def aged(folder: Path) -> None:
    """Make a report what it was in format 1."""
    with np.load(folder / "predictions.npz") as saved:
        kept = {k: saved[k] for k in saved.files if k not in ("data", "subject", "session")}
    np.savez_compressed(folder / "predictions.npz", **kept)
    for name in ("scores.csv", "leaderboard.csv"):
        with open(folder / name, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        out = io.StringIO()
        columns = [c for c in rows[0] if c not in ("brier", *GAINED)]
        writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (folder / name).write_text(out.getvalue(), "utf-8")
    (folder / "pairs.csv").unlink()

    def older(about: dict[str, Any]) -> None:
        about["format"] = 1
        del about["asked"], about["files"]
        for fit in about["fits"]:
            del fit["shared_with"]
        text = about["study_text"].replace("name: people", "name: before\ndata: bci_iv_2b")
        about["study_text"] = text.replace("branch: csp_lda", "branch: csp_lda\n    layout: gone")
        about["command"] = "python -m eegvit.run people.yaml --set name=people"
        about["scores_sha256"] = sha256((folder / "scores.csv").read_bytes()).hexdigest()
        about["data"] = [{k: v for k, v in one.items() if k != "notes"} for one in about["data"]]

    changed(folder, older)


def test_a_report_of_the_first_format_becomes_one_of_today(folder: Path, ran: Path) -> None:
    aged(folder)
    before = (folder / "leaderboard.html").read_text("utf-8")
    results, page = remake(folder)
    for name in SAME:
        assert (folder / name).read_bytes() == (ran / name).read_bytes(), name
    trials = before.partition("<dt>Trials</dt><dd>")[2].partition("</dd>")[0]
    assert f"<dt>Trials</dt><dd>{trials}</dd>" in page.read_text("utf-8")
    assert "layout: gone" in page.read_text("utf-8")
    card = results.study.data[0]
    assert (card.name, card.source, card.title) == ("arrays", "arrays", "Trials given from Python")
    assert not hasattr(card, "window")  # today's card of that name says nothing of then
    assert verify(read(folder))[1] == [] and results.study.name == "people"
    once = page.read_text("utf-8").partition('<section id="manifest">')[0]
    remake(folder)
    assert page.read_text("utf-8").partition('<section id="manifest">')[0] == once


def test_without_a_page_how_trials_were_cut_is_left_out(folder: Path) -> None:
    aged(folder)
    (folder / "leaderboard.html").unlink()
    results, page = remake(folder)
    assert "how trials were cut" in results.again
    assert "<dt>Trials</dt>" not in page.read_text("utf-8")


def test_scores_by_the_number_of_labels_are_kept(people: dict[str, Any], tmp_path: Path) -> None:
    evaluate = {"label_fraction": [0.3, 1 / 3, 1.0], "draws": 2}
    run_study({**STUDY, "evaluate": evaluate}, people, jobs=0, cache=tmp_path / "c", out=tmp_path)
    shutil.rmtree(tmp_path / "c")
    folder, names = tmp_path / "people", (*SAME, "label_efficiency.csv")
    before = {name: (folder / name).read_bytes() for name in names}
    told = (folder / "leaderboard.md").read_text("utf-8").split("\n## ")[1]
    results, _ = remake(folder)
    assert before == {name: (folder / name).read_bytes() for name in names}
    assert told.startswith("Labels")
    assert told == (folder / "leaderboard.md").read_text("utf-8").split("\n## ")[1]
    assert "how many labels an amount is" in results.again
    text = before["label_efficiency.csv"].decode().replace("1.000000,0,0,ann", "1.000000,0,0,bob")
    (folder / "label_efficiency.csv").write_text(text, "utf-8")
    changed(folder, lambda about: about.pop("files"))
    with pytest.raises(ValueError, match=r"label_efficiency\.csv: csp, seed 0, bob: accuracy"):
        remake(folder)
