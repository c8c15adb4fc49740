"""Mean signals of the trials that are tested: spectra of flicker, averages of responses."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from eegvit.config import Study
from eegvit.data.montage import electrode_directions
from eegvit.data.remarks import strength
from eegvit.plan.plan import Plan
from eegvit.results.outcomes import FloatArray
from eegvit.trials import Trials
from eegvit.views.handle import opened
from eegvit.views.view import DataView

DRAWN = ("p300", "ssvep")  # paradigms whose signals are shown
LIKE_EEG = (0.5, 200.0)  # standard deviations in µV that scalp EEG may have
AT_ONCE = 64  # trials that are in memory
LOWEST, HIGHEST = 1.0, 50.0  # Hz of a spectrum where the card filters nothing


@dataclass(frozen=True, eq=False)
class Curve:
    """The mean signal of a class.

    Parameters
    ----------
    name : str
        The class.
    n_trials, n_people : int
        Of how many trials, and of how many people.
    mean, low, high : arrays
        Mean over people of each person's mean over trials, and its 95 % interval by Student's
        t; nan where there are not two people.
    """

    name: str
    n_trials: int
    n_people: int
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Signals:
    """What the trials that are tested look like before alignment, class by class.

    Parameters
    ----------
    paradigm : {"p300", "ssvep"}
        Averages over time of one electrode, or amplitude spectra.
    electrodes : tuple of str
        The electrode, or those over which the spectra are averaged.
    unit : str
        "µV" where signals are about as strong as EEG is; empty where they are not.
    axis : array
        Seconds from the stimulus, or Hz.
    curves : tuple of Curve
        One of each class that was tested.
    """

    paradigm: str
    electrodes: tuple[str, ...]
    unit: str
    axis: FloatArray
    curves: tuple[Curve, ...]


def paradigm_of(study: Study) -> str:
    """Return what people did, if it is the same in all data of a study; empty otherwise."""
    found = {card.paradigm for card in study.data}
    return found.pop() if len(found) == 1 else ""


def describe_signals(plan: Plan, view: DataView) -> Signals:
    """Return the mean signals of the trials that a study tests.

    Parameters
    ----------
    plan : Plan
        Says which trials are tested.
    view : DataView
        The same trials before alignment, which mixes electrodes.
    """
    requests = [request for request in plan.requests if not request.outer]
    tested = np.unique(np.concatenate([r.view.ids[r.test] for r in requests]))
    rows = np.flatnonzero(np.isin(view.ids, tested))
    paradigm = paradigm_of(plan.study)
    if paradigm == "ssvep":
        card = view.recipe.get("cards", plan.study.data)[0]
        axis, shown = spectral_axis(view, card.band)
        electrodes = view.ch_names
    else:
        shown = np.array([shown_electrode(view.ch_names)])
        electrodes = (view.ch_names[shown[0]],)
        axis = view.blocks[0].trials.tmin + np.arange(view.n_times) / view.sfreq
    means, counts, strengths = _of_each_person(view, rows, paradigm, shown)
    curves = (
        _curve(name, [means[p, code] for p, c in means if c == code], int(counts[code]))
        for code, name in enumerate(view.classes)
    )
    scale = float(np.median(strengths))
    return Signals(
        paradigm,
        electrodes,
        "µV" if LIKE_EEG[0] <= scale <= LIKE_EEG[1] else "",
        axis,
        tuple(curve for curve in curves if curve.n_people),
    )


def amplitudes(X: NDArray[Any]) -> FloatArray:
    """Return the amplitude spectrum of each trial, mean over channels.

    A sine that goes through whole periods has its amplitude at its frequency, and nothing
    elsewhere.

    Parameters
    ----------
    X : array, shape (trials, channels, times)

    Returns
    -------
    array, shape (trials, times // 2 + 1)

    Examples
    --------
    >>> seconds = np.arange(200) / 100
    >>> spectrum = amplitudes(3 * np.sin(2 * np.pi * 13 * seconds)[None, None])[0]
    >>> float(spectrum.max().round(6)), int(spectrum.argmax())  # bins are 0.5 Hz apart
    (3.0, 26)
    """
    spectra = np.abs(np.fft.rfft(X, axis=2)) * 2 / X.shape[2]
    return np.asarray(spectra.mean(axis=1), dtype=np.float64)


def spectral_axis(
    view: DataView, band: tuple[float | None, float | None] | None
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the frequencies that are shown of a spectrum, and their numbers."""
    low, high = band or (None, None)
    frequencies = np.arange(view.n_times // 2 + 1) * view.sfreq / view.n_times
    known = [f for name in view.classes if (f := stimulus_frequency(name)) is not None]
    last = high or max([2 * f + 2 for f in known], default=HIGHEST)
    inside = (frequencies >= (low or LOWEST)) & (frequencies <= last)
    chosen = np.flatnonzero(inside & (frequencies < view.sfreq / 2)).astype(np.int64)
    return frequencies[chosen], chosen


def stimulus_frequency(name: str) -> float | None:
    """Return the frequency that the name of a class says, or None.

    Examples
    --------
    >>> [stimulus_frequency(name) for name in ("13", "8.25 Hz", "rest", "0")]
    [13.0, 8.25, None, None]
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:hz)?", name.strip(), re.IGNORECASE)
    return (float(found[1]) or None) if found else None


def shown_electrode(ch_names: Sequence[str]) -> int:
    """Return the number of the electrode whose responses are shown.

    That is Pz, or else Cz, or else the highest on the head; the first where no name is known.

    Examples
    --------
    >>> names = ("Fz", "Cz", "POz"), ("Oz", "PO7", "C3"), ("a", "b")
    >>> [shown_electrode(each) for each in names]
    [1, 2, 0]
    """
    lower = [name.lower() for name in ch_names]
    for wanted in ("pz", "cz"):
        if wanted in lower:
            return lower.index(wanted)
    known = electrode_directions(tuple(ch_names))
    heights = [float(known[name][2]) if name in known else -math.inf for name in ch_names]
    return int(np.argmax(heights))


Means = dict[tuple[str, int], FloatArray]  # by person and code of the class


def _of_each_person(
    view: DataView, rows: NDArray[np.int64], paradigm: str, shown: NDArray[np.int64]
) -> tuple[Means, NDArray[np.int64], list[float]]:
    """Return means by person and class, trials of each class, and how strong recordings are."""
    sums: Means = {}
    numbers: dict[tuple[str, int], int] = defaultdict(int)
    strengths = []
    for block, own in view.parts(rows):
        strengths.append(strength(opened(block.trials.X)))
        for trials in _portions(block.trials, own):
            flicker = paradigm == "ssvep"
            told = amplitudes(trials.X)[:, shown] if flicker else trials.X[:, shown[0]]
            for code in np.unique(trials.y).tolist():
                place, chosen = (block.person, code), told[trials.y == code]
                sums[place] = sums.get(place, 0.0) + chosen.sum(axis=0, dtype=np.float64)
                numbers[place] += len(chosen)
    means = {place: total / numbers[place] for place, total in sums.items()}
    return means, np.bincount(view.y[rows], minlength=len(view.classes)), strengths


def _portions(trials: Trials, rows: NDArray[np.int64]) -> Iterator[Trials]:
    signals = trials.replace(X=opened(trials.X))
    for start in range(0, len(rows), AT_ONCE):
        yield signals[rows[start : start + AT_ONCE]]


def _curve(name: str, people: Sequence[FloatArray], n_trials: int) -> Curve:
    n = len(people)
    means = np.stack(people) if people else np.empty((0, 0))
    mean = means.mean(axis=0) if n else np.empty(0)
    reach = np.full_like(mean, np.nan)
    if n > 1:
        reach = student.ppf(0.975, n - 1) * means.std(axis=0, ddof=1) / math.sqrt(n)
    return Curve(name, n_trials, n, mean, mean - reach, mean + reach)
