"""A study and a card for a folder: they load, say what was guessed, and run."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pytest
from recorded import epochs_of, make_raw, write

import eegvit
from eegvit.command.init import init
from eegvit.config import load_study

SMALL = {"models": {"chance": {"branch": "chance"}, "mdm": {"branch": "mdm", "align": "none"}}}


def edf(root: Path) -> None:
    for subject in "123":
        write(root / f"S{subject}.edf", make_raw(["left", "right"] * 6, int(subject)))


def brainvision(root: Path) -> None:
    for subject in "12":
        for run in "12":
            raw = make_raw(["8", "1", "8", "2"] * 5, int(subject + run))
            write(root / f"person{subject}" / f"run{run}.vhdr", raw)


def epochs(root: Path) -> None:
    root.mkdir()
    for subject in "12":
        cut = epochs_of(make_raw(["left", "right"] * 6, int(subject)))
        cut.save(root / f"sub-0{subject}_epo.fif", verbose="error")


def bids(root: Path) -> None:
    for subject in "12":
        raw = make_raw(["left", "right"] * 6, int(subject))
        raw.info["line_freq"] = 50
        path = mne_bids.BIDSPath(root=root, subject=subject, task="imagery", datatype="eeg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mne_bids.write_raw_bids(
                raw, path, format="BrainVision", allow_preload=True, verbose="error"
            )


def eegmmidb(root: Path) -> None:
    for subject in ("001", "002"):
        for run in ("01", "04", "06"):
            codes = ["T0"] * 4 if run == "01" else ["T0", "T1", "T0", "T2"] * 3
            raw = make_raw(codes, int(subject + run), ("Fc3.", "C3..", "Cz.."))
            write(root / f"S{subject}" / f"S{subject}R{run}.edf", raw)


def without_marks(root: Path) -> None:
    for subject in "12":
        for name in ("rest", "count"):
            raw = make_raw(["5"] * 12, 10 * int(subject) + len(name)).set_annotations(None)
            write(root / f"s{subject}_{name}.bdf", raw)


@pytest.mark.parametrize("layout", [edf, brainvision, epochs, bids, eegmmidb, without_marks])
def test_a_study_for_every_layout_runs(layout, tmp_path: Path) -> None:
    layout(tmp_path / "mine")
    path = init(tmp_path / "mine", tmp_path / "out")
    study = load_study(path)
    assert study.evaluate.protocol == "cross_subject" and len(study.models) > 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = eegvit.run_study(path, jobs=0, changes=SMALL)
    assert {row.status for row in results.details.board} == {"ok"}
    if layout is eegmmidb:
        assert study.data[0].classes == ("left_hand", "hands", "right_hand", "feet")
        assert study.data[0].channels == ("FC3", "C3", "Cz")


def test_epochs_that_are_resampled_are_long_enough(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    rng = np.random.default_rng(0)
    events = np.c_[np.arange(16), np.zeros(16, int), np.arange(16) % 2 + 1]
    info = mne.create_info(["C3", "Cz", "C4"], 250.0, "eeg")
    for subject in "12":
        signals = 1e-5 * rng.standard_normal((16, 3, 751))  # MNE's epochs include their end
        cut = mne.EpochsArray(signals, info, events, tmin=0.5, event_id={"a": 1, "b": 2})
        cut.save(tmp_path / "mine" / f"sub-{subject}_epo.fif", verbose="error")
    path = init(tmp_path / "mine", tmp_path)
    study = load_study(path)
    assert study.data[0].window == (0.5, 3.5) and study.view.resample == 125
    results = eegvit.run_study(path, jobs=0, changes=SMALL)
    assert {row.status for row in results.details.board} == {"ok"}


def test_files_are_commented_and_never_written_over(tmp_path: Path) -> None:
    brainvision(tmp_path / "my recordings!")
    path = init(tmp_path / "my recordings!", tmp_path)
    assert path == tmp_path / "pipelines" / "my_recordings.yaml"
    card = (tmp_path / "datasets" / "my_recordings.yaml").read_text("utf-8")
    assert "# - 'Comment/8' is as frequent as all others together" in card
    assert 'events: {"Comment/1": class_1, "Comment/2": class_2}' in card
    with pytest.raises(FileExistsError, match="is there already"):
        init(tmp_path / "my recordings!", tmp_path)


def test_the_real_eegmmidb(data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(
        data_dir / "mne_data/MNE-eegbci-data/files/eegmmidb/1.0.0", tmp_path / "eegmmidb"
    )
    path = init(tmp_path / "eegmmidb", tmp_path)
    results = eegvit.run_study(path, jobs=0, changes=SMALL)
    assert {row.status for row in results.details.board} == {"ok"}
    assert len(results.predictions) == 2 * 90  # trials, models
