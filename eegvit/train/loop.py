"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from eegvit.networks.device import seeded
from eegvit.train.batches import Batches
from eegvit.train.checkpoint import Checkpoint
from eegvit.train.lesson import Lesson
from eegvit.train.recipe import Recipe, Record
from eegvit.train.run import Run


def train(
    build: Callable[[], nn.Module],
    X: NDArray[np.floating[Any]],
    y: NDArray[np.int64],
    *,
    recipe: Recipe,
    rows: NDArray[np.int64] | None = None,
    held_out: NDArray[np.int64] | None = None,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    save_every: float = 30.0,
    on_epoch: Callable[[int, Record], None] | None = None,
    beside: NDArray[np.float32] | None = None,
    lesson: Lesson | None = None,
) -> tuple[nn.Module, list[Record]]:
    """Build a network and train it.

    The result depends on the arguments alone: not on the caller's random state, which is
    left as it was, nor on how often the training was interrupted.

    Parameters
    ----------
    build : callable
        Makes the network; called after seeding.
    X : array, shape (n, channels, times)
    y : array of int64, shape (n,)
        Class codes from 0.
    recipe : Recipe
    rows, held_out : arrays of int64
        Trials to train on (default all), and trials to compute a validation loss on.
    seed : int
    device : str
    checkpoint : Path or None
        File to save the state to, at the end of an epoch, `save_every` seconds after the last
        time. If it exists the training continues from it. Removed in the end.
    save_every : float
    on_epoch : callable or None
        Called with the epoch, from 1, and its record.
    beside : array, shape (n, channels, extra), or None
        Appended to the signals of each trial, see `Batches`.
    lesson : Lesson or None
        What a teacher says of each trial, which the network learns beside the labels.

    Returns
    -------
    network : nn.Module
        On the CPU, in evaluation mode.
    history : list of dict
        A record for each epoch: learning_rate, train_loss and, with `held_out`, valid_loss.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((32, 4, 10)).astype(np.float32)
    >>> y = (X[:, 0].mean(1) > 0).astype(np.int64)
    >>> def build():
    ...     return nn.Sequential(nn.Flatten(), nn.Linear(40, 2))
    >>> network, history = train(build, X, y, recipe=Recipe(epochs=20, learning_rate=0.01))
    >>> history[-1]["train_loss"] < history[0]["train_loss"]
    True
    """
    rows = np.arange(len(y)) if rows is None else rows
    with seeded(seed, device):
        batches = Batches(X, y, recipe, device, beside, lesson)
        run = Run(build().to(device), recipe, batches, rows, held_out, seed)
        carry_out(run, checkpoint=checkpoint, save_every=save_every, on_epoch=on_epoch)
    return run.result()


def carry_out(
    run: Run,
    *,
    checkpoint: Path | None = None,
    save_every: float = 30.0,
    on_epoch: Callable[[int, Record], None] | None = None,
) -> None:
    """Take a run to its end, from the checkpoint if there is one; arguments are as in `train`.

    Examples
    --------
    >>> X, y, recipe = np.ones((8, 2, 3), np.float32), np.arange(8) % 2, Recipe(epochs=2)
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    >>> run = Run(network, recipe, Batches(X, y, recipe, "cpu"), np.arange(8), None, seed=0)
    >>> carry_out(run)
    >>> run.finished, len(run.history)
    (True, 2)
    """
    kept = None if checkpoint is None else Checkpoint(checkpoint, run)
    if kept:
        kept.load()
    saved = time.monotonic()
    while not run.finished:
        run.begin_epoch()
        record = run.end_epoch([run.step(batch) for batch in run.shuffled()])
        due = time.monotonic() - saved >= save_every and not run.finished
        if kept and run.writes and due:
            kept.save()
            saved = time.monotonic()
        if on_epoch:
            on_epoch(len(run.history), record)
    if kept and run.writes:
        kept.finish()
