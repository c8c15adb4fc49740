"""Trials, batch by batch."""

from __future__ import annotations

import copy
import math
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eegvit.networks.predict import to_device
from eegvit.preprocess.augment import augmenter
from eegvit.train.recipe import Recipe


class Batches:
    """Trials that are cut into batches and brought to a device.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    y : array of int64, shape (n,)
    recipe : Recipe
        Says how large a batch is and how it is augmented.
    device : str

    Examples
    --------
    >>> X, y = np.zeros((6, 2, 3), np.float32), np.arange(6)
    >>> batches = Batches(X, y, Recipe(batch_size=2), "cpu")
    >>> [rows.tolist() for rows in batches.cut(np.array([4, 2, 0, 1, 3]))]
    [[4, 2], [0, 1], [3]]
    >>> batches.take(np.array([4, 2]))[1]
    tensor([4, 2])
    >>> batches.part(np.array([3, 5])).take(np.array([1]))[1]
    tensor([5])
    """

    def __init__(
        self, X: NDArray[np.floating[Any]], y: NDArray[np.int64], recipe: Recipe, device: str
    ) -> None:
        self.y, self.recipe, self.device = y, recipe, device
        self.rows = np.arange(len(y))  # where each trial is in X
        self.augment = augmenter(recipe.augment) if recipe.augment else None
        # what is not augmented moves to the device once
        whole = self.augment is None and device != "cpu"
        self.X: NDArray[np.floating[Any]] | Tensor = to_device(X, device) if whole else X

    def part(self, rows: NDArray[np.int64]) -> Self:
        """Return the batches of some trials only, numbered from 0."""
        part = copy.copy(self)
        part.rows, part.y = self.rows[rows], self.y[rows]
        return part

    def cut(self, trials: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cut trials into batches whose sizes differ by one at most."""
        return np.array_split(trials, math.ceil(len(trials) / self.recipe.batch_size))

    def take(
        self, trials: NDArray[np.int64], rng: np.random.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return signals and labels of trials; with a generator they are augmented."""
        rows, labels = self.rows[trials], self.y[trials]
        if isinstance(self.X, Tensor):
            signals = self.X.index_select(0, torch.from_numpy(rows).to(self.device))
            return signals, torch.from_numpy(labels).to(self.device)
        taken = self.X[rows].astype(np.float32, copy=False)
        if self.augment and rng is not None:
            taken, labels = self.augment(taken, labels, rng)
        return torch.as_tensor(taken).to(self.device), torch.from_numpy(labels).to(self.device)
