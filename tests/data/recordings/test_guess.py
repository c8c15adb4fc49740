"""Folders of every layout, and what is guessed of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import mne
import numpy as np
import pytest
from recorded import epochs_of, make_raw, write

from eegvit.config import Card
from eegvit.data import read_subject
from eegvit.data.recordings.guess import guess
from eegvit.data.recordings.names import common_names, roles_of


@pytest.mark.parametrize(
    ("paths", "pattern"),
    [
        (["sub-1_ses-1_eeg.edf", "sub-1_ses-2_eeg.edf", "sub-2_ses-1_eeg.edf"],
         "sub-{subject}_ses-{session}_eeg.edf"),
        (["anna/run1.vhdr", "anna/run2.vhdr", "ben/run1.vhdr"], "{subject}/run{run}.vhdr"),
        (["day1/p03.set", "day2/p03.set", "day1/p04.set"], "day{session}/p{subject}.set"),
        (["p3x.edf", "p4x.edf"], "p{subject}x.edf"),
        (["01_a.edf", "01_b.edf", "02_a.edf"], "{subject}_{session}.edf"),
        (["B01T.bdf", "B01E.bdf", "B02T.bdf"], "B{subject:2}{session:1}.bdf"),
        (["one.edf"], "one.edf"),
    ],
)  # fmt: skip
def test_patterns(paths: list[str], pattern: str) -> None:
    names = common_names(paths)
    assert names.pattern(roles_of(names)) == pattern


def test_marks_and_windows(tmp_path: Path) -> None:
    for subject in "123":
        raw = make_raw(["8", "769", "8", "770"] * 6, int(subject), ("Fc5.", "EEG Cz", "X1"))
        write(tmp_path / f"p{subject}.edf", raw)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    found = guess(tmp_path)
    assert found.options["pattern"] == "p{subject}.edf"
    assert found.options["events"] == {"769": "class_769", "770": "class_770"}
    assert found.channels == ("FC5", "Cz") and found.sfreq == 100 and found.people == 3
    assert found.window == (0, 3) and found.band == (4, 40)
    assert any("'8' is as frequent as all others" in remark for remark in found.remarks)
    assert any("X1" in remark for remark in found.remarks)


def test_rare_classes_and_dense_cues(tmp_path: Path) -> None:
    raw = make_raw(["Stimulus/S  1"] + ["Stimulus/S  2"] * 5)
    dense = make_raw(["5"] * 20)
    dense.set_annotations(None)
    for i in range(60):
        dense.annotations.append([2 + 0.4 * i], [0.0], ["target" if i % 6 == 0 else "other"])
    write(tmp_path / "a_raw.fif", dense)
    found = guess(tmp_path)
    assert found.classes == ("other", "target") and found.window == (0, 0.8)
    assert found.band == (1, 24) and found.share == 0.2
    (tmp_path / "a_raw.fif").unlink()
    write(tmp_path / "b_raw.fif", raw)
    with pytest.raises(ValueError, match="no marks of two classes .marks: Stimulus/S  1, Stim"):
        guess(tmp_path)  # one trial is no class


def test_a_trigger_channel(tmp_path: Path) -> None:
    raw = make_raw(["5"] * 12).set_annotations(None)
    codes = np.zeros((1, raw.n_times))
    codes[0, 200 : 200 + 150 * 12 : 150] = [1, 2] * 6
    info = mne.create_info(["STI"], 100.0, ["stim"])
    raw.add_channels([mne.io.RawArray(codes, info, verbose="error")], force_update_info=True)
    write(tmp_path / "s1_raw.fif", raw)
    found = guess(tmp_path)
    assert found.options["stim_channel"] == "STI"
    assert found.options["events"] == {"1": "class_1", "2": "class_2"}


def test_epochs_and_recordings_without_marks(tmp_path: Path) -> None:
    for subject in "12":
        folder = tmp_path / "cut"
        folder.mkdir(exist_ok=True)
        epochs = epochs_of(make_raw(["left", "right"] * 4, int(subject)))
        epochs.save(folder / f"sub-{subject}_epo.fif", verbose="error")
        for name in ("rest", "count"):
            raw = make_raw(["5"] * 8, int(subject)).set_annotations(None)
            write(tmp_path / "named" / f"sub-{subject}_{name}.edf", raw)
    found = guess(tmp_path / "cut")
    assert found.classes == ("left", "right") and found.band is None and found.windows is None
    assert found.window == (0, 1.21)
    found = guess(tmp_path / "named")
    assert found.options["pattern"] == "sub-{subject}_{class}.edf" and found.windows == 4
    assert found.classes == ("count", "rest")


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        guess(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"no recording in it .*; there is notes\.txt"):
        guess(tmp_path)


def test_eegmmidb_as_moabb_reads_it(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNE_DATA", str(data_dir / "mne_data"))
    folder = data_dir / "mne_data/MNE-eegbci-data/files/eegmmidb/1.0.0"
    found = guess(folder)
    common = {"classes": ("left_hand", "right_hand", "hands", "feet"), "window": (0, 3)}
    card = Card(name="mine", source="files", options=found.options, channels=found.channels,
                **common)  # fmt: skip
    moabb = Card(name="theirs", source="moabb", options={"dataset": "PhysionetMI"},
                 channels=found.channels, **common)  # fmt: skip
    (mine,), (theirs,) = read_subject(card, "1"), read_subject(moabb, "1")
    order = [
        r for run in ("04", "08", "12", "06", "10", "14") for r in np.where(mine.run == run)[0]
    ]
    mine = mine[order]  # MOABB reads both kinds of runs one after the other
    assert mine.labels.tolist() == theirs.labels.tolist()
    np.testing.assert_allclose(mine.X, theirs.X, atol=1e-3)


def test_bci_iv_2b(data_dir: Path, tmp_path: Path) -> None:
    for file in (data_dir / "bci_iv_2b").glob("sub-0[12]_ses-[12]_epo.fif"):
        shutil.copy(file, tmp_path)
    found = guess(tmp_path)
    assert found.options["pattern"] == "sub-{subject}_ses-{session}_epo.fif"
    assert (found.people, found.sessions, found.window) == (2, 2, (0, 4))
    assert found.channels == ("C3", "Cz", "C4") and found.sfreq == 250
