"""Recordings in folders, in every format, with right, missing and wrong marks."""

from __future__ import annotations

import warnings
from pathlib import Path

import mne
import numpy as np
import pytest
from recorded import CHANNELS, CLASSES, CODES, SFREQ, make_raw, write, write_gdf
from scipy.io import savemat

from eegvit.config import Card, View, load_card
from eegvit.data import read_subject, recipe_of, source
from eegvit.data.folders import expand, find_files
from eegvit.data.remarks import unexpected


def make_card(root: Path, pattern: str, **changes: object) -> Card:
    options = {"root": str(root), "pattern": pattern, "events": CODES}
    options |= changes.pop("options", {})  # type: ignore[arg-type]
    settings: dict[str, object] = {
        "name": "mine", "source": "files", "classes": CLASSES, "channels": CHANNELS,
        "window": (0.0, 1.0), "options": options,
    }  # fmt: skip
    return Card.model_validate(settings | changes)


def graz_recording(cues: list[int], rejected: tuple[int, ...] = ()) -> tuple[np.ndarray, list]:
    """Signals with a gap at the start, and marks as in the competition: trial, reject, cue."""
    n_times = 300 * len(cues) + 400
    signals = 10 * np.random.default_rng(1).standard_normal((4, n_times))
    signals[:, :50] = np.nan
    marks = []
    for i, cue in enumerate(cues):
        marks.append((100 + 300 * i, 768))
        if i in rejected:
            marks.append((100 + 300 * i, 1023))
        marks.append((200 + 300 * i, cue))
    return signals, marks


FORMATS = ("a_raw.fif", "a.edf", "a.bdf", "a.gdf", "a.vhdr", "a.set", "a.cnt")


def test_every_format_gives_the_same_trials(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    read = {}
    for name in FORMATS:
        write(tmp_path / "s1" / name, raw)
        prefix = "Comment/" if name.endswith("vhdr") else ""  # as MNE writes and reads them
        events = {prefix + code: label for code, label in CODES.items()}
        options = {"events": events}
        card = make_card(tmp_path, "s{subject}/" + name, band=(4, 30), options=options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (read[name],) = read_subject(card, "1")
    reference = read["a_raw.fif"]
    assert reference.X.shape == (10, 3, 100) and reference.X.dtype == np.float32
    assert reference.labels.tolist() == ["left_hand", "right_hand"] * 5
    assert reference.onset.tolist() == (2 + 1.5 * np.arange(10)).tolist()
    for name, trials in read.items():
        atol = 0.1 if name == "a.gdf" else 0.01  # of which a bit is 0.1 uV
        np.testing.assert_allclose(trials.X, reference.X, atol=atol, err_msg=name)
        np.testing.assert_array_equal(trials.y, reference.y)
        np.testing.assert_allclose(trials.onset, reference.onset, err_msg=name)


def test_epochs_equal_the_continuous_recording(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    events, ids = mne.events_from_annotations(raw, verbose="error")
    epochs = mne.Epochs(raw, events, ids, 0, 1.2, baseline=None, preload=True, verbose="error")
    epochs.save(tmp_path / "s1_epo.fif", verbose="error")
    view = View(window=(0.1, 0.9), resample=50)
    (cut,) = read_subject(make_card(tmp_path, "s{subject}_epo.fif").override(view), "1")
    (whole,) = read_subject(make_card(tmp_path, "s{subject}_raw.fif").override(view), "1")
    assert cut.X.shape == whole.X.shape == (10, 3, 40)
    assert cut.tmin == 0.1 and cut.sfreq == 50
    np.testing.assert_allclose(cut.X[:, :, 10:-10], whole.X[:, :, 10:-10], atol=1e-3)


def test_epochs_are_not_band_passed_and_not_stretched(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 3)
    events, ids = mne.events_from_annotations(raw, verbose="error")
    epochs = mne.Epochs(raw, events, ids, 0, 1, baseline=None, preload=True, verbose="error")
    epochs.save(tmp_path / "s1_epo.fif", verbose="error")
    card = make_card(tmp_path, "s{subject}_epo.fif")
    with pytest.raises(ValueError, match=r"s1_epo\.fif.*cannot be band-passed"):
        read_subject(card.override(View(band=(4, 30))), "1")
    with pytest.raises(ValueError, match=r"from 0 to 1.01 s, the card wants 0 to 2 s"):
        read_subject(card.override(View(window=(0, 2))), "1")


def test_trigger_channel_and_offset(tmp_path: Path) -> None:
    raw = make_raw(["rest"])
    signals = raw.get_data()
    codes = np.zeros((1, signals.shape[1]))
    codes[0, [100, 250]] = 769, 770
    info = mne.create_info([*raw.ch_names, "STI"], SFREQ, ["eeg"] * 4 + ["stim"])
    both = mne.io.RawArray(np.vstack([signals, codes]), info, verbose="error")
    both.save(tmp_path / "s1_raw.fif", verbose="error")
    options = {"stim_channel": "STI", "offset": 0.5}
    (trials,) = read_subject(make_card(tmp_path, "s{subject}_raw.fif", options=options), "1")
    assert trials.labels.tolist() == list(CLASSES)
    np.testing.assert_allclose(trials.X[1], 1e6 * signals[:3, 300:400], rtol=1e-5)
    with pytest.raises(ValueError, match="no stimulus channel 'STATUS'"):
        read_subject(
            make_card(tmp_path, "s{subject}_raw.fif", options={"stim_channel": "STATUS"}), "1"
        )


def test_sessions_and_runs_in_time_order(tmp_path: Path) -> None:
    for name, seed in (("A01T_2", 0), ("A01T_10", 1), ("A01E_1", 2), ("A02T_1", 3)):
        make_raw(["769", "770"], seed).save(tmp_path / f"{name}_raw.fif", verbose="error")
    card = make_card(
        tmp_path, "A{subject:2}{session}_{run}_raw.fif", options={"sessions": ("T", "E")}
    )
    assert source(card).subjects() == ("01", "02")
    first, second = read_subject(card, "01")
    assert first.run.tolist() == ["2", "2", "10", "10"] and set(second.session) == {"E"}
    assert first.index.tolist() == [0, 1, 2, 3]
    assert first.ids[3] == "01/T/10/3"
    with pytest.raises(ValueError, match="has no subject '3'; known: 01, 02"):
        source(card.model_copy(update={"subjects": ("3",)})).subjects()


def test_gdf_with_gap_rejection_and_eog(tmp_path: Path) -> None:
    signals, marks = graz_recording([769, 770, 769, 770], rejected=(1,))
    write_gdf(tmp_path / "B01T.gdf", signals, marks)
    card = make_card(tmp_path, "B{subject:2}{session}.gdf", options={"events": None}, channels=None)
    (kept,) = read_subject(card, "01")
    assert kept.X.shape == (4, 3, 100) and kept.ch_names == CHANNELS
    np.testing.assert_allclose(kept.X[0], signals[:3, 200:300], atol=0.06)
    (dropped,) = read_subject(card.override(View(artifacts="drop", band=(0.5, 30))), "01")
    assert dropped.index.tolist() == [0, 2, 3]  # the trials keep their numbers
    assert np.abs(dropped.X).max() < 40  # the gap of -3276.8 uV did not ring through the filter


def test_true_labels_of_the_competition(tmp_path: Path) -> None:
    write_gdf(tmp_path / "B01E.gdf", *graz_recording([783] * 4))
    write_gdf(tmp_path / "B02E.gdf", *graz_recording([769, 770, 770, 769]))
    card = make_card(tmp_path, "B{subject}{session:1}.gdf")
    with pytest.raises(ValueError, match=r"B01E\.gdf: its cues are unknown"):
        read_subject(card, "01")
    card = make_card(
        tmp_path, "B{subject}{session:1}.gdf", options={"labels": "B{subject}{session}.mat"}
    )
    with pytest.raises(FileNotFoundError, match=r"B01E\.mat: the file of true labels is missing"):
        read_subject(card, "01")
    for n in ("01", "02"):
        savemat(tmp_path / f"B{n}E.mat", {"classlabel": np.array([[1], [2], [2], [1]])})
    for n in ("01", "02"):
        (trials,) = read_subject(card, n)
        assert trials.y.tolist() == [0, 1, 1, 0]
    before = recipe_of(card, "01")
    savemat(tmp_path / "B01E.mat", {"classlabel": np.array([[1], [2], [2]])})
    savemat(tmp_path / "B02E.mat", {"classlabel": np.array([[2], [2], [2], [1]])})
    assert recipe_of(card, "01") != before  # labels are part of the key
    with pytest.raises(ValueError, match=r"B01E\.mat: 3 labels for the 4 cues"):
        read_subject(card, "01")
    with pytest.raises(ValueError, match=r"B02E\.mat: 1 labels contradict the cues"):
        read_subject(card, "02")
    (tmp_path / "B01E.mat").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"B01E\.mat: cannot be read as a MATLAB file"):
        read_subject(card, "01")


def test_damaged_files_are_named(tmp_path: Path) -> None:
    make_raw(["769", "770"]).save(tmp_path / "s1_raw.fif", verbose="error")
    whole = (tmp_path / "s1_raw.fif").read_bytes()
    (tmp_path / "s2_raw.fif").write_bytes(b"")
    (tmp_path / "s3_raw.fif").write_bytes(b"\x00\x01garbage" * 999)
    (tmp_path / "s4_raw.fif").write_bytes(whole[: len(whole) // 2])
    card = make_card(tmp_path, "s{subject}_raw.fif")
    with pytest.raises(ValueError, match=r"s2_raw\.fif: the file is empty"):
        read_subject(card, "2")
    for subject in "34":
        with pytest.raises(ValueError, match=rf"s{subject}_raw\.fif: cannot be read"):
            read_subject(card, subject)


def test_gaps_missing_channels_and_wrong_marks_are_named(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"])
    raw.copy().set_annotations(None).save(tmp_path / "s2_raw.fif", verbose="error")
    raw._data[1, 220] = np.nan
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    card = make_card(tmp_path, "s{subject}_raw.fif")
    with pytest.raises(ValueError, match=r"s1_raw\.fif: 1 of 2 trials have NaN.*channel Cz"):
        read_subject(card, "1")
    with pytest.raises(ValueError, match=r"s1_raw\.fif: 1 of 700 samples are NaN.*channel Cz"):
        read_subject(card.override(View(band=(4, 30))), "1")
    with pytest.raises(ValueError, match=r"s2_raw\.fif: none of its 0 marks is one of 769, 770"):
        read_subject(card, "2")
    with pytest.raises(ValueError, match=r"s1_raw\.fif: no channel 'C33', did you mean 'C3'"):
        read_subject(card.override(View(channels=("C33",))), "1")
    with pytest.raises(ValueError, match=r"s1_raw\.fif: the band .* does not fit below 50 Hz"):
        read_subject(card.override(View(band=(4, 60))), "1")
    with pytest.raises(ValueError, match="no mark stands for the class 'right_hand'"):
        source(make_card(tmp_path, "s{subject}_raw.fif", options={"events": {"1": "left_hand"}}))


def test_a_class_that_never_occurs_is_refused(tmp_path: Path) -> None:
    make_raw(["769", "769"]).save(tmp_path / "s1_raw.fif", verbose="error")
    with pytest.raises(ValueError, match="no trial of class right_hand; there are left_hand"):
        read_subject(make_card(tmp_path, "s{subject}_raw.fif"), "1")


def test_fewer_trials_than_expected_are_said(tmp_path: Path) -> None:
    make_raw(["769", "770"]).save(tmp_path / "s1_raw.fif", verbose="error")
    card = make_card(tmp_path, "s{subject}_raw.fif", expected={"sessions": 2, "trials": 3})
    assert unexpected(card, read_subject(card, "1")) == (
        "mine is not as its card expects: 1 sessions instead of 2; 2 trials a session instead of 3"
    )
    card = make_card(tmp_path, "s{subject}_raw.fif", channels=None, expected={"channels": 22})
    assert "3 channels instead of 22" in str(unexpected(card, read_subject(card, "1")))


def test_missing_folders_and_names_are_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        source(make_card(tmp_path / "nowhere", "{subject}.edf")).subjects()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"called like \{subject\}\.edf \(there are notes"):
        source(make_card(tmp_path, "{subject}.edf")).subjects()
    with pytest.raises(ValueError, match=r"no field \{subjct\}, did you mean 'subject'"):
        find_files(tmp_path, "{subjct}.edf")


def test_fingerprint_follows_the_file_and_the_root_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_raw(["769", "770"]).save(tmp_path / "s1_raw.fif", verbose="error")
    monkeypatch.setenv("MY_EEG", str(tmp_path))
    card = make_card(Path("${MY_EEG:-/nowhere}"), "s{subject}_raw.fif")
    before = recipe_of(card, "1")
    assert recipe_of(card, "1") == before
    assert recipe_of(card.override(View(resample=50)), "1") != before
    make_raw(["769", "770"], seed=1).save(tmp_path / "s1_raw.fif", overwrite=True, verbose="error")
    assert recipe_of(card, "1") != before
    monkeypatch.delenv("MY_EEG")
    assert expand("${MY_EEG:-/nowhere}/x") == "/nowhere/x"


def test_bci_iv_2b_epochs(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EEGVIT_TEST_DATA", str(data_dir))
    card = load_card("bci_iv_2b_epochs")
    assert source(card).subjects() == ("01", "02", "03", "04", "05", "06")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sessions = read_subject(card, "04")
    assert [t.X.shape for t in sessions] == [(120, 3, 1000)] * 5
    assert [str(t.session[0]) for t in sessions] == ["1", "2", "3", "4", "5"]
    assert all(np.bincount(t.y).tolist() == [60, 60] for t in sessions)
    assert all(1 < t.X.std() < 50 for t in sessions)  # like microvolts
    assert sessions[0].ch_names == ("C3", "Cz", "C4")
