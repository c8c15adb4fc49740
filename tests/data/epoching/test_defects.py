"""Channels that stand still, are doubled or stand apart: refused, dropped or named."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest
from recorded import CHANNELS, CLASSES, CODES, epochs_of, make_raw

from eegvit.config import Card, View
from eegvit.data import read_subject
from eegvit.data.epoching.defects import still


def make_card(root: Path, pattern: str = "s{subject}_raw.fif", **changes: object) -> Card:
    settings: dict[str, object] = {
        "name": "mine", "source": "files", "classes": CLASSES, "channels": CHANNELS,
        "window": (0.0, 1.0),
        "options": {"root": str(root), "pattern": pattern, "events": CODES},
    }  # fmt: skip
    return Card.model_validate(settings | changes)


def spoil(raw: mne.io.BaseRaw, channel: int, begin: float, end: float) -> None:
    raw._data[channel, int(begin * 100) : int(end * 100)] = 0


@pytest.mark.parametrize(("cut", "band"), [(True, None), (False, None), (False, (4, 30))])
def test_trials_with_a_dead_channel(
    tmp_path: Path, cut: bool, band: tuple[float, float] | None
) -> None:
    raw = make_raw(["769", "770"] * 5)
    spoil(raw, 1, 3.4, 4.6)  # the second trial is from 3.5 to 4.5 s
    spoil(raw, 0, 8.2, 8.5)  # a part of the fifth, from 8 s
    spoil(raw, 2, 11.05, 11.08)  # too short to be noticed
    spoil(raw, 3, 0, 19)  # a channel that is not used
    name = "s{subject}_raw.fif"
    if cut:
        epochs_of(raw).save(tmp_path / "s1_epo.fif", verbose="error")
        name = "s{subject}_epo.fif"
    else:
        raw.save(tmp_path / "s1_raw.fif", verbose="error")
    with pytest.raises(
        ValueError,
        match=r"s1_.*\.fif: in 2 of 10 trials a channel stays at one value \(C3, Cz\), first in"
        r" trial 1\. .*`bad_trials: drop`",
    ):
        read_subject(make_card(tmp_path, name, band=band), "1")
    card = make_card(tmp_path, name, band=band, bad_trials="drop")
    with pytest.warns(UserWarning, match="they are left out"):
        (trials,) = read_subject(card, "1")
    assert trials.index.tolist() == [0, 2, 3, 5, 6, 7, 8, 9]
    assert trials.account is not None
    assert trials.account.left_out == {"a channel stays at one value (C3, Cz)": 2}


def test_every_view_leaves_out_the_same_trials(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    spoil(raw, 0, 8.0, 8.3)
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    card = make_card(tmp_path, bad_trials="drop")
    kept = []
    for view in (View(), View(window=(0.5, 1.0)), View(channels=("C4",)), View(resample=50)):
        with pytest.warns(UserWarning):
            kept.append(read_subject(card.override(View(band=(1, 30))).override(view), "1")[0].ids)
    assert len(kept[0]) == 9
    for other in kept[1:]:
        np.testing.assert_array_equal(other, kept[0])


def test_a_doubled_channel(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    raw._data[2] = -3 * raw._data[0]
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    with pytest.raises(ValueError, match="channels C3 and C4 hold one signal in all 10 trials"):
        read_subject(make_card(tmp_path), "1")
    (trials,) = read_subject(make_card(tmp_path, channels=("C3", "Cz")), "1")
    assert len(trials) == 10
    with (
        pytest.warns(UserWarning),
        pytest.raises(ValueError, match="Trials left out: 10 .C3 and C4 are one signal"),
    ):
        read_subject(make_card(tmp_path, bad_trials="drop"), "1")


def test_a_disconnected_channel_is_named(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    raw._data[1] *= 300
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    with pytest.warns(UserWarning, match=r"channel Cz is .* times stronger than the middle"):
        (trials,) = read_subject(make_card(tmp_path), "1")
    assert trials.account is not None and "was its electrode connected?" in trials.account.notes[0]


def test_still_is_as_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    signals = rng.integers(0, 3, (4, 400)).astype(float)  # many short runs
    signals[1, 100:130] = 7
    begins = np.arange(-50, 420, 7)
    for n in (1, 2, 5, 30, 100):
        expected = np.zeros((len(begins), 4), dtype=bool)
        for channel, signal in enumerate(signals):
            long = np.zeros(399, dtype=bool)  # steps of stretches of 4 or more
            for k in range(396):
                if (np.diff(signal[k : k + 5]) == 0).all():
                    long[k : k + 4] = True
            for i, begin in enumerate(begins):
                expected[i, channel] = long[max(0, begin) : max(0, begin + n - 1)].any()
        np.testing.assert_array_equal(still(signals, 20.0, begins, n), expected)


def test_all_channels_at_once_for_a_moment() -> None:
    signals = np.random.default_rng(0).standard_normal((8, 300))
    signals[:, 120:124] = 0
    begins = np.array([0, 100, 121, 123])
    assert still(signals, 100.0, begins, 50).all(axis=1).tolist() == [False, True, True, False]
    signals[0, 121] = 1
    assert not still(signals, 100.0, begins, 50).any()
