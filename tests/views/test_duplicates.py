"""Copies are found again whatever was done to them, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from eegvit import data
from eegvit.config import Card, load_card
from eegvit.views.duplicates import Kin, find_common, find_kin
from eegvit.views.fingerprints import fingerprints, in_common, rate_of
from eegvit.views.moments import alike

SFREQ, NAMES = 128.0, ("C3", "Cz", "C4", "Pz", "Fz", "Oz")


def changes(sd: float) -> dict[str, object]:
    rng = np.random.default_rng(7)
    sos = butter(4, (8, 30), "bandpass", fs=SFREQ, output="sos")
    return {
        "scaled": lambda x: 2 * x,
        "inverted": lambda x: -x,
        "rounded": lambda x: np.round(x),
        "shifted by one": lambda x: np.roll(x, 1, axis=-1),
        "shifted by five": lambda x: np.roll(x, -5, axis=-1),
        "noise of 1e-9": lambda x: x * (1 + 1e-9 * rng.standard_normal(x.shape)),
        "noise of a tenth": lambda x: x + 0.1 * sd * rng.standard_normal(x.shape),
        "half precision": lambda x: x.astype(np.float16).astype(np.float32),
        "integers": lambda x: (100 * x).astype(np.int16) / np.float32(100),
        "channels scaled": lambda x: x * rng.uniform(0.2, 5, (x.shape[0], 1)),
        "band": lambda x: sosfiltfilt(sos, x),
    }


def session(rng: np.random.Generator, n: int, n_times: int = 384) -> np.ndarray:
    """Trials whose channels are alike, as those of a head are."""
    mixing = rng.standard_normal((6, 4))
    noise = rng.standard_normal((n, 6, n_times))
    return (
        10 * np.einsum("cs,nst->nct", mixing, rng.standard_normal((n, 4, n_times))) + noise
    ).astype("f4")


def printed(X: np.ndarray) -> np.ndarray:
    return fingerprints(X, NAMES, SFREQ)


@pytest.mark.parametrize("name", changes(1.0))
def test_a_changed_copy_is_found(name):
    rng = np.random.default_rng(0)
    first, second = session(rng, 20), session(rng, 20)
    change = changes(float(first.std()))[name]
    for i, j in ((3, 7), (12, 0), (19, 19)):
        second[j] = change(first[i])
    kin = find_kin([printed(first), printed(second)], rate_of(SFREQ), 3.0)
    assert kin.copies.tolist() == [[3, 27], [12, 20], [19, 39]] and not len(kin.overlaps)


def test_channels_in_another_order_do_not_hide_a_copy():
    rng = np.random.default_rng(0)
    X = session(rng, 12)[:, :3]
    X[9] = -X[2, [2, 0, 1]]
    prints = [fingerprints(part, NAMES[:3], SFREQ) for part in (X[:6], X[6:])]
    assert find_kin(prints, rate_of(SFREQ), 3.0).copies.tolist() == [[2, 9]]


@pytest.mark.parametrize("shift", [0.5, 1.0, 1.5])
def test_another_window_of_the_same_recording_is_found(shift):
    rng = np.random.default_rng(1)
    raw = session(rng, 1, 20 * 512)[0]
    starts = np.arange(20) * 512
    early, late = (
        np.stack([raw[:, s + at : s + at + 384] for s in starts[:-1]])
        for at in (0, round(shift * SFREQ))
    )
    other = session(rng, 19)
    kin = find_kin([printed(early), printed(other), printed(late)], rate_of(SFREQ), 3.0)
    assert kin.copies.tolist() == [[i, 38 + i] for i in range(19)]
    sides = [printed(early), printed(other)], [printed(late[:, :, :300])]
    assert find_common(*sides, rate_of(SFREQ)).tolist() == [[i, i] for i in range(19)]


def test_a_trial_twice_in_a_session_is_a_copy_and_a_neighbour_an_overlap():
    rng = np.random.default_rng(2)
    raw = session(rng, 1, 4000)[0]
    X = np.stack([raw[:, s : s + 384] for s in (0, 256, 512, 1200, 1700)])
    X[4] = 3 * np.roll(X[1], 2, axis=-1)
    kin = find_kin([printed(X)], rate_of(SFREQ), 3.0)
    assert kin.copies.tolist() == [[1, 4]]
    assert {(0, 1), (1, 2)} <= {tuple(pair) for pair in kin.overlaps.tolist()}
    assert 3 not in kin.overlaps
    known = find_kin([printed(X)], rate_of(SFREQ), 3.0, [np.array([0.0, 2, 4, 9, 11])])
    assert known.copies.tolist() == [[1, 4]] and [3, 4] in known.overlaps.tolist()


def test_rhythms_of_one_frequency_are_not_copies():
    rng = np.random.default_rng(3)
    time = np.arange(384) / SFREQ
    phase = rng.uniform(0, 2 * np.pi, (30, 1, 1))
    X = np.sin(2 * np.pi * 13 * time + phase) + 1e-3 * rng.standard_normal((30, 6, 384))
    assert in_common(*printed(X)[:2].astype(float), 0.0)[1] > -11
    assert not len(find_kin([printed(X[:15]), printed(X[15:])], rate_of(SFREQ), 3.0).copies)


@pytest.mark.parametrize("n_times", [3, 20, 40])
def test_trials_too_short_to_tell_are_no_copies(n_times):
    X = np.random.default_rng(4).standard_normal((6, 6, n_times))
    kin = find_kin([printed(X[:3]), printed(X[3:])], rate_of(SFREQ), n_times / SFREQ)
    assert not len(kin.copies)
    flat = find_kin([printed(0 * X[:3]), printed(0 * X[3:])], rate_of(SFREQ), n_times / SFREQ)
    assert not len(flat.copies) and fingerprints(X, NAMES, 10.0).shape[2] == 0


def test_pairs_of_several_views_are_joined():
    one, other = (Kin(np.array([pair]), np.empty((0, 2), int)) for pair in ([0, 1], [2, 3]))
    assert (one | other | one).copies.tolist() == [[0, 1], [2, 3]]


def test_the_time_grows_with_the_trials_not_with_their_pairs(monkeypatch):
    from eegvit.views import moments

    counted: list[int] = []
    real = np.einsum

    def counting(what, *arrays):
        counted.append(len(arrays[0]))
        return real(what, *arrays)

    rng = np.random.default_rng(5)
    compared = []
    for n in (4000, 16000):
        around = rng.standard_normal((n, 32)).astype("f4")
        around /= np.linalg.norm(around, axis=1, keepdims=True)
        monkeypatch.setattr(moments.np, "einsum", counting)
        counted.clear()
        alike(around)
        compared.append(sum(counted))
        monkeypatch.undo()
    assert compared[1] < 6 * compared[0]  # 16 times as many pairs


REAL = [
    ("bci_iv_2b_epochs", {"options": {"root": "bci_iv_2b"}}, None),
    ("eegmat", None, ("rest", "arithmetic")),
    ("smni", None, ("match", "nonmatch", "single")),
    ("physionet_mi", {"subjects": ("1",)}, None),
    ("kalunga_ssvep", {"subjects": tuple("123456")}, None),
    ("bnci2015_003_p300", {"subjects": tuple("678")}, None),
]


@pytest.mark.slow
@pytest.mark.parametrize("name, settings, classes", REAL, ids=[real[0] for real in REAL])
def test_no_false_alarm_on_real_recordings(name, settings, classes, data_dir: Path, monkeypatch):
    monkeypatch.setenv("MNE_DATA", str(data_dir / "mne_data"))
    if classes is not None:
        where = {"root": str(data_dir / name), "pattern": "sub-{subject}_epo.fif"}
        window = (0.0, 1.0 if name == "smni" else 4.0)
        about = {"classes": classes, "window": window, "options": where, "bad_trials": "drop"}
        card = Card(name=name, source="files", **about)
    else:
        card = load_card(name)
        if "options" in settings:
            root = str(data_dir / settings["options"]["root"])
            settings = {"options": {**card.options, "root": root}}
        card = card.model_copy(update=settings)
    people = data.source(card).subjects()
    sessions = [t for who in people for t in data.read_subject(card, who)]
    about = sessions[0]
    prints = [fingerprints(t.X, t.ch_names, t.sfreq) for t in sessions]
    kin = find_kin(prints, rate_of(about.sfreq), about.n_times / about.sfreq)
    assert not len(kin.copies)
    overlap = len(np.unique(kin.overlaps)) / sum(map(len, sessions))
    assert overlap == (1.0 if name == "bnci2015_003_p300" else 0.0)
