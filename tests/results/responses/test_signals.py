"""Mean signals: equal to numpy by hand, of tested trials only, the same with any alignment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from eegvit import registry
from eegvit.config import Align, Card, Evaluate, Model, Study
from eegvit.data.cache import Cache
from eegvit.results.responses.signals import LIKE_EEG, Signals
from eegvit.study import run_study, stored_results
from eegvit.study.running import plan_study
from eegvit.trials import Trials, concatenate
from eegvit.views.reading import make_views, unaligned_view

SFREQ, N_TIMES = 100.0, 200
NAMES = ("O1", "Oz", "O2")
SECONDS = np.arange(N_TIMES) / SFREQ


def study_of(
    paradigm: str, classes: tuple[str, ...], align: str = "none", **evaluate: object
) -> Study:
    card = Card(name="made", source="files", paradigm=paradigm, classes=classes, window=(0, 2))
    return Study(
        name="small",
        data=(card,),
        align=Align(method=align),
        evaluate=Evaluate(**evaluate),
        models={"x": Model(branch="chance")},
    )


def flicker(noise: float = 1.0) -> Trials:
    """Three people; a sine of its frequency in each class, twice and thrice as strong in some."""
    rng = np.random.default_rng(0)
    parts = []
    for person in range(1, 4):
        y = np.tile(["13", "17", "rest"], 8)
        X = noise * rng.standard_normal((24, 3, N_TIMES))
        for name in ("13", "17"):
            X[y == name] += 5.0 * person * np.sin(2 * np.pi * float(name) * SECONDS + 0.3)
        made = {"sfreq": SFREQ, "subject": str(person), "ch_names": NAMES}
        parts.append(Trials.from_arrays(X, y, **made))
    return concatenate(parts)


def told(study: Study, trials: Trials, cache: Cache) -> Signals:
    found = run_study(study, trials, jobs=0, cache=cache.root).details.signals
    assert found is not None
    return found


def test_spectra_are_those_of_numpy(cache: Cache) -> None:
    trials = flicker()
    found = told(study_of("ssvep", trials.classes), trials, cache)
    frequencies = np.fft.rfftfreq(N_TIMES, 1 / SFREQ)
    inside = (frequencies >= 1) & (frequencies <= 36)  # to above the second harmonic of 17
    np.testing.assert_allclose(found.axis, frequencies[inside])
    assert (found.electrodes, found.unit, found.paradigm) == (NAMES, "µV", "ssvep")
    for code, curve in enumerate(found.curves):
        people = []
        for who in "123":
            X = trials.X[(trials.y == code) & (trials.subject == who)].astype(float)
            people.append((2 / N_TIMES * np.abs(np.fft.rfft(X))).mean((0, 1))[inside])
        reach = student.ppf(0.975, 2) * np.std(people, axis=0, ddof=1) / np.sqrt(3)
        mean = np.mean(people, axis=0)
        np.testing.assert_allclose(curve.mean, mean, rtol=1e-6)
        np.testing.assert_allclose(curve.low, mean - reach, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(curve.high, mean + reach, rtol=1e-6)
        assert (curve.name, curve.n_trials, curve.n_people) == (trials.classes[code], 24, 3)


def test_a_flicker_has_its_peak_and_its_height_at_its_frequency(cache: Cache) -> None:
    found = told(study_of("ssvep", ("13", "17", "rest")), flicker(noise=1e-3), cache)
    for curve in found.curves[:2]:
        assert found.axis[curve.mean.argmax()] == float(curve.name)
        assert curve.mean.max() == pytest.approx(10.0, abs=0.01)  # of 5, 10 and 15
    assert found.curves[2].mean.max() < 0.01


def test_a_band_bounds_the_spectrum(cache: Cache) -> None:
    study = study_of("ssvep", ("13", "17", "rest"))
    study = study.model_copy(update={"data": (study.data[0].model_copy(update={"band": (7, 45)}),)})
    found = told(study, flicker(), cache)
    assert (found.axis[0], found.axis[-1]) == (7.0, 45.0)


def test_alignment_changes_nothing(cache: Cache) -> None:
    trials = flicker()
    plain, aligned = (
        told(study_of("ssvep", trials.classes, align), trials, cache)
        for align in ("none", "euclidean")
    )
    for one, other in zip(plain.curves, aligned.curves, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)


def responses() -> Trials:
    """Two people; a bump of 6 and of 10 at 0.3 s on Pz after targets, and noise that cancels."""
    rng, parts = np.random.default_rng(0), []
    for who, height in (("1", 6.0), ("2", 10.0)):
        y = np.tile(["NonTarget", "Target"], 10)
        times = np.arange(100) / SFREQ - 0.2
        noise = rng.standard_normal((10, 2, 100))
        X = np.concatenate([noise, -noise])
        X[y == "Target", 1] += height * np.exp(-(((times - 0.3) / 0.05) ** 2))
        made = {"sfreq": SFREQ, "subject": who, "ch_names": ("Cz", "Pz"), "tmin": -0.2}
        parts.append(Trials.from_arrays(X, y, **made))
    return concatenate(parts)


def test_a_response_has_its_height_at_its_time_on_pz(cache: Cache) -> None:
    found = told(study_of("p300", ("NonTarget", "Target")), responses(), cache)
    other, target = found.curves
    assert found.electrodes == ("Pz",)
    assert found.axis[target.mean.argmax()] == pytest.approx(0.3)
    assert target.mean.max() == pytest.approx(8.0, abs=1e-6)  # of 6 and 10
    half = student.ppf(0.975, 1) * np.std([6, 10], ddof=1) / np.sqrt(2)
    assert target.high.max() == pytest.approx(8.0 + half)
    assert np.abs(other.mean).max() < 1e-6
    assert found.axis[0] == pytest.approx(-0.2)


def test_only_trials_that_are_tested_enter(cache: Cache) -> None:
    trials = flicker()
    study = study_of("ssvep", trials.classes, test_subjects=("2",), calibrate=3)
    found = told(study, trials, cache)
    first = trials[(trials.subject == "2") & (np.arange(72) % 24 >= 9)]  # but for 3 of each class
    for code, curve in enumerate(found.curves):
        X = first.X[first.y == code].astype(float)
        spectrum = (2 / N_TIMES * np.abs(np.fft.rfft(X))).mean((0, 1))
        np.testing.assert_allclose(curve.mean, spectrum[2:73], rtol=1e-6)
        assert (curve.n_trials, curve.n_people) == (5, 1)
        assert np.isnan(curve.low).all() and np.isnan(curve.high).all()


def test_signals_that_are_not_as_strong_as_eeg_have_no_unit(cache: Cache) -> None:
    trials = flicker()
    strong = trials.replace(X=trials.X * 100 * LIKE_EEG[1])
    assert told(study_of("ssvep", trials.classes), strong, cache).unit == ""


def test_imagery_has_no_signals(cache: Cache) -> None:
    trials = flicker()
    study = study_of("imagery", trials.classes)
    assert run_study(study, trials, jobs=0, cache=cache.root).details.signals is None


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, root: Path) -> Callable[..., Card]:
    """Register a source of two small people; return a function that makes its cards."""
    monkeypatch.syspath_prepend(str(root / "tests"))
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    monkeypatch.setitem(registry.SOURCES, "tiny", "steps:TinySource")

    def card(name: str = "one", **settings: object) -> Card:
        about = {"paradigm": "ssvep", "classes": ("a", "b"), "window": (0.0, 2.0)}
        return Card(name=name, source="tiny", **(about | settings))

    return card


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_trials_before_alignment_are_the_same_and_read_once(tiny, cache, monkeypatch, names):
    models = {"csp": Model(branch="csp_lda")}
    cards = tuple(tiny(name, options={"seed": seed}) for seed, name in enumerate(names))
    study = Study(name="s", data=cards, align=Align(method="euclidean"), models=models)
    plan = plan_study(study, cache)
    monkeypatch.setattr(sys.modules["steps"].TinySource, "read", None)
    view = unaligned_view(study, cache)
    raw = make_views(study.model_copy(update={"align": Align(method="none")}), cache)["csp"]
    aligned = plan.requests[0].view
    assert view.ids.tolist() == raw.ids.tolist() == aligned.ids.tolist()
    rows = np.arange(len(view))
    np.testing.assert_array_equal(view.take(rows).X, raw.take(rows).X)
    assert np.abs(view.take(rows).X - aligned.take(rows).X).max() > 0.1
    assert stored_results(study, cache).signals is not None
