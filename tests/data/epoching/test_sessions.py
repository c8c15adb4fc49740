"""Continuous signals to trials: windows, filter, resampling, baseline, marks."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from eegvit.config import Card
from eegvit.data.epoching.runs import Recording
from eegvit.data.epoching.sessions import session_trials

SFREQ = 160.0


def make_card(**changes: object) -> Card:
    settings: dict[str, object] = {
        "name": "mine", "source": "files", "classes": ("a", "b"), "window": (0.0, 1.0),
    }  # fmt: skip
    return Card.model_validate(settings | changes)


def record(signals: np.ndarray, onsets: list[int], **about: object) -> Recording:
    info = mne.create_info(["C3", "Cz"][: len(signals)], SFREQ, "eeg")
    raw = mne.io.RawArray(1e-6 * signals, info, verbose="error")
    labels = [("a", "b")[i % 2] for i in range(len(onsets))]
    return Recording(raw, onsets, labels, **about)  # type: ignore[arg-type]


def cut(card: Card, *recordings: Recording):
    return session_trials(recordings, card, subject="s", session="t")


@pytest.fixture
def noise() -> np.ndarray:
    """Ten seconds of white noise of 10 uV on two channels."""
    return 10 * np.random.default_rng(0).standard_normal((2, 1600))


def test_window_is_half_open_and_counts_from_the_cue(noise: np.ndarray) -> None:
    trials = cut(make_card(window=(-0.5, 0.25)), record(noise, [200, 400]))
    assert trials.X.shape == (2, 2, 120) and trials.tmin == -0.5
    np.testing.assert_allclose(trials.X[1], noise[:, 320:440], rtol=1e-5)
    assert trials.ch_names == ("C3", "Cz") and trials.sfreq == SFREQ


def test_band_pass_is_that_of_moabb(noise: np.ndarray) -> None:
    recording = record(noise, [200, 400])
    reference = recording.raw.copy().filter(8, 30, method="iir", verbose="error").get_data()
    trials = cut(make_card(band=(8, 30)), recording)
    np.testing.assert_allclose(trials.X[1], 1e6 * reference[:, 400:560], atol=1e-4)
    high = cut(make_card(band=(1, None)), record(noise + 50, [800]))
    assert abs(high.X.mean()) < 1 and high.X.std() > 8  # the offset is gone, the noise is not


@pytest.mark.parametrize("rate", [125.0, 80.0, 200.0, 160.0])
@pytest.mark.parametrize("onset", [0, 333, 1440])
def test_resampling_keeps_time(rate: float, onset: int) -> None:
    """A sine is the sine at the new instants, at both ends of a trial too."""
    time = np.arange(1600) / SFREQ
    trials = cut(make_card(resample=rate), record(np.sin(2 * np.pi * 7 * time)[None], [onset]))
    new = onset / SFREQ + np.arange(round(rate)) / rate
    inner = slice(0 if onset else 20, -20 if onset == 1440 else None)  # nothing lies beyond
    np.testing.assert_allclose(trials.X[0, 0, inner], np.sin(2 * np.pi * 7 * new)[inner], atol=0.02)
    assert trials.sfreq == rate and trials.n_times == rate


def test_resampling_keeps_out_what_would_fold(noise: np.ndarray) -> None:
    time = np.arange(1600) / SFREQ
    trials = cut(make_card(resample=64), record(10 * np.sin(2 * np.pi * 60 * time)[None], [400]))
    assert trials.X.std() < 0.1


def test_baseline_is_that_of_mne(noise: np.ndarray) -> None:
    recording = record(noise + 70, [300, 500])
    events = np.array([[300, 0, 1], [500, 0, 2]])
    for baseline in [(-0.2, 0.0), (None, 0.1), (0.5, 0.9)]:
        epochs = mne.Epochs(
            recording.raw, events, tmin=-0.2, tmax=1, baseline=baseline, preload=True,
            verbose="error",
        )  # fmt: skip
        trials = cut(make_card(window=(-0.2, 1.0), baseline=baseline), recording)
        np.testing.assert_allclose(trials.X, 1e6 * epochs.get_data()[:, :, :-1], atol=1e-4)
    outside = cut(make_card(baseline=(-0.2, 0.0)), recording)
    within = cut(make_card(window=(-0.2, 1.0), baseline=(-0.2, 0.0)), recording)
    np.testing.assert_allclose(outside.X, within.X[:, :, 32:], atol=1e-5)


def test_index_counts_every_cue(noise: np.ndarray) -> None:
    first = record(noise, [100, 400, 700], run="1", artifact=[False, True, False])
    second = record(noise, [300, 1500, 50], run="2")  # the second reaches beyond the end
    with pytest.warns(UserWarning, match="1 of 3 trials reach beyond"):
        kept = cut(make_card(), first, second)
    assert kept.index.tolist() == [0, 1, 2, 3, 4]
    assert kept.labels.tolist() == ["a", "b", "a", "a", "a"]  # in time order: 50, 300
    assert kept.run.tolist() == ["1", "1", "1", "2", "2"]
    with pytest.warns(UserWarning):
        dropped = cut(make_card(artifacts="drop"), first, second)
    assert dropped.index.tolist() == [0, 2, 3, 4]
    assert dropped.ids[1] == "s/t/1/2"


def test_runs_without_cues_are_passed_over(noise: np.ndarray) -> None:
    rest = Recording(record(noise, [0]).raw, [100], ["rest"], where="rest.edf")
    assert len(cut(make_card(), rest, record(noise, [100, 300]))) == 2
    with pytest.raises(ValueError, match=r"rest\.edf: no cue of the classes .*found: \['rest'\]"):
        cut(make_card(), rest)


def test_wrong_input_is_refused(noise: np.ndarray) -> None:
    with pytest.raises(ValueError, match="every trial reaches beyond the recording"):
        cut(make_card(window=(0, 20)), record(noise, [100]))
    raw = record(noise, [0]).raw
    with pytest.raises(ValueError, match="2 cues, 1 labels"):
        cut(make_card(), Recording(raw, [1, 2], ["a"]))
    noise[1, 450] = np.inf
    with pytest.raises(ValueError, match="1 of 2 trials have NaN .* first trial 1, channel Cz"):
        cut(make_card(), record(noise, [100, 400]))
    with pytest.raises(ValueError, match="samples are NaN or infinite, first in channel Cz"):
        cut(make_card(band=(8, 30)), record(noise, [100, 400]))
