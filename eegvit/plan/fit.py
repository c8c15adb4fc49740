"""A fit to carry out, and the requests of a study that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Ensemble
from eegvit.ensemble.probabilities import FloatArray
from eegvit.plan.pretraining import Pretraining
from eegvit.plan.recipe import Recipe
from eegvit.plan.splits.split import Labels, shuffled
from eegvit.views.view import DataView, Rows


class Kept(Protocol):
    """What a plan asks of the store: what was fitted before, and how long it took."""

    def has(self, key: str, ids: NDArray[np.str_], blocks: NDArray[np.str_]) -> bool: ...
    def seconds(self, family: str) -> float | None: ...
    def weights(self, key: str) -> Path: ...


@dataclass(frozen=True, eq=False)
class Request:
    """A split of a model and seed, and the fit that serves it.

    It is to be scored, or it lies within the training trials of the split `outer` and serves
    the ensembles that learn, and teachers.
    """

    model: str
    split: str
    seed: int
    key: str
    target: str
    view: DataView
    test: Rows
    outer: str = ""
    shares: FloatArray | None = None  # of the classes, where predictions are recentred
    labels: Labels | None = None
    causal: bool = False  # whether they are recentred by the trials so far


@dataclass(frozen=True, eq=False)
class Teaching:
    """The inner fits of a split that tell of its training trials, and how they are combined.

    Parameters
    ----------
    teacher : str
        The name of a model or ensemble.
    members : tuple of tuple of Request
        Of each of its models, in the order of their names: those of all inner splits, and where
        it is the mean over seeds, of all seeds.
    ensemble : Ensemble or None
        The rule, where the teacher is an ensemble.
    """

    teacher: str
    members: tuple[tuple[Request, ...], ...]
    ensemble: Ensemble | None = None

    @property
    def requests(self) -> list[Request]:
        """Those of all members."""
        return [request for member in self.members for request in member]


@dataclass(frozen=True, eq=False)
class Fit:
    """A model to fit on some rows of a view, and the rows to predict with it."""

    key: str
    name: str
    recipe: Recipe
    view: DataView
    train: Rows
    predict: Rows
    labelled: Rows | None = None  # training rows whose label is given, where not all are
    pretraining: Pretraining | None = None
    shuffle: int | None = None  # seed by which a control's labels are shuffled
    teaching: Teaching | None = None

    @property
    def y(self) -> Rows:
        """Label of each training row, -1 where it is not given."""
        y = self.view.y[self.train]
        given = np.isin(self.train, self.train if self.labelled is None else self.labelled)
        if self.shuffle is not None:
            y[given] = shuffled(y[given], self.view.block[self.train[given]], self.shuffle)
        return np.where(given, y, -1)

    def is_in(self, store: Kept) -> bool:
        """Say whether the store has every prediction that is wanted of this fit."""
        return store.has(self.key, self.view.ids[self.predict], self.view.block_keys[self.predict])
