"""Simulated people: the same for a seed, and what physiology says can be measured in them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from eegvit.config import Card, load_card
from eegvit.data import read_subject, recipe_of, source
from eegvit.data.simulation.headmodel import head_model
from eegvit.data.simulation.people import person
from eegvit.data.simulation.recordings import CHANNELS, IMAGERY, Design, simulate
from eegvit.data.simulation.source import SimulatedSource

SMALL = Design(n_trials=16, n_runs=2)


def card(**changes: object) -> Card:
    values = {
        "name": "tiny",
        "source": "simulated",
        "options": {"n_subjects": 3, "n_sessions": 2, "n_trials": 16, "n_runs": 2},
        "classes": ("left_hand", "right_hand", "feet", "tongue"),
        "band": (4, 40),
        "window": (0.5, 3.5),
    }
    return Card.model_validate(values | changes)


def contralateral_change(channel: str, subjects: range) -> float:
    """Logarithm of mu power at a channel, the other hand's trials over this hand's side's."""
    design = Design(n_trials=96, n_runs=1, difficulty=0.5)
    changes = []
    for subject in subjects:
        (run,) = simulate(design, subject, 0, (channel,))
        trials = np.stack([run.signals[0, cue + 250 : cue + 750] for cue in run.cues])
        f, power = welch(trials, 250.0, nperseg=500)
        mu = np.log(power[:, (f >= 8) & (f <= 13)].mean(axis=1))
        left, right = (mu[run.labels == side].mean() for side in ("left_hand", "right_hand"))
        changes.append(right - left)
    return float(np.mean(changes))


def test_same_seed_same_recording() -> None:
    first, second = (simulate(SMALL, 2, 1) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.signals, other.signals)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.cues, other.cues)
        assert one.signals.dtype == np.float32


@pytest.mark.parametrize(
    ("seed", "subject", "session"), [(1, 1, 0), (0, 2, 0), (0, 1, 1)], ids=["seed", "who", "day"]
)
def test_another_seed_person_or_day_differs(seed: int, subject: int, session: int) -> None:
    (one, *_), (other, *_) = (
        simulate(Design(n_trials=8, n_runs=1), 1, 0),
        simulate(Design(seed=seed, n_trials=8, n_runs=1), subject, session),
    )
    n_times = min(one.signals.shape[1], other.signals.shape[1])
    together = np.corrcoef(one.signals[7, :n_times], other.signals[7, :n_times])[0, 1]
    assert abs(together) < 0.3


def test_a_channel_does_not_depend_on_the_others() -> None:
    full, pair = simulate(SMALL, 1, 0), simulate(SMALL, 1, 0, ("c4", "Oz", "C3"))
    np.testing.assert_allclose(pair[1].signals[0], full[1].signals[CHANNELS.index("C4")], atol=1e-3)
    np.testing.assert_allclose(pair[1].signals[2], full[1].signals[CHANNELS.index("C3")], atol=1e-3)


@pytest.mark.slow
def test_hands_desynchronise_on_the_other_side() -> None:
    assert contralateral_change("C3", range(1, 7)) < -0.25  # right hand: less mu on the left
    assert contralateral_change("C4", range(1, 7)) > 0.25


def test_background_falls_with_frequency_and_mu_stands_out() -> None:
    signals = np.concatenate(
        [simulate(Design(n_trials=48, n_runs=1), s, 0)[0].signals[[7, 11], :90_000] for s in (1, 2)]
    )
    f, power = welch(signals, 250.0, nperseg=1000)
    mean = np.exp(np.log(power).mean(axis=0))  # (frequencies,)
    free = ((f >= 2) & (f <= 4)) | ((f >= 30) & (f <= 45))
    slope = np.polyfit(np.log(f[free]), np.log(mean[free]), 1)[0]
    assert -2.0 < slope < -0.5
    mu = (f >= 9) & (f <= 12)
    between = (mean[np.argmin(abs(f - 6.5))] + mean[np.argmin(abs(f - 15))]) / 2
    assert mean[mu].max() > 1.5 * between


def test_amplitudes_are_those_of_a_scalp() -> None:
    for run in simulate(SMALL, 3, 0):
        quiet = np.median(np.abs(run.signals), axis=1) / 0.6745  # robust rms, microvolts
        assert quiet.min() > 3
        assert quiet.max() < 40


def test_people_differ_and_days_differ_less() -> None:
    people = [person(0, subject, 0, 1.0) for subject in range(1, 10)]
    frequencies = np.array([[r.frequency for r in p.rhythms] for p in people])
    tomorrow = np.array([r.frequency for r in person(0, 1, 1, 1.0).rhythms])
    spread = np.abs(frequencies[1:] - frequencies[0]).mean()
    assert 0 < np.abs(tomorrow - frequencies[0]).mean() < spread / 2
    hand = np.array([p.rhythms[0].response["right_hand"] for p in people])
    assert np.ptp(hand) > 0.3


def test_classes_are_balanced_in_every_run_and_trials_do_not_overlap() -> None:
    for run in simulate(Design(n_trials=32, n_runs=2), 1, 0):
        assert np.unique(run.labels, return_counts=True)[1].tolist() == [4, 4, 4, 4]
        assert np.diff(run.cues).min() > 250 * (IMAGERY + 2)
        assert run.cues[-1] + 250 * IMAGERY < run.signals.shape[1]


def test_marked_trials_hold_the_artifacts() -> None:
    """Blinks show at the forehead: marked trials reach higher there than the others."""
    runs = simulate(Design(n_trials=96, n_runs=1), 1, 0, ("Fp1", "Fp2"))
    marked = np.concatenate([run.artifacts for run in runs])
    height = np.array(
        [np.ptp(r.signals[:, c : c + 1000], axis=1).max() for r in runs for c in r.cues]
    )
    assert 0.01 < marked.mean() < 0.4
    assert np.median(height[marked]) > 1.5 * np.median(height[~marked])


@pytest.mark.parametrize("n_channels", [3, 8, 64])
def test_any_electrodes(n_channels: int) -> None:
    names = [name for name in head_model().names if name[-1] in "1234z" and "h" not in name]
    channels = tuple(names[:n_channels])
    (trials, _) = SimulatedSource(card(channels=channels), n_sessions=2, n_trials=8, n_runs=1).read(
        "1"
    )
    assert trials.X.shape == (8, n_channels, 750)
    assert trials.ch_names == channels


def test_source_gives_the_simulated_runs() -> None:
    wanted = card(band=None, window=(0.0, 4.0))
    sessions = source(wanted).read("2")
    runs = simulate(SMALL, 2, 1)
    assert [str(t.session[0]) for t in sessions] == ["0", "1"]
    later = sessions[1]
    assert later.labels.tolist() == [label for run in runs for label in run.labels]
    assert later.run.tolist() == ["0"] * 8 + ["1"] * 8
    cue = runs[1].cues[2]
    np.testing.assert_allclose(later.X[10], runs[1].signals[:, cue : cue + 1000], atol=1e-3)


def test_classes_and_artifacts_of_the_card() -> None:
    two = card(classes=("feet", "tongue"), subjects=("3",))
    assert source(two).subjects() == ("3",)
    assert {label for t in source(two).read("3") for label in t.labels} == {"feet", "tongue"}
    options = {"n_trials": 96, "n_runs": 2, "n_sessions": 1}
    kept, clean = (
        source(card(options=options, artifacts=a)).read("1")[0] for a in ("keep", "drop")
    )
    marked = np.concatenate(
        [run.artifacts for run in simulate(Design(n_trials=96, n_runs=2), 1, 0)]
    )
    assert clean.index.tolist() == kept.index[~marked].tolist()
    assert 0 < len(clean) < len(kept)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'FC5'"):
        source(card(channels=("Fc5.", "C3"))).read("1")
    with pytest.raises(ValueError, match="did you mean 'left_hand'"):
        source(card(classes=("left_hnd", "feet")))
    with pytest.raises(ValueError, match="cannot be shared equally"):
        source(card(options={"n_trials": 10, "n_runs": 3}))
    with pytest.raises(ValueError, match="has no subject '4'"):
        source(card()).read("4")


def test_recipe_changes_with_the_options_only() -> None:
    plain = recipe_of(card(), "1")
    assert plain == recipe_of(card(), "1")
    assert plain != recipe_of(card(options={"seed": 1}), "1")
    assert plain["fingerprint"]["n_trials"] == 16


@pytest.mark.filterwarnings("error")
def test_shipped_card_is_as_it_says() -> None:
    shipped = load_card("simulated")
    assert shipped.simulated
    (first, second) = read_subject(shipped, "1")
    expected = shipped.expected
    assert expected is not None
    assert first.X.shape == (expected.trials, expected.channels, expected.times)
    assert len(source(shipped).subjects()) == expected.subjects
    assert len(second) == expected.trials
