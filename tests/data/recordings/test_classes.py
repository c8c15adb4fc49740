"""What a recording's class is known by: its name, a table, marks that depend on the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recorded import CHANNELS, make_raw, write

from eegvit.config import Card
from eegvit.data import read_subject, recipe_of, source

CLASSES = ("rest", "arithmetic")


def make_card(root: Path, pattern: str, **changes: object) -> Card:
    options = {"root": str(root), "pattern": pattern, **changes.pop("options", {})}  # type: ignore[dict-item]
    settings: dict[str, object] = {
        "name": "mine", "source": "files", "classes": CLASSES, "channels": CHANNELS,
        "options": options, "windows": {"length": 2},
    }  # fmt: skip
    return Card.model_validate(settings | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people, two recordings each without any mark."""
    for seed, name in enumerate(("s01_1", "s01_2", "s02_1", "s02_2")):
        write(tmp_path / f"{name}.edf", make_raw(["5"] * 6, seed).set_annotations(None))  # 13 s
    return tmp_path


def test_the_class_stands_in_the_name(folder: Path) -> None:
    options = {"events": {"1": "rest", "2": "arithmetic"}}
    card = make_card(folder, "s{subject}_{class}.edf", options=options)
    assert card.window == (0, 2)
    (trials,) = read_subject(card, "01")
    assert trials.labels.tolist() == ["rest"] * 6 + ["arithmetic"] * 6
    assert trials.run.tolist() == ["1"] * 6 + ["2"] * 6
    assert trials.onset.tolist() == [0, 2, 4, 6, 8, 10] * 2
    signals = 1e6 * make_raw(["5"] * 6, 1).get_data()
    np.testing.assert_allclose(trials.X[7], signals[:3, 200:400], atol=0.01)
    windows = {"length": 2, "step": 0.5}
    overlapping = make_card(folder, "s{subject}_{class}.edf", options=options, windows=windows)
    assert len(read_subject(overlapping, "01")[0]) == 2 * 23


def test_the_class_stands_in_a_table(folder: Path) -> None:
    rows = "subject,run,class\n1,1,rest\n1,2,arithmetic\n2,1,arithmetic\n2,2,rest\n"
    (folder / "classes.csv").write_text(rows, encoding="utf-8")
    card = make_card(folder, "s{subject}_{run}.edf", options={"table": "classes.csv"})
    assert read_subject(card, "01")[0].labels.tolist() == ["rest"] * 6 + ["arithmetic"] * 6
    assert read_subject(card, "2")[0].labels.tolist() == ["arithmetic"] * 6 + ["rest"] * 6
    before = recipe_of(card, "01")
    rows = "file\tclass\ns01_1.edf\trest\ns01_2.edf\tarithmetic\ns02_1.edf\trest\n"
    (folder / "classes.tsv").write_text(rows, encoding="utf-8")
    card = make_card(folder, "s{subject}_{run}.edf", options={"table": "classes.tsv"})
    with pytest.raises(ValueError, match=r"classes\.tsv: each recording needs one class.*s02_2"):
        source(card).subjects()
    (folder / "classes.tsv").write_text(rows + "s02_2.edf\tarithmetic\n", encoding="utf-8")
    assert recipe_of(card, "01") != before
    (folder / "classes.tsv").write_text("name\tgroup\na\tb\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a column `class`.*its columns are name, group"):
        source(card).subjects()


def test_missing_words_are_said(folder: Path) -> None:
    with pytest.raises(ValueError, match="say of which by {class}"):
        source(make_card(folder, "s{subject}_{run}.edf"))
    whole = make_card(folder, "s{subject}_{class}.edf", windows=None, window=(0, 1),
                      options={"events": {"1": "rest", "2": "arithmetic"}})  # fmt: skip
    with pytest.raises(ValueError, match="all of it is of one class; say in the card's `windows`"):
        read_subject(whole, "01")
    other = {"events": {"1": "rest", "3": "arithmetic"}}
    with pytest.raises(ValueError, match=r"s01_2\.edf: '2' stands for no class"):
        read_subject(make_card(folder, "s{subject}_{class}.edf", options=other), "01")
    with pytest.raises(ValueError, match="`window` is longer than"):
        make_card(folder, "s{subject}_{class}.edf", window=(0, 3))
    with pytest.raises(ValueError, match="of the source `files` only"):
        source(Card(name="x", source="simulated", classes=CLASSES, windows={"length": 1}))


def test_marks_mean_what_their_run_says(tmp_path: Path) -> None:
    for run in ("01", "04", "06", "08"):
        codes = ["T0"] * 6 if run == "01" else ["T0", "T1", "T0", "T2"]
        write(tmp_path / "S001" / f"S001R{run}.edf", make_raw(codes, int(run)))
    events = {"T1": {"4": "left", "08": "left", "06": "hands"}, "T2": {"04": "right", "6": "feet"}}
    classes = ("left", "right", "hands", "feet")
    card = make_card(tmp_path, "S{subject}/S{subject}R{run}.edf", classes=classes, windows=None,
                     window=(0, 1), options={"events": events})  # fmt: skip
    (trials,) = read_subject(card, "1")
    assert trials.labels.tolist() == ["left", "right", "hands", "feet", "left"]
    assert trials.run.tolist() == ["04", "04", "06", "06", "08"]
    assert len(recipe_of(card, "1")["fingerprint"]["files"]) == 3  # run 01 is left out


def test_people_are_known_by_number(folder: Path) -> None:
    options = {"events": {"1": "rest", "2": "arithmetic"}}
    card = make_card(folder, "s{subject}_{class}.edf", subjects=("2", "01"), options=options)
    assert source(card).subjects() == ("02", "01")
