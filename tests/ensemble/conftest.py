"""Simulated predictions of members that differ in skill and in confidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from eegvit.trials import concatenate


def simulate(
    n_trials: int = 400,
    n_classes: int = 2,
    skill: tuple[float, ...] = (0.5, 1.0, 1.5),
    sharpness: tuple[float, ...] | None = None,
    alike: float = 0.3,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (members, trials, classes) and class codes.

    Sharpness 1 is a member as sure as it should be, but for skill 0, which only guesses.
    """
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_trials) % n_classes)
    shared = rng.standard_normal((n_trials, n_classes))
    P = []
    for strength, sharp in zip(skill, sharpness or (1.0,) * len(skill), strict=True):
        own = rng.standard_normal((n_trials, n_classes))
        noise = np.sqrt(alike) * shared + np.sqrt(1 - alike) * own
        scores = strength * np.eye(n_classes)[y] + noise  # noise of variance 1
        P.append(softmax(sharp * (strength or 1.0) * scores, axis=1))
    return np.array(P), y


@pytest.fixture
def members() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return the function that simulates predictions."""
    return simulate


@pytest.fixture
def crowd(make_trials: Any) -> Callable[..., Any]:
    """Return a function that makes trials of some people, named by their digits."""

    def make(names: str = "123", n_trials: int = 24, **more: Any) -> Any:
        each = {"n_channels": 4, "n_times": 64, "contrast": 1.5} | more
        return concatenate(
            [make_trials(n_trials=n_trials, subject=s, seed=int(s), **each) for s in names]
        )

    return make


@pytest.fixture
def some(crowd: Callable[..., Any]) -> Any:
    """Return three people with 24 trials each, 4 channels, two classes."""
    return crowd()
