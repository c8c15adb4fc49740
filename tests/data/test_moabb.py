"""MOABB's data sets: real ones without a network, and one written in BNCI2014_001's layout."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import ARTIFACTS, write_graz

from eegvit.config import Card, View, load_card
from eegvit.data import read_subject, recipe_of, source


@pytest.fixture
def real(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the real recordings in MOABB's layout, as MNE_DATA."""
    folder = data_dir / "mne_data"
    if not folder.is_dir():
        pytest.skip(f"REAL EEG MISSING: no folder {folder}")
    monkeypatch.setenv("MNE_DATA", str(folder))
    return folder


@pytest.fixture
def graz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write noise of 10 uV for subject 1 of BNCI2014_001: two sessions of two runs."""
    folder = write_graz(tmp_path / "mne_data", 1)
    monkeypatch.setenv("MNE_DATA", str(tmp_path / "mne_data"))
    return folder


def moabb_arrays(card: Card, subject: int, **parameters: Any) -> tuple[np.ndarray, list[str]]:
    """What MOABB's own paradigm gives, without its last sample."""
    import moabb.datasets
    import moabb.paradigms

    name = {"imagery": "MotorImagery", "p300": "P300", "ssvep": "SSVEP"}[card.paradigm]
    assert card.band is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paradigm = getattr(moabb.paradigms, name)(
            fmin=card.band[0], fmax=card.band[1], tmin=card.window[0], tmax=card.window[1],
            events=list(card.classes), **parameters,
        )  # fmt: skip
        dataset = getattr(moabb.datasets, card.options["dataset"])()
        X, labels, _ = paradigm.get_data(dataset, [subject])
    return X[:, :, :-1], list(labels)


def agrees(card: Card, subject: int, **parameters: Any) -> tuple[int, ...]:
    """Compare with MOABB trial by trial; return the shape."""
    X, labels = moabb_arrays(card, subject, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sessions = read_subject(card, str(subject))
    mine = np.concatenate([trials.X for trials in sessions])
    assert np.concatenate([trials.labels for trials in sessions]).tolist() == labels
    np.testing.assert_allclose(mine, X, atol=1e-5 * X.std(), rtol=1e-5)
    assert mine.dtype == np.float32
    return mine.shape


def test_physionet_mi(real: Path) -> None:
    card = load_card("physionet_mi")
    assert agrees(card, 1, n_classes=4) == (90, 64, 480)
    (trials,) = read_subject(card.override(View(window=(0.5, 2.5), resample=80)), "1")
    assert trials.X.shape == (90, 64, 160) and 5 < trials.X.std() < 50
    assert len(recipe_of(card, "1")["fingerprint"]["files"]) >= 6


def test_kalunga_ssvep(real: Path) -> None:
    assert agrees(load_card("kalunga_ssvep"), 1, n_classes=4) == (64, 8, 512)


def test_bnci2015_003_p300(real: Path) -> None:
    card = load_card("bnci2015_003_p300")
    assert agrees(card, 6) == (1800, 8, 205)
    baseline = card.override(View(baseline=(-0.1, 0.0)))
    assert agrees(baseline, 6, baseline=(-0.1, 0.0)) == (1800, 8, 205)
    (trials,) = read_subject(card, "6")
    assert np.bincount(trials.y).tolist() == [1500, 300] and 1 < trials.X.std() < 50


@pytest.mark.slow
def test_every_real_recording_has_the_shape_of_its_card(real: Path) -> None:
    totals = {}
    for name, subjects in (("kalunga_ssvep", "123456"), ("bnci2015_003_p300", "678")):
        sessions = [t for s in subjects for t in read_subject(load_card(name), s)]
        totals[name] = sum(len(t) for t in sessions), *sessions[0].X.shape[1:]
    assert totals == {"kalunga_ssvep": (384, 8, 512), "bnci2015_003_p300": (5400, 8, 205)}


def test_bnci2014_001_from_its_layout(graz: Path) -> None:
    card = load_card("bci_iv_2a").model_copy(update={"expected": None, "band": None})
    assert source(card).subjects() == tuple("123456789")
    train, test = read_subject(card, "1")
    assert train.X.shape == test.X.shape == (16, 22, 1000)
    assert {str(train.session[0]), str(test.session[0])} == {"0train", "1test"}
    assert train.classes == ("left_hand", "right_hand", "feet", "tongue")
    assert train.y.tolist() == [0, 1, 2, 3] * 4
    written = 10 * np.random.default_rng((0, 1)).standard_normal((250 * 66, 25))
    cue = 250 + 500  # a trial begins with a cross, the cue comes 2 s later
    np.testing.assert_allclose(train.X[0], written[cue : cue + 1000, :22].T, rtol=1e-5, atol=1e-4)
    agrees(load_card("bci_iv_2a").model_copy(update={"expected": None}), 1, n_classes=4)


def test_artifact_marks_are_kept_or_dropped(graz: Path) -> None:
    card = load_card("bci_iv_2a").model_copy(update={"expected": None})
    kept = read_subject(card, "1")[0]
    dropped = read_subject(card.override(View(artifacts="drop")), "1")[0]
    clean = np.flatnonzero(np.tile(ARTIFACTS, 2) == 0)
    assert len(kept) == 16 and dropped.index.tolist() == clean.tolist()
    np.testing.assert_array_equal(dropped.X, kept.X[clean])


def test_a_missing_recording_is_said_at_once(
    graz: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MOABB_DOWNLOAD_PROVIDER", raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # a network that does not answer
    reader = source(load_card("bci_iv_2a"))
    reader.subjects()  # imports MOABB
    begin = time.perf_counter()
    with pytest.raises(FileNotFoundError) as error:
        reader.read("3")
    assert time.perf_counter() - begin < 2
    assert str(graz / "A03T.mat") in str(error.value)
    assert "lampx.tugraz.at" in str(error.value) and "MNE_DATA" in str(error.value)
    assert reader.fingerprint("3")["format"] == 2
    assert capfd.readouterr() == ("", "")
    assert os.environ.pop("MOABB_DOWNLOAD_PROVIDER") == "upstream"


def test_nothing_is_printed(graz: Path, capfd: pytest.CaptureFixture[str]) -> None:
    card = load_card("bci_iv_2a").model_copy(update={"expected": None})
    recipe_of(card, "1")
    read_subject(card, "1")
    assert capfd.readouterr() == ("", "")


def test_a_damaged_recording_is_named(graz: Path) -> None:
    (graz / "A01T.mat").write_bytes(b"damaged" * 100)
    card = load_card("bci_iv_2a")
    with pytest.raises(ValueError, match="subject 1 of BNCI2014_001 cannot be read"):
        read_subject(card, "1")


def test_fingerprint_follows_the_files(graz: Path) -> None:
    card = load_card("bci_iv_2a")
    before = recipe_of(card, "1")
    assert [f["name"] for f in before["fingerprint"]["files"]] == ["A01E.mat", "A01T.mat"]
    assert recipe_of(card, "1") == before
    os.utime(graz / "A01E.mat", (1, 1))
    assert recipe_of(card, "1") == before  # another copy of the same
    with (graz / "A01E.mat").open("ab") as file:
        file.write(b"x")
    assert recipe_of(card, "1") != before


def test_wrong_names_are_said() -> None:
    card = load_card("bci_iv_2a")

    def changed(**changes: Any) -> Any:
        return source(card.model_copy(update=changes))

    with pytest.raises(ValueError, match="no 'BNCI2014_01', did you mean 'BNCI2014_001'"):
        changed(options={"dataset": "BNCI2014_01"}).subjects()
    with pytest.raises(ValueError, match="no subject '12', did you mean"):
        changed(subjects=("1", "12")).subjects()
    with pytest.raises(ValueError, match="no class 'feets', did you mean 'feet'"):
        changed(classes=("left_hand", "feets")).read("1")
    with pytest.raises(ValueError, match="P300 does not fit BNCI2014_001, a data set of kind imag"):
        changed(paradigm="p300").read("1")
