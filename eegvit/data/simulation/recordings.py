"""What the electrodes record of a simulated person in one session of imagined movements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfftfreq

from eegvit.data.simulation.headmodel import Array, head_model
from eegvit.data.simulation.people import ATTENTION, CLASSES, Person, person, stream

# the 22 electrodes of BCI Competition IV 2a
# fmt: off
CHANNELS = (
    "Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2",
    "C4", "C6", "CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz",
)
# fmt: on
LEAD_IN = 3.0  # seconds before the first trial and after the last
FIXATION = 2.0  # seconds from the start of a trial to its cue
IMAGERY = 4.0
PAUSE = (1.5, 2.5)
SENSOR_MICROVOLTS = 1.5
BAD_CHANNEL = 0.005  # probability for one channel in one session
MUSCLES = ("T7", "T8", "FT9", "FT10", "TP9", "TP10", "F9", "F10", "Iz")
# one number each for the kinds of random streams of a run
_TRIALS, _BACKGROUND, _RHYTHMS, _COURSE, _EYES, _MUSCLE, _SENSOR, _BAD = range(3, 11)


@dataclass(frozen=True)
class Design:
    """What is asked of everyone, and the seed of it all."""

    seed: int = 0
    n_trials: int = 288
    n_runs: int = 6
    sampling_rate: float = 250.0
    difficulty: float = 1.0
    classes: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        unknown = [name for name in self.classes if name not in CLASSES]
        if unknown:
            raise ValueError(
                f"simulated people cannot imagine {unknown[0]!r}: known are {', '.join(CLASSES)}"
            )
        if self.n_runs < 1 or self.n_trials < self.n_runs or self.n_trials % self.n_runs:
            raise ValueError(
                f"n_trials={self.n_trials} cannot be shared equally by n_runs={self.n_runs} runs"
            )
        if self.n_trials // self.n_runs < len(self.classes):
            raise ValueError(
                f"{self.n_trials // self.n_runs} trials a run are too few for"
                f" {len(self.classes)} classes; raise n_trials or lower n_runs"
            )
        if not self.difficulty > 0:
            raise ValueError(f"difficulty={self.difficulty} must be above 0; 1 is like real data")
        if self.sampling_rate < 80:
            raise ValueError(
                f"sampling_rate={self.sampling_rate} Hz is too low for beta rhythms: use 80 or more"
            )
        if self.seed < 0:
            raise ValueError(f"seed={self.seed} must not be negative")


@dataclass(frozen=True, eq=False)
class Run:
    """One continuous stretch of recording."""

    signals: NDArray[np.float32]  # (channels, times) microvolts
    cues: NDArray[np.int64]  # (trials,) sample of each cue
    labels: NDArray[np.str_]  # (trials,)
    artifacts: NDArray[np.bool_]  # (trials,) a blink or muscle burst while imagining


def simulate(
    design: Design, subject: int, session: int, channels: Sequence[str] = CHANNELS
) -> list[Run]:
    """Record all runs of a session; what a channel records does not depend on the others.

    Examples
    --------
    >>> runs = simulate(Design(n_trials=8, n_runs=2), subject=1, session=0, channels=("C3", "C4"))
    >>> len(runs), runs[0].signals.shape[0], sorted(runs[0].labels.tolist())
    (2, 2, ['feet', 'left_hand', 'right_hand', 'tongue'])
    """
    head = head_model()
    rows = head.rows(channels)
    who = person(design.seed, subject, session, design.difficulty)
    return [_record(design, who, rows, (subject, session, run)) for run in range(design.n_runs)]


def _record(
    design: Design, who: Person, rows: NDArray[np.intp], where: tuple[int, int, int]
) -> Run:
    """One run: brain, eyes, muscles, amplifier, added up at the chosen electrodes."""
    sfreq, run = design.sampling_rate, where[2]

    def random(kind: int, channel: int = 0) -> np.random.Generator:
        return stream(design.seed, where[0], where[1] + 1, run, kind, channel)

    cues, labels, n_times = _schedule(random(_TRIALS), design)
    power = _background_power(who.exponent, sfreq, n_times)
    latent = shaped_noise(
        random(_BACKGROUND), np.tile(power, (who.background.shape[1], 1)), n_times
    )
    signals = who.background[rows].astype(np.float32) @ latent
    maps = np.stack([rhythm.scalp_map[rows] for rhythm in who.rhythms], axis=1)
    amplitude = _amplitudes(random(_COURSE), who, cues, labels, n_times, design)
    signals += maps.astype(np.float32) @ (
        _carriers(random(_RHYTHMS), who, sfreq, n_times) * amplitude
    )
    _see(signals, who.visual_map[rows], cues, sfreq)
    artifacts = _blink(random(_EYES), signals, who, rows, cues, sfreq)
    artifacts |= _tense(random(_MUSCLE), signals, who, rows, cues, sfreq)
    for row, signal in zip(rows.tolist(), signals, strict=True):
        sensor = random(_SENSOR, row)
        signal += SENSOR_MICROVOLTS * sensor.standard_normal(n_times, dtype=np.float32)
        loose = stream(design.seed, where[0], where[1] + 1, 0, _BAD, row)
        if loose.uniform() < BAD_CHANNEL and run >= loose.integers(design.n_runs):
            drift = _background_power(2.0, sfreq, n_times)
            signal *= 0.3
            signal += 25.0 * shaped_noise(sensor, drift[np.newaxis], n_times)[0]
            signal += 8.0 * sensor.standard_normal(n_times, dtype=np.float32)
    return Run(signals=signals, cues=cues, labels=labels, artifacts=artifacts)


def shaped_noise(rng: np.random.Generator, power: Array, n_times: int) -> NDArray[np.float32]:
    """Gaussian noise (series, times) of variance 1 with the given power spectra.

    ``power`` is (series, frequencies) at the frequencies of :func:`frequencies`.

    Examples
    --------
    >>> power = np.ones((2, len(frequencies(1000, 250.0))))
    >>> noise = shaped_noise(np.random.default_rng(0), power, 1000)
    >>> noise.shape, bool(abs(noise.var() - 1) < 0.1)
    ((2, 1000), True)
    """
    n_fft = next_fast_len(n_times, real=True)
    power = power.copy()
    power[:, 0] = 0.0
    used = np.flatnonzero(power.any(axis=0))
    gain = np.sqrt(power[:, used] / power.sum(axis=1, keepdims=True)) * (n_fft / 2)
    normal = rng.standard_normal((len(power), len(used), 2), dtype=np.float32)
    spectra = np.zeros(power.shape, dtype=np.complex64)
    spectra[:, used] = normal.view(np.complex64)[..., 0] * gain
    return np.asarray(irfft(spectra, n_fft, axis=1)[:, :n_times], dtype=np.float32)


def frequencies(n_times: int, sfreq: float) -> Array:
    """Frequencies (Hz) at which :func:`shaped_noise` wants power."""
    return rfftfreq(next_fast_len(n_times, real=True), 1 / sfreq)


def _schedule(
    rng: np.random.Generator, design: Design
) -> tuple[NDArray[np.int64], NDArray[np.str_], int]:
    """Cues (samples), labels in balanced random order, and the length of the run."""
    n_trials = design.n_trials // design.n_runs
    repeats = -(-n_trials // len(design.classes))
    order = np.concatenate([rng.permutation(len(design.classes)) for _ in range(repeats)])
    labels = np.array(design.classes)[rng.permutation(order[:n_trials])]
    lengths = FIXATION + IMAGERY + rng.uniform(*PAUSE, n_trials)
    starts = LEAD_IN + np.concatenate([[0.0], np.cumsum(lengths)])
    cues = np.round((starts[:-1] + FIXATION) * design.sampling_rate).astype(np.int64)
    return cues, labels, int(np.ceil((starts[-1] + LEAD_IN) * design.sampling_rate))


def _background_power(exponent: float, sfreq: float, n_times: int) -> Array:
    """1/f within the amplifier's band, 0.5 to 100 Hz."""
    f = np.maximum(frequencies(n_times, sfreq), 1e-6)
    amplifier = (f**4 / (f**4 + 0.5**4)) / (1 + (f / 100.0) ** 8)
    return amplifier * f**-exponent


def _carriers(
    rng: np.random.Generator, who: Person, sfreq: float, n_times: int
) -> NDArray[np.float32]:
    """Narrow-band noise (rhythms, times) of variance 1."""
    centre = np.array([[rhythm.frequency] for rhythm in who.rhythms])
    width = np.array([[rhythm.bandwidth] for rhythm in who.rhythms])
    distance = np.abs(frequencies(n_times, sfreq) - centre) / width
    return shaped_noise(rng, np.where(distance < 4, np.exp(-0.5 * distance**2), 0.0), n_times)


def _amplitudes(
    rng: np.random.Generator,
    who: Person,
    cues: NDArray[np.int64],
    labels: NDArray[np.str_],
    n_times: int,
    design: Design,
) -> NDArray[np.float32]:
    """How strong each rhythm is at each moment: (rhythms, times), about 1."""
    sfreq, n_rhythms = design.sampling_rate, len(who.rhythms)
    power = np.exp(_waxing(rng, who, n_rhythms, n_times, sfreq))
    time = np.arange(round((IMAGERY + 2.0) * sfreq)) / sfreq
    for cue, label in zip(cues, labels, strict=True):
        response = np.array([rhythm.response.get(label, 0.0) for rhythm in who.rhythms])
        there = rng.uniform(0.5, 1.1) if rng.uniform() < who.engagement else rng.uniform(0.0, 0.3)
        middle = who.latency + rng.normal(0.0, 0.12)
        end = min(middle + who.hold + rng.normal(0.0, 0.3), IMAGERY + 0.4)
        course = _sigmoid((time - middle) / 0.12) * _sigmoid((end - time) / 0.2)
        lost = np.minimum(response[:, np.newaxis] * there, 0.95) * course  # (rhythms, times)
        power[:, cue : cue + len(time)] *= (1 - lost)[:, : n_times - cue]
    return np.sqrt(power).astype(np.float32)


def _waxing(
    rng: np.random.Generator, who: Person, n_rhythms: int, n_times: int, sfreq: float
) -> Array:
    """Logarithm of power: slow waxing and waning, and idle rhythms that grow with fatigue."""
    seconds = np.arange(int(n_times / sfreq) + 2)
    slow = np.stack(
        [
            np.convolve(rng.normal(size=len(seconds) + 8), np.full(9, 1 / 3), "valid")
            for _ in range(n_rhythms)
        ]
    )
    idle = np.array([rhythm.area in ATTENTION for rhythm in who.rhythms])
    slow = 0.2 * slow + idle[:, np.newaxis] * who.fatigue * seconds / 400.0
    now = np.arange(n_times) / sfreq
    return np.stack([np.interp(now, seconds, row) for row in slow])


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def _see(
    signals: NDArray[np.float32], scalp_map: Array, cues: NDArray[np.int64], sfreq: float
) -> None:
    """Add the response to seeing a cue, the same for every class."""
    time = np.arange(round(0.6 * sfreq)) / sfreq
    response = np.exp(-0.5 * ((time - 0.19) / 0.035) ** 2) * -0.8
    response += np.exp(-0.5 * ((time - 0.33) / 0.07) ** 2)
    added = np.outer(scalp_map, response).astype(np.float32)
    for cue in cues:
        signals[:, cue : cue + len(time)] += added


def _blink(
    rng: np.random.Generator,
    signals: NDArray[np.float32],
    who: Person,
    rows: NDArray[np.intp],
    cues: NDArray[np.int64],
    sfreq: float,
) -> NDArray[np.bool_]:
    """Add blinks, rarer while imagining; return the trials that have one."""
    seconds = signals.shape[1] / sfreq
    starts = rng.uniform(0, seconds, rng.poisson(who.blinks_per_minute * seconds / 60))
    heights, keep = rng.uniform(0.6, 1.2, len(starts)), rng.uniform(size=len(starts))
    hit = np.zeros(len(cues), dtype=bool)
    length = round(0.4 * sfreq)
    shape = np.hanning(length) ** 2
    for start, height, kept in zip((starts * sfreq).astype(int), heights, keep, strict=True):
        trials = _overlapping(start, start + length, cues, sfreq)
        if trials.any() and kept > 0.1:
            continue
        end = min(start + length, signals.shape[1])
        signals[:, start:end] += np.outer(height * who.blink_map[rows], shape[: end - start])
        hit |= trials
    return hit


def _tense(
    rng: np.random.Generator,
    signals: NDArray[np.float32],
    who: Person,
    rows: NDArray[np.intp],
    cues: NDArray[np.int64],
    sfreq: float,
) -> NDArray[np.bool_]:
    """Add bursts of muscles around the head; return the trials that have one."""
    head = head_model()
    seconds = signals.shape[1] / sfreq
    hit = np.zeros(len(cues), dtype=bool)
    for start in rng.uniform(0, seconds - 2.0, rng.poisson(who.bursts_per_minute * seconds / 60)):
        first, length = int(start * sfreq), int(rng.uniform(0.3, 1.8) * sfreq)
        muscle = head.directions[head.rows([rng.choice(MUSCLES)])[0]]
        angle = np.arccos(np.clip(head.directions[rows] @ muscle, -1, 1))
        f = frequencies(length, sfreq)
        burst = shaped_noise(rng, (f**4 / (f**4 + 25.0**4))[np.newaxis], length)[0]
        burst *= np.hanning(length) * rng.uniform(10.0, 45.0)
        signals[:, first : first + length] += np.outer(np.exp(-angle / 0.35), burst)
        hit |= _overlapping(first, first + length, cues, sfreq)
    return hit


def _overlapping(start: int, stop: int, cues: NDArray[np.int64], sfreq: float) -> NDArray[np.bool_]:
    return np.asarray((stop > cues) & (start < cues + round(IMAGERY * sfreq)))
