"""One board over studies: who counts, mean ranks, and tests that the parts give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eegvit.command import start
from eegvit.report import write
from eegvit.report.written.folder import Written, read
from eegvit.report.written.over_studies import entries, groups
from eegvit.results.results import tabulate
from eegvit.results.statistics.flips import holm
from eegvit.results.statistics.together import pool, stouffer

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, make_study, make_outcomes) -> Make:
    """Return a function that writes a report of made-up people."""

    def made(name: str, data: str, names: list[str], n_subjects: int = 8, **about) -> Path:
        study = make_study(names, **about)
        study = study.model_copy(update={"name": name})
        outcomes = [
            replace(o, data=np.full(len(o.y), data))
            for o in make_outcomes(study, n_subjects=n_subjects)
        ]
        return write(tabulate(study, CLASSES, outcomes), tmp_path / name).parent

    return made


def test_ranks_and_tests_are_those_of_the_parts(make: Make) -> None:
    names = ["fbcsp", "tangent-space", "eegnet"]
    reports = [
        read(make(f"study-{i}", f"set-{i}", names, n, simulated=False))
        for i, n in enumerate((8, 6, 9))
    ]
    shown = entries(reports)
    assert [entry.why_not for entry in shown] == ["", "", ""]
    (group,) = groups(shown)
    places = [sorted(names, key=lambda m: -e.mean(m, "unlabelled")) for e in shown]
    for model in names:
        expected = np.mean([1 + place.index(model) for place in places])
        assert group.ranks[model] == pytest.approx(expected)
    assert list(group.ranks)[0] == group.against and group.n_tests == 3
    (named,) = groups(shown, "fbcsp")
    assert named.against == "fbcsp" and named.n_tests == 2
    assert [(c.first, c.other) for c in named.combined] == [
        (m, "fbcsp") for m in named.ranks if m != "fbcsp"
    ]
    for one in named.combined:
        differences = [p.difference for p in one.pairs]
        people = [p.n_subjects for p in one.pairs]
        assert people == [8, 6, 9]
        assert one.p == stouffer([p.p for p in one.pairs], differences, people)
        errors = [p.sd / np.sqrt(n) for p, n in zip(one.pairs, people, strict=True)]
        assert one.pooled == pool(differences, errors)
    assert [c.p_holm for c in named.combined] == holm([c.p for c in named.combined])
    with pytest.raises(ValueError, match="no model 'gone'"):
        groups(shown, "gone")


def test_people_count_once_and_simulated_ones_never_beside_real_ones(make: Make) -> None:
    names = ["fbcsp", "eegnet"]

    def why(*reports: Written) -> list[str]:
        return [entry.why_not for entry in entries(reports)]

    one = read(make("one", "set-1", names, simulated=False))
    again = read(make("again", "set-1", [*names, "tangent-space"], simulated=False))
    made = read(make("made", "set-2", names))
    kappa = read(make("kappa", "set-3", names, metric="kappa", simulated=False))
    assert why(one, again, made, kappa) == [
        "",
        "same people as one",
        "simulated",
        "ranked by Cohen's kappa",
    ]
    assert why(made, read(make("more", "set-4", names))) == ["", ""]  # nothing is real
    (group,) = groups(entries([one, again]))
    assert group.others == ("tangent-space",) and group.combined[0].pooled is None


def test_the_command_writes_a_page(make: Make, tmp_path: Path, capsys) -> None:
    names = ["fbcsp", "tangent-space", "csp+lda"]
    folders = [str(make(f"study-{i}", f"set-{i}", names)) for i in "ab"]
    given = ["board", *folders, str(Path(folders[0]) / "scores.csv")]
    assert start("report", [*given, "--out", str(tmp_path), "--reference", "fbcsp"]) == 0
    said = capsys.readouterr().out
    assert "## Target use: unlabelled" in said and "reference" in said
    page = (tmp_path / "board.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and "simulated data" in page
    assert "tangent-space minus fbcsp" in page and ">nan<" not in page and "http" not in page
    assert start("report", ["board", folders[0]]) == 1
    assert "two reports or more" in " ".join(capsys.readouterr().err.split())
