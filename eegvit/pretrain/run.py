"""A pretraining under way, and its loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.device import seeded
from eegvit.networks.layers import Standardise
from eegvit.networks.predict import to_device
from eegvit.preprocess.views import Directions, view
from eegvit.pretrain.learner import Drawn, Learner
from eegvit.pretrain.patches import Truth, draw_mask
from eegvit.pretrain.processes import Processes, here
from eegvit.pretrain.samples import Samples, near
from eegvit.pretrain.settings import PretrainRecipe
from eegvit.train.batches import Batches
from eegvit.train.loop import carry_out
from eegvit.train.recipe import Record
from eegvit.train.run import Loss, Run

Rows = NDArray[np.int64]
ENOUGH = 4096  # trials to know the usual power of patches from


class PretrainRun(Run):
    """A pretraining under way.

    Each process draws the views of the whole batch and computes with its part of them, so
    that several processes do what one would do. Batch norms see a process's own part only.

    Parameters
    ----------
    learner : Learner
        On the device.
    recipe : PretrainRecipe
    samples : Samples
    directions : array, shape (channels, 3), or None
        Where the electrodes are, for views that turn the cap.
    seed : int
    device : str
    processes : Processes
    """

    network: Learner
    recipe: PretrainRecipe

    def __init__(
        self,
        learner: Learner,
        recipe: PretrainRecipe,
        samples: Samples,
        directions: Directions | None,
        seed: int,
        device: str,
        processes: Processes,
    ) -> None:
        # what identifies a training: each trial by all that is known of it
        codes = np.unique(samples.facts, axis=0, return_inverse=True)[1].reshape(-1)
        batches = Batches(samples.X, codes, recipe, device)
        super().__init__(learner, recipe, batches, np.arange(len(codes)), None, seed)
        self.samples, self.facts, self.directions = samples, samples.facts, directions
        self.processes, self.writes = processes, processes.rank == 0

    def batch_loss(self, batch: Rows) -> Tensor:
        """Return this process's share of the loss of a batch."""
        drawn = self.draw(batch)
        torch.manual_seed(int(self.rng.integers(2**62)) + self.processes.rank)  # for dropout
        return self.network.loss(drawn, self.processes)

    def draw(self, batch: Rows) -> Drawn:
        """Return the views of a batch and the patches that are hidden."""
        objective, device = self.recipe.objective, self.batches.device
        pair = batch
        if objective.positives == "neighbour":
            pair = near(self.facts, batch, objective.near, self.rng)
        trials = to_device(self.samples.X[batch], device)
        first = second = trials
        if objective.contrast:
            first, second = (to_device(self.viewed(each), device) for each in (batch, pair))
        facts = np.stack(
            [np.column_stack([each, self.facts[each]]) for each in (batch, pair)], axis=1
        )
        masked = draw_mask(len(batch), trials.shape[1], objective.patches, objective.mask, self.rng)
        return Drawn(
            trials,
            first,
            second,
            torch.from_numpy(facts).to(device),
            torch.from_numpy(masked).to(device),
        )

    def viewed(self, trials: Rows) -> NDArray[np.floating[Any]]:
        """Return a view of each trial."""
        taken = self.samples.X[trials].astype(np.float32, copy=False)
        return view(taken, self.rng, self.recipe.views, self.directions)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of the loss of all processes."""
        loss.backward()
        self.processes.add_gradients(self.network)

    def step(self, batch: Rows) -> Loss:
        """Take one step of the optimiser and return the loss before it."""
        share, n = super().step(batch)
        self.network.follow()
        return self.processes.add(share), n

    def end_epoch(self, losses: list[Loss]) -> Record:
        """Note the losses."""
        self.processes.average_statistics(self.network)
        return super().end_epoch(losses)


def pretrain(
    build: Callable[[], nn.Module],
    samples: Samples,
    *,
    recipe: PretrainRecipe,
    directions: Directions | None = None,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    save_every: float = 30.0,
    on_epoch: Callable[[int, Record], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[nn.Module, list[Record]]:
    """Build a network and pretrain it, in this process or in all that `joined` has joined.

    Parameters
    ----------
    build : callable
        Makes the network, its first layer a `Standardise`; called after seeding.
    samples : Samples
    recipe : PretrainRecipe
    directions : array, shape (channels, 3), or None
    seed : int
    device : str
    checkpoint : Path or None
        As for `eegvit.train.train`: one that exists is gone on from, to the same weights.
    save_every : float
    on_epoch : callable or None
        Called with the epoch, from 1, and its record.
    say : callable or None
        Called with a line on the progress after each epoch.

    Returns
    -------
    network : nn.Module
        On the CPU, in evaluation mode; its last layer is as built.
    history : list of dict
        learning_rate and train_loss of each epoch.

    Examples
    --------
    >>> from eegvit.networks.layers import Standardise
    >>> from eegvit.pretrain.samples import samples
    >>> trials = samples(np.random.default_rng(0).standard_normal((32, 2, 40)))
    >>> def build():
    ...     layers = nn.Flatten(), nn.Linear(80, 8), nn.ReLU(), nn.Linear(8, 2)
    ...     return nn.Sequential(Standardise(torch.zeros(2), torch.ones(2)), nn.Sequential(*layers))
    >>> recipe = PretrainRecipe(epochs=20, views=(("time_shift", 0.1),), batch_size=16)
    >>> network, history = pretrain(build, trials, recipe=recipe)
    >>> history[-1]["train_loss"] < history[0]["train_loss"]
    True
    """
    processes, began = here(), time.monotonic()
    if len(samples.X) < 2:
        raise ValueError("pretraining needs two trials at least")

    def report(epoch: int, record: Record) -> None:
        if on_epoch:
            on_epoch(epoch, record)
        if say and processes.rank == 0:
            n_done.append(epoch)
            say(progress(epoch, recipe.epochs, len(n_done), record, time.monotonic() - began))

    n_done: list[int] = []
    with seeded(seed, device):
        network = build()
        learner = Learner(
            network,
            recipe.objective,
            truth_of(network, samples, recipe),
            torch.from_numpy(np.array(samples.X[:2], dtype=np.float32)),
        )
        run = PretrainRun(learner.to(device), recipe, samples, directions, seed, device, processes)
        carry_out(run, checkpoint=checkpoint, save_every=save_every, on_epoch=report)
    learner, history = run.result()  # type: ignore[assignment]
    return learner.encoder.network, history


def truth_of(network: nn.Module, samples: Samples, recipe: PretrainRecipe) -> Truth | None:
    """Return what is to be reconstructed of samples, if anything is."""
    objective = recipe.objective
    if not objective.reconstruct:
        return None
    standardise = next(part for part in network.modules() if isinstance(part, Standardise))
    some = samples.X[:: -(-len(samples.X) // ENOUGH)]
    with torch.no_grad():
        return Truth(
            to_device(some, "cpu"),
            standardise.mean,
            standardise.scale,
            objective.target,
            objective.patches,
            objective.bands,
        )


def progress(epoch: int, n_epochs: int, n_done: int, record: Record, seconds: float) -> str:
    """Return a line on how far a pretraining is.

    Examples
    --------
    >>> progress(3, 10, 3, {"train_loss": 1.5}, 60.0)
    'epoch 3/10, loss 1.500, 2:20 left'
    """
    left = round((n_epochs - epoch) * seconds / n_done)
    remaining = f"{left // 60}:{left % 60:02d} left"
    return f"epoch {epoch}/{n_epochs}, loss {record['train_loss']:.3f}, {remaining}"
