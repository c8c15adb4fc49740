"""A study of a second that leaves every kind of file behind, and what it found."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from eegvit import registry
from eegvit.config import Card, Study, load_study
from eegvit.data import checksums
from eegvit.data.cache import Cache, arrays
from eegvit.data.checksums import stamp
from eegvit.execute import features
from eegvit.execute.store import Store
from eegvit.networks import choice
from eegvit.plan.plan import Plan
from eegvit.results.embeddings import representations
from eegvit.results.stored import outcomes
from eegvit.study import plan_and_carry_out
from eegvit.train.checkpoint import Checkpoint
from eegvit.trials import Trials

NET = {"branch": "eegnet", "n_filters": 2, "batch_size": 16, "epochs": 3, "device": "cpu"}
PRETRAIN = {"objective": "contrastive", "epochs": 1, "batch_size": 16, "steps": 3}
STUDY: dict[str, Any] = {
    "name": "tortured",
    "data": {
        "name": "recorded",
        "source": "recorded",
        "classes": ["left_hand", "right_hand"],
        "window": [0.0, 2.0],
    },
    "align": {"method": "euclidean"},
    "evaluate": {"test_subjects": ["3"]},
    "models": {
        "tangent": {"branch": "tangent_space"},
        "net": NET,
        "pretrained": NET | {"pretrain": PRETRAIN},
        "diverging": NET | {"epochs": 1, "learning_rate": 1e30},
    },
}


class RecordedSource:
    """Three people of one session, each recorded in a file beside the cache."""

    folder: Path

    def __init__(self, card: Card) -> None:
        self.card = card

    def subjects(self) -> tuple[str, ...]:
        """Return their names."""
        return ("1", "2", "3")

    def fingerprint(self, subject: str) -> dict[str, Any]:
        """Return the checksum of a person's file."""
        return stamp(self.folder / f"{subject}.npy", self.folder)

    def read(self, subject: str) -> list[Trials]:
        """Return a person's trials, a rhythm on one of two channels."""
        X = np.load(self.folder / f"{subject}.npy")
        y = np.tile(self.card.classes, len(X) // 2)
        names = ("C3", "Cz", "C4")
        about = {"classes": self.card.classes, "ch_names": names, "subject": subject}
        return [Trials.from_arrays(X, y, sfreq=64.0, **about)]


@dataclass(frozen=True)
class Found:
    """All that a study says: probabilities or reasons, truth, and what networks hold."""

    told: dict[tuple[str, str], np.ndarray | str]
    truth: dict[tuple[str, str], list[Any]]
    networks: list[dict[str, float]]

    def differs(self, other: Found) -> str:
        """Say what another run found otherwise; nothing if all is the same."""
        if self.truth != other.truth or self.told.keys() != other.told.keys():
            return "other trials or labels"
        for key, told in self.told.items():
            there = other.told[key]
            if isinstance(told, str) or isinstance(there, str):
                if not isinstance(told, str) or told != there:
                    return f"other outcome of {key}: {there}"
            elif not np.allclose(told, there, atol=1e-6):
                return f"other scores of {key}"
        close = [
            here.keys() == there.keys() and all(abs(here[k] - there[k]) < 1e-4 for k in here)
            for here, there in zip(self.networks, other.networks, strict=False)
        ]
        if len(self.networks) != len(other.networks) or not all(close):
            return "other embeddings"
        return ""


def record(folder: Path, seed: int) -> None:
    """Write the recordings of all people."""
    rng = np.random.default_rng(seed)
    rhythm = 2 * np.sin(2 * np.pi * 11 * np.arange(128) / 64)
    folder.mkdir(parents=True)
    for subject in ("1", "2", "3"):
        X = rng.standard_normal((16, 3, 128))
        X[::2, 0] += rhythm
        X[1::2, 2] += rhythm
        np.save(folder / f"{subject}.npy", X.astype(np.float32))


@contextlib.contextmanager
def here(folder: Path) -> Iterator[Cache]:
    """Give a cache in a folder, beside its recordings, to a process that knows nothing yet."""
    RecordedSource.folder = folder / "recordings"
    source = {"recorded": f"{__name__}:RecordedSource"}
    features._opened_before.cache_clear()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict(registry.SOURCES, source))
        stack.enter_context(patch.dict("os.environ", {"EEGVIT_CACHE": str(folder / "cache")}))
        stack.enter_context(patch.object(arrays, "_whole", set()))
        stack.enter_context(patch.object(choice, "_known", {}))
        stack.enter_context(patch.object(choice, "SMALL", 0))  # else no form is worth a question
        stack.enter_context(patch.object(choice, "_seconds", lambda form, x: 1.0))
        stack.enter_context(patch.object(checksums, "_known", {}))
        stack.enter_context(
            patch("eegvit.study.running.score", said)
        )  # the leaderboard takes longer
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        yield Cache(folder / "cache")


@functools.cache
def study() -> Study:
    """Return the study."""
    return load_study(STUDY)


def found(folder: Path) -> Found:
    """Run the study, as if by a new process; warnings are its way to say what was damaged."""
    with here(folder) as cache, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, results = plan_and_carry_out(study(), cache)
        return results  # type: ignore[return-value]


def said(_: Study, plan: Plan, store: Store) -> Found:
    """Return what the store says of a plan."""
    told = outcomes(plan, store)
    return Found(
        {(o.model, o.split): o.reason if o.failed else o.probabilities for o in told},
        {(o.model, o.split): [o.ids.tolist(), o.y.tolist()] for o in told},
        [
            {name: value for name, value in one.figures.items() if name != "seconds"}
            for one in representations(plan, store)
        ],
    )


def plan_of(folder: Path) -> Plan:
    """Return the study's plan."""
    with here(folder) as cache:
        return plan_and_carry_out(study(), cache)[0]


def interrupted(folder: Path, key: str) -> None:
    """Leave a checkpoint of a fit, as a process that was killed does."""
    clock = itertools.count(step=1000)  # so that each epoch is worth a checkpoint
    save = Checkpoint.save

    def save_and_die(self: Checkpoint) -> None:
        save(self)
        raise KeyboardInterrupt

    (folder / "cache" / "fits" / f"{key}.npz").unlink()
    with (
        here(folder) as cache,
        patch("eegvit.train.loop.time.monotonic", lambda: next(clock)),
        patch.object(Checkpoint, "save", save_and_die),
        contextlib.suppress(KeyboardInterrupt),
    ):
        plan_and_carry_out(study(), cache)
