"""Many trainings of one architecture at once, each as if it were alone."""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.device import random_states, seeded, set_random_states
from eegvit.train.batches import Batches
from eegvit.train.checkpoint import Checkpoint
from eegvit.train.recipe import Recipe, Record
from eegvit.train.run import Loss, Run
from eegvit.train.stack import Stack

Rows = NDArray[np.int64]


def train_together(
    builds: Sequence[Callable[[], nn.Module]],
    X: NDArray[np.floating[Any]],
    y: NDArray[np.int64],
    *,
    recipe: Recipe,
    rows: Sequence[Rows],
    seeds: Sequence[int],
    held_out: Sequence[Rows | None] | None = None,
    device: str = "cpu",
    checkpoints: Sequence[Path] | None = None,
    save_every: float = 30.0,
    on_epoch: Callable[[int, int, Record], None] | None = None,
) -> list[tuple[nn.Module, list[Record]]]:
    """Train one architecture on several folds or with several seeds at once.

    Each fit gets what `train` would give it alone: its own initial weights, batches,
    augmentation, dropout, schedule, norms and checkpoint. Only the arithmetic is shared, so
    results agree but for rounding. Fits whose batches differ in size, as folds of different
    sizes do, take turns.

    A network that does not bear `torch.func.vmap`, or that draws random numbers other than
    by torch's dropout functions, raises an error: train it with `train`.

    Parameters
    ----------
    builds : sequence of callable
        One for each fit, as for `train`.
    X : array, shape (n, channels, times)
        The trials of all fits.
    y : array of int64, shape (n,)
    recipe : Recipe
    rows, held_out : sequences of arrays of int64
        For each fit, as for `train`.
    seeds : sequence of int
    device : str
    checkpoints : sequence of Path or None
        For each fit, as for `train`, which can continue from such a file as well.
    save_every : float
    on_epoch : callable or None
        Called with the number of the fit, its epoch and its record.

    Returns
    -------
    list of (network, history)
        For each fit, as `train` returns them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((32, 4, 10)).astype(np.float32), np.arange(32) % 2
    >>> def build():
    ...     return nn.Sequential(nn.Flatten(), nn.Linear(40, 2))
    >>> folds, recipe = [np.arange(24), np.arange(8, 32)], Recipe(epochs=2, batch_size=8)
    >>> fits = train_together([build] * 2, X, y, recipe=recipe, rows=folds, seeds=[0, 0])
    >>> [len(history) for network, history in fits]
    [2, 2]
    """
    batches = Batches(X, y, recipe, device)
    runs: list[Run] = []
    states: list[list[Tensor]] = []
    files: list[Checkpoint] = []
    for i, (build, seed) in enumerate(zip(builds, seeds, strict=True)):
        with seeded(seed, device):
            held = None if held_out is None else held_out[i]
            runs.append(begin(build().to(device), batches, rows[i], held, seed))
            if checkpoints is not None:
                files.append(Checkpoint(checkpoints[i], runs[i]))
                files[i].load()
            states.append(random_states(device))
    with seeded(0, device), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        stack = Stack(runs, states)
        saved = time.monotonic()
        while going := [i for i, run in enumerate(runs) if not run.finished]:
            losses = epoch(stack, going)
            due = bool(files) and time.monotonic() - saved >= save_every
            for i in going:
                stack.hand_back(i)
                record = runs[i].end_epoch(losses[i])
                if due and not runs[i].finished:
                    set_random_states(device, states[i])
                    files[i].save()
                if on_epoch:
                    on_epoch(i, len(runs[i].history), record)
            saved = time.monotonic() if due else saved
    for file in files:
        file.finish()
    return [run.result() for run in runs]


def begin(
    network: nn.Module, batches: Batches, rows: Rows, held_out: Rows | None, seed: int
) -> Run:
    """Return a run that numbers only its own trials, as it would alone."""
    own = np.unique(rows if held_out is None else np.concatenate([rows, held_out]))
    held = None if held_out is None else np.searchsorted(own, held_out)
    return Run(network, batches.recipe, batches.part(own), np.searchsorted(own, rows), held, seed)


def epoch(stack: Stack, going: Sequence[int]) -> dict[int, list[Loss]]:
    """Train some runs for an epoch, at once where their batches have the same size."""
    cuts = {i: stack.runs[i].shuffled() for i in going}
    losses: dict[int, list[Loss]] = {i: [] for i in going}
    for number in range(max(map(len, cuts.values()))):
        alike = defaultdict(list)
        for i, cut in cuts.items():
            if number < len(cut):
                alike[len(cut[number]), momenta(stack.runs[i].network)].append(i)
        for (size, _), members in alike.items():
            parts = [stack.runs[i].take(cuts[i][number]) for i in members]
            X, y = (torch.stack(each) for each in zip(*parts, strict=True))
            for i, loss in zip(members, stack.step(members, X, y), strict=True):
                losses[i].append((loss, size))
    return losses


def momenta(network: nn.Module) -> tuple[float | None, ...]:
    """Return the momentum of each batch norm, which depends on the length of the training."""
    norms = nn.modules.batchnorm._BatchNorm
    return tuple(module.momentum for module in network.modules() if isinstance(module, norms))
