"""The training loop."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.device import random_states, seeded, set_random_states
from eegvit.networks.predict import to_device
from eegvit.preprocess.augment import augmenter

Record = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a network.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; biases and norms do not decay.
    warmup : float
        Share of all steps in which the learning rate climbs before its cosine descent.
    label_smoothing : float
    class_weight : {"balanced"} or None
        "balanced" weights a class by the inverse of its frequency.
    clip_norm : float or None
        Largest norm of all gradients together.
    augment : tuple of str
        Names in `eegvit.preprocess.augment.AUGMENTATIONS`.
    patience : int or None
        Stop after this many epochs without a smaller validation loss and return to the best
        epoch. None trains for all epochs and keeps the last.
    amp : bool
        bfloat16 where that is safe, on CUDA only.
    """

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: float = 0.05
    label_smoothing: float = 0.0
    class_weight: str | None = None
    clip_norm: float | None = None
    augment: tuple[str, ...] = ()
    patience: int | None = None
    amp: bool = False

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 2), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name}={value!r}: it must be {low} or more")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate!r}: it must be positive")
        for name in ("warmup", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be in [0, 1)")
        if self.class_weight not in (None, "balanced"):
            raise ValueError(f"class_weight={self.class_weight!r}: it must be 'balanced' or None")


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
    if recipe.patience is not None and held_out is None:
        raise ValueError("patience needs validation trials: hold some training subjects out")
    with seeded(seed, device):
        run = Run(build().to(device), recipe, len(rows), seed, device)
        weight = class_weights(y[rows], int(y.max()) + 1) if recipe.class_weight else None
        criterion = nn.CrossEntropyLoss(weight, label_smoothing=recipe.label_smoothing).to(device)
        unsmoothed = nn.CrossEntropyLoss(weight).to(device)
        augment = augmenter(recipe.augment) if recipe.augment else None
        source = X if augment or device == "cpu" else to_device(X, device)

        def batches(positions: NDArray[np.int64]) -> Iterator[tuple[Tensor, Tensor]]:
            for batch in np.array_split(positions, math.ceil(len(positions) / recipe.batch_size)):
                signals, labels = take(source, batch), y[batch]
                if augment and run.network.training:
                    signals, labels = augment(signals, labels, run.rng)
                yield torch.as_tensor(signals).to(device), torch.from_numpy(labels).to(device)

        fingerprint = run.fingerprint(y, rows, held_out) if checkpoint else ""
        if checkpoint:
            run.load(checkpoint, fingerprint)
        saved = time.monotonic()
        while not run.finished:
            run.network.train()
            losses = [run.step(*batch, criterion) for batch in batches(run.rng.permutation(rows))]
            record = {"learning_rate": run.learning_rate, "train_loss": mean_loss(losses)}
            if held_out is not None:
                run.network.eval()
                with torch.no_grad():
                    losses = [run.loss(*batch, unsmoothed) for batch in batches(held_out)]
                record["valid_loss"] = mean_loss(losses)
            run.end_epoch(record)
            if checkpoint and time.monotonic() - saved >= save_every and not run.finished:
                run.save(checkpoint, fingerprint)
                saved = time.monotonic()
            if on_epoch:
                on_epoch(len(run.history), record)
    if recipe.patience is not None:
        run.network.load_state_dict(run.best_weights)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    return run.network.cpu().eval(), run.history


class Run:
    """A training under way: all that changes from step to step, and so all that is saved."""

    def __init__(
        self, network: nn.Module, recipe: Recipe, n_rows: int, seed: int, device: str
    ) -> None:
        self.network, self.recipe, self.device = network, recipe, device
        self.optimiser = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay))
        self.n_steps = recipe.epochs * math.ceil(n_rows / recipe.batch_size)
        self.n_steps_done = 0
        limit_memory(network, self.n_steps)
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

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        return self.recipe.learning_rate * schedule(
            self.n_steps_done, self.n_steps, self.recipe.warmup
        )

    def loss(self, X: Tensor, y: Tensor, criterion: nn.Module) -> tuple[Tensor, int]:
        """Return the loss of a batch, and how many trials it is over."""
        amp = self.recipe.amp and self.device.startswith("cuda")
        with torch.autocast("cuda", torch.bfloat16, enabled=amp):
            return criterion(self.network(X).float(), y), len(y)

    def step(self, X: Tensor, y: Tensor, criterion: nn.Module) -> tuple[Tensor, int]:
        """Take one step of the optimiser and return the loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate
        loss, n = self.loss(X, y, criterion)
        self.optimiser.zero_grad()
        loss.backward()
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        self.n_steps_done += 1
        return loss.detach(), n

    def end_epoch(self, record: Record) -> None:
        """Note the losses, and the weights if they are the best so far."""
        self.history.append(record)
        if not all(map(math.isfinite, record.values())):
            raise FloatingPointError(
                f"the loss is not finite in epoch {len(self.history)}: the training diverged;"
                " lower learning_rate or set clip_norm"
            )
        if self.recipe.patience is None:
            return
        earlier = [past["valid_loss"] for past in self.history[:-1]]
        if record["valid_loss"] < min(earlier, default=math.inf):
            self.best_epoch = len(self.history)
            self.best_weights = copy.deepcopy(self.network.state_dict())

    def fingerprint(self, y: NDArray[np.int64], *rows: NDArray[np.int64] | None) -> str:
        """Identify the training by its recipe, labels, rows and untrained network.

        The signals enter through the network's standardisation, which is fitted on them.
        """
        digest = hashlib.sha256(json.dumps(asdict(self.recipe)).encode())
        for array in (y, *rows):
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
        for name, value in self.network.state_dict().items():
            digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the state to a file, which is whole at any moment."""
        state = {
            "fingerprint": fingerprint,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "n_steps_done": self.n_steps_done,
            "rng": json.dumps(self.rng.bit_generator.state),
            "torch_rng": random_states(self.device),
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def load(self, path: Path, fingerprint: str) -> None:
        """Continue from a file; without one, or with another training's, start anew."""
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            warnings.warn(f"{path} cannot be read ({error}): training starts anew", stacklevel=3)
            return
        if state["fingerprint"] != fingerprint:
            warnings.warn(f"{path} is of another training: training starts anew", stacklevel=3)
            return
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.n_steps_done = state["n_steps_done"]
        self.rng.bit_generator.state = json.loads(state["rng"])
        set_random_states(self.device, state["torch_rng"])
        self.history = state["history"]
        self.best_epoch, self.best_weights = state["best_epoch"], state["best_weights"]


def schedule(step: int, n_steps: int, warmup: float) -> float:
    """Share of the learning rate at a step: a linear rise, then half a cosine down to 0.

    Examples
    --------
    >>> [round(schedule(step, 8, warmup=0.25), 2) for step in range(8)]
    [0.5, 1.0, 1.0, 0.93, 0.75, 0.5, 0.25, 0.07]
    """
    n_rising = int(warmup * n_steps)
    if step < n_rising:
        return (step + 1) / n_rising
    return 0.5 + 0.5 * math.cos(math.pi * (step - n_rising) / max(1, n_steps - n_rising))


def class_weights(y: NDArray[np.int64], n_classes: int) -> Tensor:
    """Weight of each class, inverse to how often it occurs.

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 2)
    tensor([0.6667, 2.0000])
    """
    counts = np.bincount(y, minlength=n_classes)
    return torch.tensor(len(y) / (n_classes * counts), dtype=torch.float32)


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameters in two groups: those that decay, and biases and norms."""
    learned = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]


def take(X: NDArray[np.floating[Any]] | Tensor, rows: NDArray[np.int64]) -> Any:
    """Return rows of an array as float32, or of a tensor where it lies."""
    if isinstance(X, Tensor):
        return X.index_select(0, torch.from_numpy(rows).to(X.device))
    return X[rows].astype(np.float32, copy=False)


def mean_loss(losses: list[tuple[Tensor, int]]) -> float:
    """Return the mean over trials of the losses of batches."""
    sizes = torch.tensor([n for _, n in losses], dtype=torch.float64)
    return float(torch.stack([loss for loss, _ in losses]).cpu().double() @ sizes / sizes.sum())


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
