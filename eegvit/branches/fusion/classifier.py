"""Several branches as one network: side by side, or one in front of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import EEGClassifier, identified, warn_without_groups
from eegvit.branches.fusion.choices import Classical, Fuse, Start, Wiring, check_choices
from eegvit.branches.fusion.features import FeaturesBeside
from eegvit.branches.fusion.members import (
    check_members,
    has_classical,
    make_member,
    ready,
    why_not_pretrained,
)
from eegvit.branches.neural import NeuralClassifier, hold_out
from eegvit.preprocess.signals import EEG, Signals, channel_moments

if TYPE_CHECKING:
    from torch import nn

    from eegvit.train import Lesson


@dataclass(kw_only=True, eq=False, repr=False)
class FusionClassifier(NeuralClassifier):
    """Branches whose features are joined, trained as one network.

    A network gives its feature maps. A classical branch gives the features that its classifier
    would see; those of a training trial come from steps fitted on other people (the `groups`
    of `fit`; without them, on other stretches of the data), those of a new trial from steps
    fitted on all training trials. Augmentation changes the signals only: features stay those
    of the trial as it was, but are mixed with it by `mixup`. One classical branch may stand
    alone: then the network learns from its features only. Of a braindecode model, what its last
    layer sees is joined.

    The parameters of training are those of `NeuralClassifier`. Seed, device, sampling rate and
    channel names of the branches are those of the fused model.

    Parameters
    ----------
    branches : sequence of estimators, names or mappings
        For example ``["fbcsp", {"branch": "efficientvit", "preset": "eeg_xs"}]``. Parameters
        of estimators can be set as ``branch_0__dropout``.
    wiring : {"parallel", "series"}
        Side by side, or spiking neurons in front of the last branch, which must be a network and
        sees their spikes, or their potentials if their readout is "membrane".
    fuse : {"concat", "gated", "attention", "multiscale"}
        How branches that are side by side are joined: one vector after the other; a sum with
        learned shares; each branch's last map looks at those of the others, place by place; maps
        of several depths, stretch of time by stretch of time, weighted by learned attention.
    classical : {"mlp", "cnn"}
        Whether features of a classical branch enter through a layer of neurons, or those of a
        filter bank as a map of bands and components through convolutions.
    auxiliary : float
        Weight of a loss that judges each branch by a head of its own, so that a strong branch
        does not starve a weak one. It is part of the training loss only.
    start : {"scratch", "frozen", "finetuned"}
        Train everything at once; or fit each network alone first, by its own parameters of
        training, and keep it as it is or train on. In series the spiking neurons are fitted
        first, the last branch is not.
    dropout : float
        Share of the joined features set to zero in training; none by "concat".
    sfreq : float or None
        Sampling rate in Hz; not needed for an mne.Epochs.
    ch_names : tuple of str or None
        Names of the channels, for branches that use them.

    Attributes
    ----------
    members_ : list of estimators
        The branches; networks among them are fitted if they were before they were joined.
    beside_ : FeaturesBeside
        What makes the features of the classical branches.

    Notes
    -----
    Where single branches err on different trials. The page compares a fused model with the better
    of its branches, in pairs; without a gain there, take that branch alone. Members of an
    ensemble stay apart and are fitted once for all studies: often the cheaper way to combine.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> branches = ["fbcsp", EEGNetClassifier(n_filters=4)]
    >>> model = FusionClassifier(branches=branches, sfreq=128.0, epochs=10, batch_size=8)
    >>> model.fit(X, y).score(X, y)
    1.0
    """

    branches: Sequence[Any] = ()
    wiring: Wiring = "parallel"
    fuse: Fuse = "concat"
    classical: Classical = "mlp"
    auxiliary: float = 0.0
    start: Start = "scratch"
    dropout: float = 0.25
    sfreq: float | None = None
    ch_names: tuple[str, ...] | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep` also those of the branches that are estimators."""
        told: dict[str, Any] = super().get_params(deep)
        for i, branch in enumerate(self.branches if deep else ()):
            if isinstance(branch, EEGClassifier):
                own = {f"branch_{i}__{key}": value for key, value in branch.get_params().items()}
                told |= {f"branch_{i}": branch, **own}
        return told

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``branch_0`` is the first branch, ``branch_0__dropout`` one of its."""
        self.branches = params.pop("branches", self.branches)
        for i in range(len(self.branches)):
            if f"branch_{i}" in params:
                new = params.pop(f"branch_{i}")
                self.branches = [*self.branches[:i], new, *self.branches[i + 1 :]]
        super().set_params(**params)
        return self

    def members(self) -> list[EEGClassifier]:
        """Return the branches as estimators of their own, or say why they cannot be joined.

        What the parameters say of the data is filled in.
        """
        known = {"sfreq": self.sfreq, "ch_names": self.ch_names}
        members = [ready(make_member(each), **known) for each in self.branches]
        check_choices(self)
        check_members(members, self.wiring, self.start)
        return members

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with all those of the branches."""
        return super().identity() | {"branches": [identified(m) for m in self.members()]}

    def packages(self) -> frozenset[str]:
        """Return those of all branches."""
        return super().packages().union(*(member.packages() for member in self.members()))

    def gives_features(self) -> bool:
        """Say whether the last branch does, which is all that another model would see."""
        return self.members()[-1].gives_features()

    def why_not_pretrained(self) -> str | None:
        """Say why it cannot learn before it sees labels; None where it can."""
        return why_not_pretrained(self.members(), self.start)

    def trains_together(self) -> bool:
        """Say whether several can be trained at once: if the signals are all that it sees."""
        return self.start == "scratch" and not has_classical(self.members())

    def fit(
        self,
        X: EEG,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        checkpoint: Path | None = None,
        lesson: Lesson | None = None,
    ) -> Self:
        """Train on trials (n, channels, times) and their labels.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial, for the features of classical branches and validation.
        checkpoint : Path or None
            File to save the training of the fused network to now and then.
        lesson : Lesson or None
            What a teacher says of the trials, for the fused network.
        """
        from eegvit.networks.device import choose_device
        from eegvit.train import progress_line, train

        X = self.check_X(X, reset=True)
        codes = self.encode_y(X, y)
        people = None if groups is None else np.asarray(groups)
        rows, held_out = hold_out(codes, people, self.validation, self.random_state)
        own, self.members_ = None if people is None else people[rows], self.ready_members()
        if groups is None and has_classical(self.members_):
            warn_without_groups("the folds that make the features of classical branches")
        if self.start != "scratch":
            self.fit_members(X if len(rows) == len(X) else X[rows], codes[rows], own)
        self.beside_ = FeaturesBeside(self.members_)
        beside = self.beside_.learn(X, codes, rows, own)
        recipe = self.recipe(len(rows))
        with progress_line(recipe.epochs, type(self).__name__, self.verbose) as on_epoch:
            network, history = train(
                self.builder(X, rows),
                X,
                codes,
                recipe=recipe,
                rows=rows,
                held_out=held_out,
                seed=self.random_state,
                device=choose_device(self.device),
                checkpoint=checkpoint,
                on_epoch=on_epoch,
                beside=beside,
                lesson=lesson,
            )
        return self.keep(network, history)

    def ready_members(self) -> list[EEGClassifier]:
        """Return the branches with what is known of the data and of this model filled in."""
        rate, names = self.sfreq or self.sfreq_, self.ch_names or self.ch_names_
        known = {"random_state": self.random_state, "device": self.device, "verbose": self.verbose}
        members = [ready(m, sfreq=rate, ch_names=names, **known) for m in self.members()]
        if self.wiring == "series" and "ch_names" in members[-1].get_params(deep=False):
            members[-1].set_params(ch_names=None)  # what it sees are neurons
        for member in members:
            member.sfreq_, member.ch_names_ = rate, None
        return members

    def fit_members(
        self, X: Signals, codes: NDArray[np.int64], people: NDArray[Any] | None
    ) -> None:
        """Fit the networks, each alone; in series those in front."""
        for member in self.members_[: -1 if self.wiring == "series" else None]:
            if isinstance(member, NeuralClassifier):
                member.fit(X, codes, groups=people)

    def builder(self, X: Signals, rows: NDArray[np.int64]) -> Callable[[], nn.Module]:
        """Return what builds the network, its standardisation fitted on some rows of X."""
        from torch import from_numpy

        from eegvit.networks.layers import Standardise

        if self.trains_together():  # then it may be that this was not done by `fit`
            self.members_ = self.ready_members()
            self.beside_ = FeaturesBeside(self.members_)
        mean, scale = map(from_numpy, channel_moments(X, rows))
        shape = self.n_channels_in_, self.n_times_in_, len(self.classes_)
        return lambda: self.assembled(Standardise(mean, scale), shape)

    def assembled(self, standardise: nn.Module, shape: tuple[int, int, int]) -> nn.Module:
        """Return the network to train: for trials of a shape, and a number of classes."""
        from eegvit.branches.fusion.networks import in_parallel, in_series, standardised

        if self.wiring == "series":
            series = in_series(self.members_, shape, self.start)
            return standardised(self.members_[0], series, standardise, self.start)
        return in_parallel(
            self.members_,
            shape,
            self.beside_.shapes,
            standardise,
            start=self.start,
            classical=self.classical,
            fuse=self.fuse,
            auxiliary=self.auxiliary,
            dropout=self.dropout,
        )

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return the untrained network of branches in series, for one within a fused model."""
        from eegvit.branches.fusion.networks import in_series

        return in_series(self.ready_members(), (n_channels, n_times, n_classes), self.start)

    def keep(self, network: nn.Module, history: list[dict[str, float]]) -> Self:
        """Become fitted by a trained network, without heads and constraints of training alone."""
        from eegvit.networks.logits import bake_constraints

        if self.wiring == "parallel":
            fused: Any = network
            fused.drop_auxiliary()
        bake_constraints(network)
        return super().keep(network, history)

    def count_macs(self) -> int:
        """Return the multiply-accumulates of the fitted network for one trial.

        What makes the features of classical branches is not counted.
        """
        import torch

        from eegvit.networks.macs import count

        check_is_fitted(self, "module_")
        n_samples = self.n_times_in_ + self.beside_.n_samples(self.n_channels_in_)
        return count(self.module_, torch.zeros(1, self.n_channels_in_, n_samples))

    def spiking_activity(self, X: EEG) -> dict[str, Any]:
        """Return rates, operations and a raster of its spiking layers; empty without any.

        Only linear layers and neurons are counted, not the convolutions of other branches.
        """
        from torch import from_numpy

        from eegvit.networks.spiking.operations import activity

        check_is_fitted(self, "module_")
        rate = self.sfreq or self.sfreq_
        return activity(self.module_, from_numpy(self.inputs(X)), rate) if rate else {}

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        from eegvit.networks.device import choose_device
        from eegvit.networks.predict import predict_proba

        check_is_fitted(self, "module_")
        return predict_proba(self.module_, self.inputs(X), device=choose_device(self.device))

    def inputs(self, X: EEG) -> NDArray[np.float32]:
        """Return what the network sees: the trials, and the features of classical branches."""
        X = self.check_X(X)
        beside = self.beside_.of(X)
        seen = X if beside is None else np.concatenate([X, beside], axis=2)
        return np.array(seen, dtype=np.float32)
