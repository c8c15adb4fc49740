"""What does not agree with the predictions is found, whichever file was changed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from eegvit.command import start
from eegvit.report import write
from eegvit.report.written.folder import read
from eegvit.report.written.verify import verify
from eegvit.results.results import Results


@pytest.fixture
def folder(results: Results, tmp_path: Path) -> Path:
    """Return a report that was just written."""
    return write(results, tmp_path / "made_up").parent


def changed(file: Path, column: str, row: int, how: Callable[[float], float]) -> None:
    """Change one number of a CSV file, and make its hash right again."""
    with open(file, encoding="utf-8", newline="") as given:
        rows = list(csv.DictReader(given))
    rows[row][column] = f"{how(float(rows[row][column])):.6f}"
    with open(file, "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    place = file.with_name("manifest.json")
    about = json.loads(place.read_text("utf-8"))
    about["files"][file.name] = sha256(file.read_bytes()).hexdigest()
    if file.name == "scores.csv":
        about["scores_sha256"] = about["files"][file.name]
    place.write_text(json.dumps(about))


def test_a_report_agrees_with_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agree, wrong = verify(read(folder))
    assert wrong == [] and len(agree) == 4
    assert start("report", ["verify", str(folder)]) == 0
    assert "hashes agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("scores.csv", "kappa"),
        ("scores.csv", "brier"),
        ("leaderboard.csv", "mean"),
        ("leaderboard.csv", "ci_high"),
        ("leaderboard.csv", "mean_log_loss"),
        ("pairs.csv", "difference"),
        ("pairs.csv", "p_holm"),
    ],
)
def test_one_changed_number_is_named(
    folder: Path, name: str, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(folder / name, column, 0, lambda value: value + 0.001)
    _, wrong = verify(read(folder))
    assert len(wrong) == 1 and wrong[0].startswith(f"{name}: ") and f": {column} is " in wrong[0]
    assert start("report", ["verify", str(folder)]) == 1
    assert wrong[0] in capsys.readouterr().err


def test_a_changed_prediction_is_found_by_hash_and_by_score(folder: Path) -> None:
    with np.load(folder / "predictions.npz") as saved:
        arrays = {name: saved[name] for name in saved.files}
    table = arrays["probabilities/eegnet/1"]
    table[:5] = table[:5, ::-1]
    np.savez_compressed(folder / "predictions.npz", **arrays)
    _, wrong = verify(read(folder))
    assert "predictions.npz is not the file that was written: its sha256 is another" in wrong
    assert any(said.startswith("scores.csv: model eegnet") for said in wrong)
    assert any(said.startswith("leaderboard.csv: eegnet") for said in wrong)


def test_a_row_that_is_missing_or_more_is_named(folder: Path) -> None:
    lines = (folder / "scores.csv").read_text("utf-8").splitlines(keepends=True)
    more = lines[1].replace("0train", "2more")
    (folder / "scores.csv").write_text("".join([lines[0], more, *lines[2:]]))
    _, wrong = verify(read(folder))
    missing = [said for said in wrong if "missing in" in said]
    assert len(missing) == 2
    assert "missing in predictions.npz" in missing[0] and "missing in scores.csv" in missing[1]


def test_no_report_and_damaged_reports_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no report: manifest.json is missing"):
        read(tmp_path)
    (folder / "predictions.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="the report cannot be read"):
        read(folder)
