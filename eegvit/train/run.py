"""A training under way."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.train.batches import Batches
from eegvit.train.decay import decays
from eegvit.train.lesson import Taught
from eegvit.train.loss import cross_entropy, taught_loss
from eegvit.train.recipe import Recipe, Record, schedule

Loss = tuple[Tensor, int]  # of a batch, and over how many trials


class Run:
    """A training under way: all that changes from step to step.

    Parameters
    ----------
    network : nn.Module
        Untrained, on the device.
    recipe : Recipe
    batches : Batches
    rows, held_out : arrays of int64
        Trials to train on, and None or trials to compute a validation loss on.
    seed : int
        Of the order of the trials and of their augmentation.

    Attributes
    ----------
    writes : bool
        Whether this process writes checkpoints: one of several does.
    """

    writes = True

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        batches: Batches,
        rows: NDArray[np.int64],
        held_out: NDArray[np.int64] | None,
        seed: int,
    ) -> None:
        if recipe.patience is not None and held_out is None:
            raise ValueError("patience needs validation trials: hold some training subjects out")
        self.network, self.recipe, self.batches = network, recipe, batches
        self.rows, self.held_out = rows, held_out
        self.optimiser = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay))
        self.n_steps = recipe.epochs * math.ceil(len(rows) / recipe.batch_size)
        self.n_steps_done = 0
        limit_memory(network, self.n_steps)
        self.class_weight: Tensor | None = None
        if recipe.class_weight:
            n_classes = int(batches.y.max()) + 1
            self.class_weight = class_weights(batches.y[rows], n_classes).to(batches.device)
        self.rng = np.random.default_rng(seed)  # shuffles and augments
        self.history: list[Record] = []
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or patience has run out."""
        n_epochs, patience = len(self.history), self.recipe.patience
        stopped = patience is not None and n_epochs - self.best_epoch >= patience
        return n_epochs >= self.recipe.epochs or stopped

    def begin_epoch(self) -> None:
        """Make the network ready to be trained."""
        self.network.train()

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        return self.recipe.learning_rate * schedule(
            self.n_steps_done, self.n_steps, self.recipe.warmup
        )

    def shuffled(self) -> list[NDArray[np.int64]]:
        """Return the batches of the next epoch."""
        return self.batches.cut(self.rng.permutation(self.rows))

    def take(self, batch: NDArray[np.int64]) -> tuple[Tensor, Tensor | Taught]:
        """Return signals and labels of a batch, augmented."""
        return self.batches.take(batch, self.rng)

    def step(self, batch: NDArray[np.int64]) -> Loss:
        """Take one step of the optimiser and return the loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate * group.get("rate", 1.0)
        loss = self.batch_loss(batch)
        self.optimiser.zero_grad()
        self.backward(loss)
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        self.n_steps_done += 1
        return loss.detach(), len(batch)

    def batch_loss(self, batch: NDArray[np.int64]) -> Tensor:
        """Return the loss of a batch in training."""
        return self.loss(*self.take(batch), self.recipe.label_smoothing)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of a loss."""
        loss.backward()

    def loss(self, X: Tensor, y: Tensor | Taught, label_smoothing: float = 0.0) -> Tensor:
        """Return the mean loss of a batch."""
        amp = self.recipe.amp and X.device.type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=amp):
            told = self.network(X)
            if isinstance(y, Taught):
                return taught_loss(told, y, self.class_weight, label_smoothing)
            return cross_entropy(told, y, self.class_weight, label_smoothing)

    def loss_of(self, trials: NDArray[np.int64]) -> float:
        """Return the loss over trials that are not trained on: not augmented, not smoothed."""
        self.network.eval()
        with torch.no_grad():
            return mean_loss(
                [
                    (self.loss(*self.batches.take(batch)), len(batch))
                    for batch in self.batches.cut(trials)
                ]
            )

    def end_epoch(self, losses: list[Loss]) -> Record:
        """Note the losses, and the weights if they are the best so far."""
        record = {"learning_rate": self.learning_rate, "train_loss": mean_loss(losses)}
        if self.held_out is not None:
            record["valid_loss"] = self.loss_of(self.held_out)
        self.history.append(record)
        if not all(map(math.isfinite, record.values())):
            raise FloatingPointError(
                f"the loss is not finite in epoch {len(self.history)}: the training diverged;"
                " lower learning_rate or set clip_norm"
            )
        if self.recipe.patience is not None:
            earlier = [past["valid_loss"] for past in self.history[:-1]]
            if record["valid_loss"] < min(earlier, default=math.inf):
                self.best_epoch = len(self.history)
                self.best_weights = copy.deepcopy(self.network.state_dict())
        return record

    def result(self) -> tuple[nn.Module, list[Record]]:
        """Return the trained network, on the CPU and in evaluation mode, and its history."""
        if self.recipe.patience is not None:
            self.network.load_state_dict(self.best_weights)
        return self.network.cpu().eval(), self.history


def class_weights(y: NDArray[np.int64], n_classes: int) -> Tensor:
    """Weight of each class, inverse to how often it occurs.

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 2)
    tensor([0.6667, 2.0000])
    """
    counts = np.bincount(y, minlength=n_classes)
    return torch.tensor(len(y) / (n_classes * counts), dtype=torch.float32)


def mean_loss(losses: list[Loss]) -> float:
    """Return the mean over trials of the losses of batches."""
    sizes = torch.tensor([n for _, n in losses], dtype=torch.float64)
    return float(torch.stack([loss for loss, _ in losses]).cpu().double() @ sizes / sizes.sum())


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters in two groups: those that decay, and biases, norms and positions."""
    learned = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    weights = [p for name, p in learned if decays(name, p.ndim)]
    added = [p for name, p in learned if not decays(name, p.ndim)]
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": added, "weight_decay": 0.0},
    ]


def limit_memory(network: nn.Module, n_steps: int) -> None:
    """Let no batch norm average over more than a tenth of the training.

    A momentum of 0.01, as in EEGNet, would otherwise leave the initial statistics, which
    mean nothing, in the result of a short training.

    Examples
    --------
    >>> network = nn.Sequential(nn.BatchNorm1d(2, momentum=0.01))
    >>> limit_memory(network, n_steps=100)
    >>> network[0].momentum
    0.1
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.momentum is not None:
            module.momentum = max(module.momentum, min(0.5, 10 / n_steps))
