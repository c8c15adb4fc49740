"""The people of the simulation: one head, many brains.

A person is a set of rhythms (patches of cortex that oscillate), a 1/f background, and
habits. All of it is drawn from (seed, subject); the session adds a shifted cap and rhythms
that changed a little since the last time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial.transform import Rotation

from eegvit.data.simulation.headmodel import Array, HeadModel, head_model

# share of a rhythm's power lost (or, negative, gained) while imagining, in a perfect user:
# contralateral loss for hands, and the gain over hand areas at rest while feet or tongue move
RESPONSES: dict[str, dict[str, float]] = {
    "left_hand": {"hand_right": 0.85, "hand_left": 0.35, "foot": -0.25},
    "right_hand": {"hand_left": 0.85, "hand_right": 0.35, "foot": -0.25},
    "feet": {"foot": 0.85, "hand_left": -0.4, "hand_right": -0.4},
    "tongue": {
        "tongue_left": 0.8,
        "tongue_right": 0.8,
        "hand_left": -0.25,
        "hand_right": -0.25,
        "foot": -0.2,
    },
}
CLASSES = tuple(RESPONSES)
ATTENTION = {"occipital_left": 0.3, "occipital_right": 0.3, "parietal": 0.15}  # every class

BACKGROUND_MICROVOLTS = 2.7
N_BACKGROUND_SOURCES = 1500
N_BACKGROUND_MAPS = 40  # hold 99 % of what that many sources give at the scalp


@dataclass(frozen=True)
class Area:
    """Where a rhythm lives in the average person, and how strong it is there."""

    near: Mapping[str, float]  # electrodes above it, weighted
    depth: float  # share of the brain's radius
    tilt: float  # radians between the dipole and the radius
    toward: tuple[float, float, float]  # the way it tilts
    bands: Mapping[str, float]  # microvolts (rms at the scalp's maximum) of each rhythm


FRONT, SIDE = (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)
AREAS: dict[str, Area] = {
    "hand_left": Area({"C3": 0.7, "CP3": 0.3}, 0.86, 0.7, FRONT, {"mu": 6.5, "beta": 3.5}),
    "hand_right": Area({"C4": 0.7, "CP4": 0.3}, 0.86, 0.7, FRONT, {"mu": 6.5, "beta": 3.5}),
    "foot": Area({"Cz": 0.7, "CPz": 0.3}, 0.80, 0.7, SIDE, {"mu": 5.5, "beta": 3.5}),
    "tongue_left": Area({"C5": 0.6, "FC5": 0.4}, 0.84, 0.6, FRONT, {"mu": 5.5, "beta": 2.5}),
    "tongue_right": Area({"C6": 0.6, "FC6": 0.4}, 0.84, 0.6, FRONT, {"mu": 5.5, "beta": 2.5}),
    "occipital_left": Area({"O1": 1.0}, 0.84, 0.6, SIDE, {"alpha": 7.0}),
    "occipital_right": Area({"O2": 1.0}, 0.84, 0.6, SIDE, {"alpha": 7.0}),
    "parietal": Area({"Pz": 1.0}, 0.80, 0.5, FRONT, {"alpha": 5.0}),
    "temporal_left": Area({"T7": 1.0}, 0.86, 0.6, FRONT, {"alpha": 2.5}),
    "temporal_right": Area({"T8": 1.0}, 0.86, 0.6, FRONT, {"alpha": 2.5}),
    "frontal": Area({"Fz": 1.0}, 0.82, 0.6, FRONT, {"theta": 3.5}),
    "premotor": Area({"FCz": 1.0}, 0.82, 0.6, FRONT, {"beta": 1.5}),
}
# mean and spread over people of the centre, and the bandwidth (Hz)
BANDS = {
    "theta": (5.8, 0.5, 0.9),
    "mu": (10.8, 0.9, 0.9),
    "alpha": (10.0, 0.9, 0.8),
    "beta": (20.5, 1.8, 2.2),
}


@dataclass(frozen=True, eq=False)
class Rhythm:
    """A patch of cortex that oscillates, as the electrodes see it."""

    area: str
    scalp_map: Array  # (electrodes,) microvolts rms
    frequency: float
    bandwidth: float
    response: dict[str, float] = field(default_factory=dict)  # class -> power lost, -inf .. 1


@dataclass(frozen=True, eq=False)
class Person:
    """All that decides what the electrodes record of someone in one session."""

    rhythms: tuple[Rhythm, ...]
    background: Array  # (electrodes, N_BACKGROUND_MAPS) microvolts rms
    exponent: float  # of the background's power, 1 / f ** exponent
    latency: float  # seconds from the cue to the middle of the response
    hold: float  # seconds that the response lasts
    engagement: float  # share of trials in which the person is fully there, roughly
    fatigue: float  # growth of the logarithm of idle rhythms over the session
    visual_map: Array  # (electrodes,) microvolts of the response to seeing the cue
    blink_map: Array  # (electrodes,) microvolts at a blink's peak
    blinks_per_minute: float
    bursts_per_minute: float


def stream(*key: int) -> np.random.Generator:
    """Return the random numbers that belong to a key, and to no other of equal length."""
    return np.random.default_rng(key)


def person(seed: int, subject: int, session: int, difficulty: float) -> Person:
    """Return someone as they are on a given day.

    Examples
    --------
    >>> monday, tuesday = (person(0, 3, session, 1.0) for session in (0, 1))
    >>> monday.exponent == tuesday.exponent
    True
    >>> monday.rhythms[0].frequency == tuesday.rhythms[0].frequency
    False
    """
    head = head_model()
    always, today = stream(seed, subject, 0, 1), stream(seed, subject, session + 1, 2)
    ability = _ability(seed, subject) ** difficulty
    build = Rotation.from_rotvec(always.normal(0.0, 0.06, 3))
    cap = Rotation.from_rotvec(today.normal(0.0, 0.02, 3))
    rhythms = _rhythms(head, always, cap * build, ability)
    background = _background(head, always, today) * BACKGROUND_MICROVOLTS * difficulty
    return Person(
        rhythms=tuple(_drifted(rhythm, today) for rhythm in rhythms),
        background=background * np.exp(always.normal(0.0, 0.15) + today.normal(0.0, 0.1)),
        exponent=float(always.normal(1.15, 0.12)),
        latency=float(always.uniform(0.4, 0.9)),
        hold=float(always.uniform(2.8, 4.0)),
        engagement=float(0.82 + 0.15 * ability),
        fatigue=float(today.normal(0.2, 0.2)),
        visual_map=6.0 * head.patch(*_place(head, AREAS["parietal"], always, cap * build)),
        blink_map=_blink_map(head) * always.uniform(120.0, 260.0),
        blinks_per_minute=float(always.uniform(4.0, 16.0)),
        bursts_per_minute=float(always.gamma(2.0, 0.3)),
    )


def _ability(seed: int, subject: int) -> float:
    """Between 0.45 and 1, spread evenly over however many subjects there are."""
    quantile = (stream(seed, 0, 0, 0).uniform() + subject * 0.6180339887) % 1.0
    return float(0.45 + 0.55 * quantile)


def _rhythms(
    head: HeadModel, rng: np.random.Generator, turn: Rotation, ability: float
) -> list[Rhythm]:
    own_alpha = rng.normal(0.0, 0.6)  # people fast in one alpha rhythm are fast in all
    rhythms = []
    for name, area in AREAS.items():
        for band, strength in area.bands.items():
            mean, spread, bandwidth = BANDS[band]
            scalp_map = head.patch(*_place(head, area, rng, turn))
            frequency = rng.normal(mean + (own_alpha if band in ("mu", "alpha") else 0), spread)
            rhythms.append(
                Rhythm(
                    area=name,
                    scalp_map=strength * np.exp(rng.normal(0.0, 0.15)) * scalp_map,
                    frequency=float(np.clip(frequency, mean - 2.5 * spread, mean + 2.5 * spread)),
                    bandwidth=bandwidth * float(np.exp(rng.normal(0.0, 0.15))),
                    response=_response(name, rng, ability),
                )
            )
    return rhythms


def _response(area: str, rng: np.random.Generator, ability: float) -> dict[str, float]:
    """Share of power lost per class: what everyone does, and what only this person does."""
    motor = any(area in losses for losses in RESPONSES.values())
    own = rng.normal(0.0, 0.08, len(CLASSES)) * motor
    common = ATTENTION.get(area, 0.0)
    return {
        name: float(np.clip(ability * (RESPONSES[name].get(area, 0.0) + extra) + common, -1, 0.92))
        for name, extra in zip(CLASSES, own, strict=True)
    }


def _place(
    head: HeadModel, area: Area, rng: np.random.Generator, turn: Rotation
) -> tuple[Array, Array]:
    """Centre (m) and orientation of an area in someone's head."""
    centre = area.depth * head.brain_radius * turn.apply(head.toward(area.near))
    centre = centre + rng.normal(0.0, 0.005, 3)
    centre *= min(1.0, 0.93 * head.brain_radius / float(np.linalg.norm(centre)))
    radial = centre / np.linalg.norm(centre)
    tangential = np.array(area.toward) - radial * (radial @ area.toward)
    tangential = Rotation.from_rotvec(radial * rng.normal(0.0, 0.3)).apply(tangential)
    tilt = area.tilt + rng.normal(0.0, 0.2)
    return centre, np.cos(tilt) * radial + np.sin(tilt) * tangential / np.linalg.norm(tangential)


def _drifted(rhythm: Rhythm, rng: np.random.Generator) -> Rhythm:
    return replace(
        rhythm,
        scalp_map=rhythm.scalp_map * np.exp(rng.normal(0.0, 0.1)),
        frequency=rhythm.frequency + float(rng.normal(0.0, 0.15)),
    )


def _background(head: HeadModel, always: np.random.Generator, today: np.random.Generator) -> Array:
    """Maps (electrodes, maps) whose random mixtures are 1/f sources all over the brain."""
    chosen = always.choice(len(head.positions), N_BACKGROUND_SOURCES, replace=False)
    moments = always.normal(size=(N_BACKGROUND_SOURCES, 3))
    moments *= np.exp(always.normal(0.0, 0.3, (N_BACKGROUND_SOURCES, 1)))
    moments *= np.exp(today.normal(0.0, 0.1, (N_BACKGROUND_SOURCES, 1)))
    seen = np.einsum("esd,sd->es", head.gain[:, chosen], moments)
    maps, weights, _ = np.linalg.svd(seen, full_matrices=False)
    maps = (maps * weights)[:, :N_BACKGROUND_MAPS]
    maps *= np.sign(maps[np.abs(maps).argmax(axis=0), np.arange(N_BACKGROUND_MAPS)])
    return maps / np.sqrt((maps**2).sum(axis=1).mean())


def _blink_map(head: HeadModel) -> Array:
    """Both eyes, seen from the electrodes: dipoles at the front of the sphere that look ahead."""
    eyes = np.array([[-0.032, 0.080, -0.040], [0.032, 0.080, -0.040]])
    eyes *= 0.95 * head.brain_radius / np.linalg.norm(eyes, axis=1, keepdims=True)
    ahead = np.array([0.0, 1.0, 0.0])
    seen = head.patch(eyes[0], ahead) + head.patch(eyes[1], ahead)
    return seen / seen.max()
