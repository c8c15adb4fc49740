"""What shapes of a network are compared on: a model, trials of people, and costs here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from torch import nn

from eegvit.branches.efficientvit import CASCADED_ONLY, EfficientViTClassifier
from eegvit.branches.neural import hold_out
from eegvit.compress.budget import cost, latency
from eegvit.compress.search.greedy import Judged
from eegvit.compress.search.merit import Costs, merit, units_here
from eegvit.compress.search.space import Shape, Space, settings_of
from eegvit.compress.search.table import Table, macs
from eegvit.config.presets import Preset
from eegvit.networks.device import choose_device
from eegvit.networks.layers import Standardise
from eegvit.networks.predict import predict_proba
from eegvit.preprocess.signals import EEG, Signals, channel_moments


@dataclass(eq=False)
class Ground:
    """A model whose shape is searched, and the trials that shapes are compared on.

    Parameters
    ----------
    model : EfficientViTClassifier
        Knows the trials; its stages are the largest.
    X : array, shape (n, channels, times)
    labels : array
    codes : array of int64
        Class of each trial.
    people : array
        Whose each trial is.
    rows, held_out : array of int64
        Trials to train on, and of other people to judge by.
    """

    model: EfficientViTClassifier
    X: Signals
    labels: NDArray[Any]
    codes: NDArray[np.int64]
    people: NDArray[Any]
    rows: NDArray[np.int64]
    held_out: NDArray[np.int64]
    known: dict[Shape, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: EfficientViTClassifier,
        X: EEG,
        y: ArrayLike,
        groups: ArrayLike,
        *,
        share: float = 0.25,
        seed: int = 0,
    ) -> Self:
        """Return the ground for a model, a share of the people held out to judge by.

        Parameters
        ----------
        model : EfficientViTClassifier
            Of the cascaded family, of one network.
        X : array or mne.Epochs
        y : array of labels
        groups : array
            The person of each trial.
        share : float
            Of the people.
        seed : int
            Of who is held out.
        """
        if not isinstance(model, EfficientViTClassifier):
            raise TypeError(f"{type(model).__name__}: shapes are searched of efficientvit only")
        family, _ = model.stages()
        if family != "cascaded":
            raise ValueError(
                f"the model is of the family '{family}', whose shapes are not searched: give it"
                " family='cascaded'"
            )
        own = clone(model)
        signals, people = own.check_X(X, reset=True), np.asarray(groups)
        codes = own.encode_y(signals, y)
        if people.shape == codes.shape and len(np.unique(people)) < 2:
            raise ValueError("one person only: shapes are judged by people who were not trained on")
        if not share > 0:
            raise ValueError(f"share={share!r}: it must be above 0 and below 1")
        rows, held_out = hold_out(codes, people, share, seed)
        assert held_out is not None
        return cls(own, signals, np.asarray(y), codes, people, rows, held_out)

    @cached_property
    def space(self) -> Space:
        """All shapes within the model's own."""
        return Space.of(self.base)

    @cached_property
    def base(self) -> dict[str, Any]:
        """What the stages of the model are given."""
        return self.model.stages()[1]

    @cached_property
    def tables(self) -> dict[str, Table]:
        """What each block costs here."""
        measures = {"macs": macs, "latency": latency}
        return {name: Table(self.build, self.example, own) for name, own in measures.items()}

    @cached_property
    def units(self) -> dict[str, float]:
        """What EEGNet costs here."""
        return units_here(*self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, times and classes."""
        return self.X.shape[1], self.X.shape[2], len(self.model.classes_)

    @property
    def example(self) -> torch.Tensor:
        """A trial of zeros."""
        return torch.zeros(1, *self.X.shape[1:])

    @cached_property
    def device(self) -> str:
        """Where networks are trained."""
        return choose_device(self.model.device)

    @cached_property
    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation of each channel in training."""
        mean, scale = channel_moments(self.X, self.rows)
        return torch.from_numpy(mean), torch.from_numpy(scale)

    def model_of(self, shape: Shape) -> EfficientViTClassifier:
        """Return an unfitted model with a network of a shape."""
        made: EfficientViTClassifier = clone(self.model)
        made.set_params(**dict.fromkeys(CASCADED_ONLY), family=None, preset=self.preset(shape))
        return made

    def preset(self, shape: Shape) -> dict[str, Any]:
        """Return the preset of a shape."""
        said = {"family": "cascaded", **settings_of(shape, self.base)}
        return Preset.model_validate(said).model_dump(exclude_unset=True)

    def build(self, shape: Shape) -> nn.Module:
        """Return an untrained network of a shape, behind a standardisation."""
        made = self.model_of(shape)
        made.check_X(self.X[:1], reset=True)
        return nn.Sequential(Standardise(*self.moments), made.network(*self.shape))

    def costs(self, shape: Shape) -> dict[str, float]:
        """Return what a shape costs: parameters, multiply-accumulates, seconds of a trial."""
        if shape not in self.known:
            parameters = cost(self.build(shape), self.example, "parameters")
            looked_up = {name: table(shape) for name, table in self.tables.items()}
            self.known[shape] = {"parameters": parameters, **looked_up}
        return self.known[shape]

    def judged(self, shape: Shape, network: nn.Module) -> Judged[Shape]:
        """Return what a trained network of a shape is worth."""
        told = predict_proba(network, self.X[self.held_out], device=self.device)
        accuracy = float((told.argmax(1) == self.codes[self.held_out]).mean())
        costs: Costs = self.costs(shape)
        return Judged(shape, accuracy, merit(costs, self.units), costs)

    def trained(self, shape: Shape, seed: int = 0) -> Judged[Shape]:
        """Return what a shape is worth that is trained by itself."""
        made = self.model_of(shape).set_params(random_state=seed)
        made.fit(self.X[self.rows], self.labels[self.rows], groups=self.people[self.rows])
        return self.judged(shape, made.module_)
