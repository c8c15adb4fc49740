"""The file that a training which was interrupted goes on from."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from eegvit.networks.device import random_states, set_random_states
from eegvit.sealed import read_sealed, recall, write_sealed
from eegvit.train.run import Run

_STAYING: ContextVar[list[Path] | None] = ContextVar("staying", default=None)


class Checkpoint:
    """All that changes in a run, in a file.

    Parameters
    ----------
    path : Path
    run : Run
        Not begun yet.
    """

    def __init__(self, path: Path, run: Run) -> None:
        self.path, self.run = path, run
        self.fingerprint = fingerprint(run)

    def save(self) -> None:
        """Write the state to the file, which is whole at any moment."""
        run = self.run
        state = {
            "fingerprint": self.fingerprint,
            "network": run.network.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "n_steps_done": run.n_steps_done,
            "rng": json.dumps(run.rng.bit_generator.state),
            "torch_rng": random_states(run.batches.device),
            "history": run.history,
            "best_epoch": run.best_epoch,
            "best_weights": run.best_weights,
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_sealed(self.path, content.getvalue())

    def load(self) -> None:
        """Continue from the file; without one, or with another training's, start anew.

        A file that is damaged is set aside; nothing of it is used.
        """
        path, run = self.path, self.run
        state = recall(path, _read)
        if state is None:
            return
        if state["fingerprint"] != self.fingerprint:
            warnings.warn(f"{path} is of another training: training starts anew", stacklevel=3)
            return
        run.network.load_state_dict(state["network"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.n_steps_done = state["n_steps_done"]
        run.rng.bit_generator.state = json.loads(state["rng"])
        set_random_states(run.batches.device, state["torch_rng"])
        run.history = state["history"]
        run.best_epoch, run.best_weights = state["best_epoch"], state["best_weights"]

    def finish(self) -> None:
        """Delete the file: the training is over; or keep its end, where others follow."""
        files = _STAYING.get()
        if files is None:
            self.path.unlink(missing_ok=True)
        else:
            self.save()
            files.append(self.path)


@contextmanager
def staying() -> Iterator[list[Path]]:
    """Let files of trainings that are over stay until all is done that is done within.

    A fit of several trainings goes on from the ends of those that were over when it was
    interrupted. What is added to the list is deleted with them, last first.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note"
    >>> with staying() as files:
    ...     with staying() as same:
    ...         path.touch()
    ...         same.append(path)
    ...     path.exists()
    True
    >>> path.exists()
    False
    """
    outer = _STAYING.get()
    if outer is not None:
        yield outer
        return
    files: list[Path] = []
    token = _STAYING.set(files)
    try:
        yield files
    finally:
        _STAYING.reset(token)
    for path in reversed(files):
        path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(
        io.BytesIO(read_sealed(path)), map_location="cpu", weights_only=True
    )
    if not isinstance(state, dict) or "fingerprint" not in state:
        raise ValueError("it is not the state of a training")
    return state


def fingerprint(run: Run) -> str:
    """Identify a training by its recipe, labels, teacher, rows and untrained network.

    The signals enter through the network's standardisation, which is fitted on them.
    """
    arrays: list[NDArray[Any] | None] = [run.batches.y, run.rows, run.held_out]
    if (lesson := run.batches.lesson) is not None:
        arrays += [lesson.softened, np.array([lesson.weight, lesson.temperature])]
    return digest(asdict(run.recipe), arrays, run.network)


def digest(
    said: Mapping[str, Any], arrays: Iterable[NDArray[Any] | None], network: nn.Module
) -> str:
    """Return the sha256 of what JSON can say, of arrays and of the numbers of a network."""
    found = hashlib.sha256(json.dumps(said).encode())
    for array in arrays:
        found.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    for name, value in network.state_dict().items():
        found.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
