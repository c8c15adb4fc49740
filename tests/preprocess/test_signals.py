"""Epochs are read by the names of their channels, or it is said why they cannot be."""

from __future__ import annotations

import warnings
from typing import Any

import mne
import numpy as np
import pytest

from eegvit.preprocess.signals import read

NAMES = ["C3", "Cz", "C4", "Pz"]


def epochs(
    names: list[str] = NAMES, sfreq: float = 100.0, kinds: Any = "eeg", n: int = 6
) -> mne.EpochsArray:
    """Return Epochs whose channel called X has the value of X's place in NAMES, in microvolts."""
    level = [1e-6 * (NAMES.index(name) if name in NAMES else -1.0) for name in names]
    X = np.zeros((n, len(names), 50)) + np.array(level)[:, None]
    return mne.EpochsArray(X, mne.create_info(names, sfreq, kinds), verbose="error")


def test_an_array_is_as_it_is() -> None:
    X = np.random.default_rng(0).standard_normal((4, 3, 20))
    found = read(X, "this", sfreq=250.0, ch_names=["a", "b", "c"])
    assert found.X is X and found.sfreq == 250.0 and found.ch_names == ("a", "b", "c")
    unknown = read(X, "this")
    assert unknown.sfreq is None and unknown.ch_names is None


def test_epochs_are_in_microvolts_and_say_what_they_are() -> None:
    found = read(epochs(), "this")
    assert found.ch_names == tuple(NAMES) and found.sfreq == 100.0
    np.testing.assert_allclose(found.X[2, :, 7], [0, 1, 2, 3])


@pytest.mark.parametrize("names", [["Pz", "C4", "Cz", "C3"], ["Oz", "C4", "Pz", "C3", "Cz"]])
def test_channels_come_in_the_order_asked_for(names: list[str]) -> None:
    np.testing.assert_allclose(read(epochs(names), "this", ch_names=NAMES).X[0, :, 0], [0, 1, 2, 3])


def test_missing_channels_are_named() -> None:
    with pytest.raises(ValueError, match="lacks 2 of the 4 channels of this model: Cz, Pz.*C4, C3"):
        read(epochs(["C4", "C3"]), "this model", ch_names=NAMES)


def test_another_rate_is_refused_and_rounding_is_not() -> None:
    with pytest.raises(ValueError, match=r"100 Hz, but this is for 250 Hz.*resample\(250\)"):
        read(epochs(), "this", sfreq=250.0)
    assert read(epochs(sfreq=100.0000001), "this", sfreq=100.0).sfreq == 100.0


def test_what_is_no_eeg_is_left_out_as_mne_does_and_said() -> None:
    mixed = epochs(["C3", "EOG1", "Cz", "STI"], kinds=["eeg", "eog", "eeg", "stim"])
    with pytest.warns(UserWarning, match=r"EOG1 \(eog\), STI \(stim\) no EEG: left out"):
        found = read(mixed, "this")
    assert list(found.ch_names or ()) == mixed.copy().pick("eeg").ch_names == ["C3", "Cz"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once, when a model was fitted
        again = read(mixed, "this", ch_names=found.ch_names)
        named = read(mixed, "this", ch_names=["EOG1"])
    np.testing.assert_array_equal(again.X, found.X)
    np.testing.assert_allclose(named.X[0, :, 0], [-1.0])


def test_no_eeg_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no EEG channels, only C3 \(ecog\).*set_channel_types"):
        read(epochs(["C3"], kinds="ecog"), "this")


def test_lists_of_epochs_are_joined_whatever_their_order() -> None:
    parts = [epochs(n=2), epochs(["Pz", "C4", "Cz", "C3"], n=3)]
    np.testing.assert_allclose(read(parts, "this").X[:, :, 0], [[0, 1, 2, 3]] * 5)
    whole = epochs()
    single = [whole[i] for i in range(len(whole))]  # as scikit-learn takes trials out
    np.testing.assert_array_equal(read(single, "this").X, read(whole, "this").X)
    with pytest.raises(ValueError, match="128 Hz, but this is for 100 Hz"):
        read([epochs(), epochs(sfreq=128.0)], "this")
    with pytest.raises(ValueError, match="lacks 3 of the 4"):
        read([epochs(), epochs(["C3"])], "this")


def test_reading_takes_nothing_from_the_epochs() -> None:
    given = epochs(["C3", "Cz"])
    before = given.get_data(copy=True)
    read(given, "this").X[:] = 7
    np.testing.assert_array_equal(given.get_data(copy=True), before)
