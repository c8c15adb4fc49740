"""A split: which trials train, which are tested, and which labels are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Model, sha256
from eegvit.views.kinship import overlapping_rows
from eegvit.views.view import DataView, Rows

N_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a view that train and rows that are tested, both ascending.

    In a study of few labels, `labelled` are the training rows whose label is given.
    """

    name: str
    train: Rows
    test: Rows
    labelled: Rows | None = None
    labels: Labels | None = None

    def given(self, unlabelled: bool) -> tuple[Rows, Rows | None]:
        """Return the rows a model trains on, and which of them have a label if not all have.

        Parameters
        ----------
        unlabelled : bool
            Whether it also learns from trials without a label.
        """
        if self.labelled is None or len(self.labelled) == len(self.train):
            return self.train, None
        return (self.train, self.labelled) if unlabelled else (self.labelled, None)


def calibrated(view: DataView, split: Split, k: int) -> Iterator[Split]:
    """Move the earliest k trials a class of the target's first session to training.

    Trials that overlap one of them in time are not tested.
    """
    first = split.test[view.session[split.test] == view.session[split.test[0]]]
    moved = []
    for code, name in enumerate(view.classes):
        of_class = first[view.y[first] == code]
        if len(of_class) <= k:
            raise ValueError(
                f"split '{split.name}': the target's first session"
                f" {view.session[first[0]]} has {len(of_class)} trials of class {name}:"
                f" {k} of each with labels leaves none to test"
            )
        moved.append(of_class[:k])
    taken = np.sort(np.concatenate(moved))
    train = np.union1d(split.train, taken)
    gone = np.union1d(taken, overlapping_rows(view, taken))
    yield Split(split.name, train, np.setdiff1d(split.test, gone))


def check(view: DataView, split: Split) -> None:
    """Refuse a split that tests nothing or lacks a class."""
    if not len(split.test):
        raise ValueError(f"split '{split.name}' has no trial to test")
    absent = set(range(len(view.classes))) - set(view.y[split.train].tolist())
    if absent:
        names = ", ".join(view.classes[code] for code in sorted(absent))
        raise ValueError(
            f"split '{split.name}' trains on {len(split.train)} trials, none of class {names}:"
            " the classes come in long runs or the recording is short;"
            " use fewer folds or another protocol"
        )


def unique(names: NDArray[np.str_]) -> list[str]:
    """Return names in the order of their first appearance."""
    return list(dict.fromkeys(names.tolist()))


@dataclass(frozen=True, order=True)
class Labels:
    """How many labels a fit was given in a study of few labels, and in which draw of them.

    Parameters
    ----------
    amount : float
        Share of all labels, or labels a class.
    draw : int
        From 0.
    n : int
        How many that is in all.
    """

    amount: float
    draw: int
    n: int = field(default=0, compare=False)


def shuffle_of(model: Model, seed: int, split: Split) -> int | None:
    """Return the number by which a control's labels are shuffled; None for any other model.

    It is another one for each split and seed: people are then tested by models that went astray
    in different ways, and the spread over them says how far their mean may be from chance.
    """
    if model.control is None:
        return None
    labels = split.labels and [split.labels.amount, split.labels.draw]
    return int(sha256(["shuffled", seed, split.name, labels])[:15], 16)


def shuffled(y: Rows, block: Rows, seed: int) -> Rows:
    """Return labels shuffled within each recording, which keeps as many of each class.

    Parameters
    ----------
    y : array of int, shape (n,)
        The labels.
    block : array of int, shape (n,)
        The recording of each.
    seed : int
        By which they are shuffled.

    Examples
    --------
    >>> y, block = np.array([0, 1, 0, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 1])
    >>> shuffled(y, block, 3)[4:], sorted(shuffled(y, block, 3)[:4].tolist())
    (array([2, 2]), [0, 0, 1, 1])
    """
    rng = np.random.default_rng(seed)
    mixed = y.copy()
    for one in np.unique(block):
        own = np.flatnonzero(block == one)
        mixed[own] = rng.permutation(y[own])
    return mixed
