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
from eegvit.preprocess.labels import codes_of
from eegvit.train.lesson import Lesson, Taught
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
    beside : array, shape (n, channels, extra), or None
        What is known of a trial beside its signals: appended to them as further samples, after
        their augmentation, which leaves it as it is; where trials are mixed, so is it.
    lesson : Lesson or None
        What a teacher says of each trial; where trials are mixed or recombined, so is it. It is
        for training: batches without a generator have labels alone.

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
        self,
        X: NDArray[np.floating[Any]],
        y: NDArray[np.int64],
        recipe: Recipe,
        device: str,
        beside: NDArray[np.float32] | None = None,
        lesson: Lesson | None = None,
    ) -> None:
        self.y, self.recipe, self.device, self.beside = y, recipe, device, beside
        self.lesson = lesson
        if lesson is not None:  # a row: the code, and what the teacher says
            self.taught = np.column_stack([y.astype(np.float32), lesson.softened])
        self.rows = np.arange(len(y))  # where each trial is in X
        self.augment = augmenter(recipe.augment) if recipe.augment else None
        self.n_classes = int(y.max()) + 1
        # what is not augmented moves to the device once
        whole = self.augment is None and not recipe.mixup and device != "cpu"
        if whole and beside is not None:
            X = np.concatenate([X, beside], axis=2)
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
    ) -> tuple[Tensor, Tensor | Taught]:
        """Return signals and labels of trials; with a generator they are augmented.

        Labels are codes, or shares of the classes (n, classes) where trials are mixed; with what
        a teacher says beside them, if there is one and a generator is given.
        """
        rows = self.rows[trials]
        taught = self.lesson is not None and rng is not None
        labels: NDArray[Any] = self.taught[rows] if taught else self.y[trials]
        if isinstance(self.X, Tensor):
            signals = self.X.index_select(0, torch.from_numpy(rows).to(self.device))
            return signals, self.targets(labels, taught)
        taken = self.X[rows].astype(np.float32, copy=False)
        if self.augment and rng is not None:
            taken, labels = self.augment(taken, labels, rng)
        if self.beside is not None:
            taken = np.concatenate([taken, self.beside[rows]], axis=2)
        if self.recipe.mixup and rng is not None:
            taken, labels = self.mixed(taken, labels, rng)
        return torch.as_tensor(taken).to(self.device), self.targets(labels, taught)

    def mixed(
        self, X: NDArray[np.float32], y: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return each trial mixed with another, and the shares of the classes in it."""
        share = rng.beta(self.recipe.mixup, self.recipe.mixup, len(y)).astype(np.float32)
        other = rng.permutation(len(y))
        own = np.eye(self.n_classes, dtype=np.float32)[codes_of(y)]
        if y.ndim == 2:
            own = np.concatenate([own, y[:, 1:]], axis=1)
        mixed_X = share[:, None, None] * X + (1 - share)[:, None, None] * X[other]
        return mixed_X, share[:, None] * own + (1 - share)[:, None] * own[other]

    def targets(self, labels: NDArray[Any], taught: bool) -> Tensor | Taught:
        """Return labels on the device, apart from what a teacher says if that is beside them."""
        if not taught or self.lesson is None:
            return torch.from_numpy(labels).to(self.device)
        own, softened = np.split(labels, [labels.shape[1] - self.lesson.told.shape[1]], axis=1)
        own = codes_of(labels) if own.shape[1] == 1 else own
        hard, soft = (
            torch.from_numpy(np.ascontiguousarray(each)).to(self.device) for each in (own, softened)
        )
        return Taught(hard, soft, self.lesson.weight, self.lesson.temperature)
