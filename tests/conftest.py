"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MOABB_DOWNLOAD_PROVIDER", "upstream")

import numpy as np
import pytest

from eegvit.trials import Trials, concatenate

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = (ROOT / os.environ.get("EEGVIT_TEST_DATA", "../shared/data")).resolve()


def pytest_report_header() -> str:
    """Say at the top of every run whether the real recordings are there."""
    if (REAL_DATA / "bci_iv_2b").is_dir():
        return f"real EEG: {REAL_DATA}"
    return (
        f"real EEG: MISSING, no folder {REAL_DATA / 'bci_iv_2b'}."
        " Every test that needs it is SKIPPED; set EEGVIT_TEST_DATA."
    )


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real recordings, or skip, saying so."""
    if not (REAL_DATA / "bci_iv_2b").is_dir():
        pytest.skip(f"REAL EEG MISSING: {REAL_DATA} has no bci_iv_2b; set EEGVIT_TEST_DATA")
    return REAL_DATA


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's cache, and away from the other tests'."""
    monkeypatch.setenv("EEGVIT_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def cache(tmp_path: Path):
    """Return an empty cache in a temporary folder."""
    from eegvit.data.cache import Cache

    return Cache(tmp_path / "cache")


def simulate_trials(
    *,
    n_trials: int = 40,
    n_channels: int = 8,
    n_times: int = 256,
    sfreq: float = 128.0,
    classes: tuple[str, ...] = ("left_hand", "right_hand"),
    subject: str = "1",
    session: str = "0",
    contrast: float = 4.0,
    seed: int = 0,
) -> Trials:
    """Noise in which class k has a strong 10-14 Hz rhythm in a direction of its own."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_times) / sfreq
    y = np.arange(n_trials) % len(classes)
    X = rng.standard_normal((n_trials, n_channels, n_times))
    X = np.einsum("cd,ndt->nct", 0.3 * np.ones((n_channels, n_channels)) + np.eye(n_channels), X)
    frequency = rng.uniform(10, 14, n_trials)
    phase = rng.uniform(0, 2 * np.pi, n_trials)
    rhythm = np.sin(2 * np.pi * frequency[:, None] * time + phase[:, None])
    X[np.arange(n_trials), y % n_channels] += contrast * rhythm
    order = rng.permutation(n_trials)
    return Trials.from_arrays(
        10 * X[order],
        np.array(classes)[y[order]],
        sfreq=sfreq,
        classes=classes,
        subject=subject,
        session=session,
    )


@pytest.fixture
def trials() -> Trials:
    """Return 40 trials of one person, 8 channels, two classes that are easy to tell apart."""
    return simulate_trials()


@pytest.fixture
def people() -> Trials:
    """Return three people with 24 trials each, 8 channels, two classes."""
    return concatenate(
        [simulate_trials(n_trials=24, subject=str(s), seed=s, contrast=1.5) for s in range(1, 4)]
    )


@pytest.fixture
def make_trials():
    """Return the function that makes synthetic Trials of any shape."""
    return simulate_trials
