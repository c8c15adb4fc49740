"""A BIDS folder that MNE-BIDS wrote, read back."""

from __future__ import annotations

import warnings
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pytest

from eegvit.config import Card, View
from eegvit.data import read_subject, recipe_of, source

SFREQ = 100.0


def write_recording(root: Path, subject: str, session: str, run: str, seed: int) -> np.ndarray:
    """Write eight trials of noise, cues at whole seconds from 2 s; return the signals in uV."""
    rng = np.random.default_rng(seed)
    signals = 10 * rng.standard_normal((3, int(14 * SFREQ)))
    info = mne.create_info(["C3", "Cz", "EOG"], SFREQ, ["eeg", "eeg", "eog"])
    info["line_freq"] = 50
    raw = mne.io.RawArray(1e-6 * signals, info, verbose="error")
    names = ["left", "right"] * 4 + ["BAD_blink"]
    onsets = [*range(2, 10), 4.5]
    raw.set_annotations(mne.Annotations(onsets, np.full(9, 0.1), names))
    path = mne_bids.BIDSPath(
        root=root, subject=subject, session=session, run=run, task="imagery", datatype="eeg"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mne_bids.write_raw_bids(
            raw, path, format="BrainVision", allow_preload=True, verbose="error"
        )
    return signals


def make_card(root: Path, **options: object) -> Card:
    events = {"left": "left_hand", "right": "right_hand"}
    return Card.model_validate(
        {
            "name": "mine", "source": "bids", "classes": ("left_hand", "right_hand"),
            "window": (0, 1), "options": {"root": str(root), "events": events} | options,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people; the first with two sessions, of one and two runs."""
    root = tmp_path_factory.mktemp("bids")
    write_recording(root, "01", "a", "1", 0)
    write_recording(root, "01", "b", "1", 1)
    write_recording(root, "01", "b", "2", 2)
    write_recording(root, "02", "a", "1", 3)
    return root


def test_sessions_runs_and_signals(folder: Path) -> None:
    card = make_card(folder, task="imagery")
    assert source(card).subjects() == ("01", "02")
    first, second = read_subject(card, "01")
    assert first.X.shape == (8, 2, 100) and second.X.shape == (16, 2, 100)
    assert first.ch_names == ("C3", "Cz")
    assert first.labels.tolist() == ["left_hand", "right_hand"] * 4
    assert second.run.tolist() == ["1"] * 8 + ["2"] * 8
    signals = 10 * np.random.default_rng(0).standard_normal((3, 1400))
    np.testing.assert_allclose(first.X[1], signals[:2, 300:400], atol=1e-3)


def test_bad_spans_are_dropped_where_the_card_says(folder: Path) -> None:
    (dropped,) = read_subject(make_card(folder).override(View(artifacts="drop")), "02")
    assert dropped.index.tolist() == [0, 1, 3, 4, 5, 6, 7]


def test_wrong_folders_and_tasks_are_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        source(make_card(tmp_path / "nowhere")).subjects()
    with pytest.raises(FileNotFoundError, match="no EEG recording of task 'rest'"):
        source(make_card(folder, task="rest")).subjects()
    with pytest.raises(ValueError, match="no recording of subject '3'; known: 01, 02"):
        read_subject(make_card(folder), "3")
    with pytest.raises(ValueError, match=r"eeg\.vhdr: none of its .* marks is one of up, down"):
        events = {"up": "left_hand", "down": "right_hand"}
        read_subject(make_card(folder, events=events), "01")


def test_damage_and_edited_events(tmp_path: Path) -> None:
    write_recording(tmp_path, "01", "a", "1", 0)
    card = make_card(tmp_path)
    before = recipe_of(card, "01")
    table = next(tmp_path.rglob("*_events.tsv"))
    table.write_text(table.read_text(encoding="utf-8").replace("left", "LEFT"), encoding="utf-8")
    after = recipe_of(card, "01")
    assert after != before
    next(tmp_path.rglob("*_eeg.eeg")).unlink()
    with pytest.raises(ValueError, match=r"_eeg\.vhdr: cannot be read"):
        read_subject(card, "01")
