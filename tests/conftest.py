"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MOABB_DOWNLOAD_PROVIDER", "upstream")

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eegvit.config import Align, Card, Evaluate, Model, Study
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of
from eegvit.views.view import DataView

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


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Return a function that makes a study of models given as {name: (branch, parameters)}."""

    def make(models: dict[str, Any], align: Align | None = None, **evaluate: Any) -> Study:
        card = Card(name="arrays", source="files", classes=("left_hand", "right_hand"),
                    window=(0.0, 2.0))  # fmt: skip
        return Study(
            name="small",
            data=(card,),
            align=align or Align(method="none"),
            evaluate=Evaluate(**evaluate),
            models={
                name: Model(branch=branch, parameters=parameters)
                for name, (branch, parameters) in models.items()
            },
        )

    return make


@pytest.fixture
def make_view(tmp_path: Path, make_trials: Callable[..., Trials]) -> Callable[..., DataView]:
    """Return a function that makes a view of simulated people."""
    from eegvit.data.cache import Cache

    def make(
        subjects: int = 3, sessions: int = 1, align: Align | None = None, **more: Any
    ) -> DataView:
        parts = [
            make_trials(subject=str(p), session=str(s), seed=10 * p + s, **{"n_trials": 20, **more})
            for p in range(1, subjects + 1)
            for s in range(sessions)
        ]
        return view_of(concatenate(parts), Cache(tmp_path / "cache"), align or Align(method="none"))

    return make


@pytest.fixture
def predictions_of() -> Callable[..., dict[tuple[str, str, int], np.ndarray]]:
    """Return a function that gives the probabilities of each request of a plan."""
    from eegvit.results.stored import outcomes

    def collect(plan: Any, store: Any) -> dict[tuple[str, str, int], np.ndarray]:
        return {(o.model, o.split, o.seed): o.probabilities for o in outcomes(plan, store)}

    return collect


@pytest.fixture
def run_ensembles(make_study: Callable[..., Study], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that carries out a study of models and ensembles: its plan and store."""
    from eegvit.data.cache import Cache
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.plan.plan import make_plan

    def run(
        trials: Trials, models: dict[str, Any], ensembles: dict[str, Any], folder: str = "cache",
        **evaluate: Any,
    ) -> tuple[Any, Any]:  # fmt: skip
        cache = Cache(tmp_path / folder)
        view = view_of(trials, cache)
        study = make_study(models, **evaluate).model_copy(update={"ensembles": ensembles})
        plan, store = make_plan(study, dict.fromkeys(models, view)), Store(cache.fits)
        execute(plan, store, cache)
        return plan, store

    return run
