"""What every branch that is trained by gradient descent shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import EEGClassifier
from eegvit.features.plain import home_of
from eegvit.preprocess.augment import REFLECT
from eegvit.preprocess.reflection import Reflection, given, reflection
from eegvit.preprocess.signals import EEG, Signals, channel_moments

if TYPE_CHECKING:
    from torch import nn

    from eegvit.train import Lesson, Recipe

LEAST_STEPS = 400  # of training, where epochs are not given
Cuts = tuple[dict[str, list[int]], ...]  # units left in a network, by what they are, in turn


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralClassifier(EEGClassifier):
    """A network and its training; subclasses build the network in `network`.

    Each channel is standardised by its mean and deviation over the training trials. The
    learning rate climbs for a share `warmup` of all steps and descends along a cosine.

    Parameters
    ----------
    epochs : int or None
        Passes over the training trials. None: 40 (EfficientViT: 20), or, where trials are few,
        as many as make 400 steps.
    batch_size : int
        Trials in a step.
    learning_rate, weight_decay : float
        Of AdamW; biases and norms do not decay.
    warmup : float
        Share of all steps in which the learning rate climbs.
    label_smoothing : float
        Probability spread evenly over all classes in the training targets.
    class_weight : {"balanced"} or None
        "balanced" weights a class by the inverse of its frequency.
    clip_norm : float or None
        Largest norm of all gradients together.
    augment : str, tuple of str or None
        Names in `eegvit.preprocess.augment.AUGMENTATIONS`, applied in turn to each batch, or
        "reflect": half of the trials mirrored, left and right exchanged in the names of channels
        and classes. None is the network's own choice: of most, none.
    mixup : float
        Trials and labels are mixed in pairs, in shares drawn from a beta distribution of this
        shape; 0 mixes none.
    validation : float
        Share of the training people (the `groups` of `fit`) that is held out to compute a
        validation loss. With fewer than two people, the last trials of each class. 0 holds
        nothing out.
    patience : int or None
        Stop after this many epochs without a smaller validation loss and return to the best
        epoch. None trains for all epochs and keeps the last.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute; "auto" takes a GPU if there is one.
    amp : bool
        Mixed precision (bfloat16) on CUDA.
    random_state : int
        Seed of weights, batches, dropout, augmentation and validation people.
    verbose : bool
        Show a line of progress while training: epoch, loss, time left. Changes no result.
    mirror : tuple of two tuples of int, or None
        For "reflect": the channel on the other side of each channel, and the class that the
        mirror image of each is of. None goes by the names of channels and classes.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    module_ : torch.nn.Module
        The trained network, its first layer the standardisation.
    history_ : list of dict
        learning_rate, train_loss and, with validation, valid_loss of each epoch.
    n_parameters_ : int
        Number of learned numbers.
    cuts_ : tuple of dict
        Which units of the network are left, where it was pruned.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}
    usual_epochs: ClassVar[int] = 40
    prunable: ClassVar[bool] = False  # whether it is known what can be taken out of its network

    epochs: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: float = 0.05
    label_smoothing: float = 0.0
    class_weight: Literal["balanced"] | None = None
    clip_norm: float | None = None
    augment: str | tuple[str, ...] | None = "none"
    mixup: float = 0.0
    validation: float = 0.0
    patience: int | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    amp: bool = False
    random_state: int = 0
    verbose: bool = False
    mirror: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return the untrained network: trials (n, channels, times) in, logits out."""
        raise NotImplementedError

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
            The person of each trial, for validation, and for a norm of people where there is one.
        checkpoint : Path or None
            File to save the training to now and then, and to continue it from.
        lesson : Lesson or None
            What a teacher says of the trials, see `eegvit.DistilledClassifier`.
        """
        from eegvit.networks.device import choose_device
        from eegvit.train import progress_line, train

        self.cuts_: Cuts = ()
        X = self.check_X(X, reset=True)
        codes = self.encode_y(X, y)
        rows, held_out = hold_out(codes, groups, self.validation, self.random_state)
        recipe, beside = self.recipe(len(rows)), self.beside(X, rows, groups)
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
        return self.keep(network, history).finish(X, codes, rows)

    def identity(self) -> dict[str, Any]:
        """Return the parameters but for those that change no result."""
        return {name: value for name, value in super().identity().items() if name != "verbose"}

    def packages(self) -> frozenset[str]:
        """Return those of networks, and that of the class."""
        return frozenset({"numpy", "torch"}) | home_of(self)

    def training(self) -> tuple[Recipe, float]:
        """Return the recipe, and the share of people held out."""
        return self.recipe(), self.validation

    def gives_features(self) -> bool:
        """Say yes: the maps of its network."""
        return True

    def why_not_pretrained(self) -> str | None:
        """Say why it cannot learn before it sees labels; None where it can."""
        return None

    def trains_together(self) -> bool:
        """Say whether `fit_together` may train several of it at once."""
        return True

    def recipe(self, n_trials: int | None = None) -> Recipe:
        """Return how to train, on so many trials if that is known."""
        from eegvit.train import Recipe, of_steps

        settings = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        names = [name for name in self.augmentations() if name != "none"]
        settings["augment"] = tuple(self._reflection() if n == REFLECT else n for n in names)
        if self.epochs is not None:
            return Recipe(**settings)
        usual = Recipe(**settings | {"epochs": self.usual_epochs})
        return usual if n_trials is None else of_steps(usual, n_trials, LEAST_STEPS)

    def augmentations(self) -> tuple[str, ...]:
        """Return the names of what changes each batch, in turn."""
        return (self.augment,) if isinstance(self.augment, str) else tuple(self.augment or ())

    def _reflection(self) -> Reflection | str:
        """Return what a mirror does to these channels and classes; before `fit` its name."""
        if not hasattr(self, "classes_"):
            return REFLECT
        if self.mirror is not None:
            return given(*self.mirror, self.n_channels_in_, self.classes_.tolist())
        ch_names = self.of_data("ch_names") or self.ch_names_
        if ch_names is None:
            raise ValueError(
                "augment 'reflect' needs the names of the channels: fit it on mne.Epochs, or say"
                " which channel is opposite to which: mirror=((2, 1, 0), (1, 0))"
            )
        return reflection(ch_names, list(map(str, self.classes_)))

    def builder(self, X: Signals, rows: NDArray[np.int64]) -> Callable[[], nn.Module]:
        """Return what builds the network, its standardisation fitted on some rows of X."""
        from torch import from_numpy, nn

        from eegvit.networks.layers import Standardise

        mean, scale = map(from_numpy, self.moments(X, rows))

        def build() -> nn.Module:
            network = self.network(self.n_channels_in_, self.n_times_in_, len(self.classes_))
            return nn.Sequential(Standardise(mean, scale), network)

        return build

    def moments(self, X: Signals, rows: NDArray[np.int64]) -> tuple[Signals, Signals]:
        """Return the mean and the deviation of each channel by which trials are standardised."""
        return channel_moments(X, rows)

    def keep(self, network: nn.Module, history: list[dict[str, float]]) -> Self:
        """Become fitted by a trained network."""
        self.module_, self.history_ = network, history
        self.n_parameters_ = sum(p.numel() for p in network.parameters())
        return self

    def beside(
        self, X: Signals, rows: NDArray[np.int64], groups: ArrayLike | None
    ) -> NDArray[np.float32] | None:
        """Return samples that training appends to those of each trial: to most networks none."""
        return None

    def finish(self, X: Signals, codes: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        """Add what is found at once on the training trials: to most networks nothing."""
        return self

    def unfitted(self, X: Signals) -> nn.Module:
        """Return the network that `fit` leaves, before it has learned anything."""
        return self.builder(X, np.arange(len(X)))()

    def count_macs(self) -> int:
        """Return the multiply-accumulates of the fitted network for one trial."""
        import torch

        from eegvit.networks.macs import count

        check_is_fitted(self, "module_")
        return count(self.module_, torch.zeros(1, self.n_channels_in_, self.n_times_in_))

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        from eegvit.networks.device import choose_device
        from eegvit.networks.predict import predict_proba

        check_is_fitted(self, "module_")
        return predict_proba(self.module_, self.check_X(X), device=choose_device(self.device))


def hold_out(
    y: NDArray[np.int64], groups: ArrayLike | None, share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Split trials into those to train on and those to validate on.

    Examples
    --------
    >>> rows, held_out = hold_out(np.array([0, 1] * 4), list("aabbccdd"), 0.25, seed=0)
    >>> held_out.tolist() in [[0, 1], [2, 3], [4, 5], [6, 7]]
    True
    >>> hold_out(np.array([0, 1] * 4), None, 0.25, seed=0)[1].tolist()
    [6, 7]
    """
    if not 0 <= share < 1:
        raise ValueError(f"validation={share!r}: it is a share of the people, in [0, 1)")
    every = np.arange(len(y))
    if share == 0:
        return every, None
    people = np.zeros(len(y), dtype=int) if groups is None else np.asarray(groups)
    if people.shape != y.shape:
        raise ValueError(f"groups has shape {people.shape} for {len(y)} trials")
    names = np.unique(people)
    if len(names) > 1:
        n_held = min(max(1, round(share * len(names))), len(names) - 1)
        chosen = np.random.default_rng(seed).permutation(names)[:n_held]
        held = np.isin(people, chosen)
    else:
        held = np.zeros(len(y), dtype=bool)
        for code in np.unique(y):
            trials = np.flatnonzero(y == code)
            held[trials[len(trials) - max(1, round(share * len(trials))) :]] = True
    missing = np.setdiff1d(y, y[~held])
    if len(missing):
        raise ValueError(
            f"validation={share} holds out every trial of class number {missing[0]}:"
            " give more training trials or people, or validation=0"
        )
    return every[~held], every[held]
