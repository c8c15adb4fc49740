"""A neural classifier that is trained, and loses what it can do without."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.around import Around
from eegvit.branches.neural import NeuralClassifier, hold_out
from eegvit.compress.settings import SETTINGS, By, Of, mistakes
from eegvit.preprocess.signals import EEG
from eegvit.pretrain.classifier import FineTunedClassifier, is_label

if TYPE_CHECKING:
    from eegvit.compress.importance import Scores
    from eegvit.train import Lesson


@dataclass(kw_only=True, eq=False, repr=False)
class PrunedClassifier(Around):
    """A neural classifier that is trained, pruned and fine-tuned, in turn, until it is small.

    Units are taken out whole, with all weights that belong to them: queries and keys, values
    and heads of attention, hidden planes, filters, spiking neurons. What is left is an ordinary
    network of its class, and smaller.

    Parameters
    ----------
    model : NeuralClassifier or FineTunedClassifier
        A single network of this house: EEGNet, ShallowConvNet, a spiking one or EfficientViT,
        pretrained or not.
    to : float
        What the pruned network may cost, as a share of what the whole one costs.
    of : {"macs", "parameters", "latency"}
        Multiply-accumulates of a trial, learned numbers, or the time that a trial takes here.
    by : {"taylor", "magnitude", "random"}
        Units go whose silence would change the loss of training trials least [1]_, whose weights
        are least, or at random; all for what they cost.
    rounds : int
        How often units are taken out, an equal share each time.
    tuning : float
        Epochs of fine-tuning in all rounds together, over those of training.
    move : bool
        In each round, take out a tenth more than that, and spend it on more of those units that the
        loss depends on most for what they cost. With `to: 1` parameters are moved at equal cost.
    random_state : int
        Seed of both, in place of the model's own.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : NeuralClassifier
        The fitted model, its network smaller. What is left of it is in its `cuts_`.
    units_ : list of dict
        For each stage of the network and each role of units in it: how many there were and are,
        and how much the loss depends on one, over the mean of all (before pruning).
    n_parameters_ : int
        Number of learned numbers.

    References
    ----------
    .. [1] Molchanov et al., Importance estimation for neural network pruning. CVPR 2019.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> eegnet = EEGNetClassifier(epochs=20, batch_size=8, learning_rate=0.01)
    >>> small = PrunedClassifier(model=eegnet, to=0.5, of="parameters", rounds=2).fit(X, y)
    >>> small.score(X, y), 0.4 < small.n_parameters_ / eegnet.fit(X, y).n_parameters_ <= 0.503
    (1.0, True)
    """

    to: float = 0.5
    of: Of = "macs"
    by: By = "taylor"
    rounds: int = 4
    tuning: float = 1.0
    move: bool = False
    random_state: int = 0

    def fit(
        self,
        X: EEG,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        checkpoint: Path | None = None,
        lesson: Lesson | None = None,
    ) -> Self:
        """Train on trials (n, channels, times) and their labels, and prune.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial, for validation.
        checkpoint : Path or None
            File to save the training of the whole network to now and then, and to continue it
            from; files of the rounds are beside it. All are deleted in the end.
        lesson : Lesson or None
            What a teacher says of the trials, in training and fine-tuning.
        """
        if not isinstance(self.model, NeuralClassifier | FineTunedClassifier):
            raise TypeError(f"model={self.model!r}: it must be a neural classifier of this house")
        from eegvit.compress.table import table_of
        from eegvit.train.checkpoint import staying

        signals = self.check_X(X, reset=True)
        model: Any = clone(self.model).set_params(random_state=self.random_state)
        taught: dict[str, Any] = {} if lesson is None else {"lesson": lesson}
        how = {name: getattr(self, name) for name in SETTINGS} | {"move": self.move}
        with staying():  # the whole network's training, until the pruned one's are over
            model.fit(X, y, groups=groups, checkpoint=checkpoint, **taught)
            self.classes_ = model.classes_
            if isinstance(model, FineTunedClassifier):
                self.weights_, model = model.weights_, model.model_
                known = is_label(np.asarray(y))
                X, y = signals[known], np.asarray(y)[known].astype(self.classes_.dtype)
                groups = None if groups is None else np.asarray(groups)[known]
            taught["checkpoint"] = checkpoint
            self.model_ = prune(model, X, y, groups=groups, **taught, **how)
        self.units_ = table_of(model.module_, self.model_.module_, scores_of(model, X, y))
        self.n_parameters_ = self.model_.n_parameters_
        return self

    def fit_takes(self) -> frozenset[str]:
        """Return what `fit` takes; no lesson where the model takes none."""
        return super().fit_takes() & (self.model.fit_takes() | {"checkpoint", "groups"})

    def mistakes(self) -> list[tuple[str, str]]:
        """Return (parameter, sentence) for what is wrong with how it prunes.

        Examples
        --------
        >>> PrunedClassifier(model=None, rounds=0).mistakes()
        [('rounds', 'rounds=0: it must be 1 or more')]
        """
        return mistakes(**{name: getattr(self, name) for name in SETTINGS})


def prune(
    model: NeuralClassifier,
    X: EEG,
    y: ArrayLike,
    *,
    to: float = 0.5,
    of: Of = "macs",
    by: By = "taylor",
    rounds: int = 4,
    tuning: float = 1.0,
    move: bool = False,
    groups: ArrayLike | None = None,
    lesson: Lesson | None = None,
    checkpoint: Path | None = None,
) -> NeuralClassifier:
    """Return a smaller copy of a fitted neural classifier, fine-tuned.

    Parameters
    ----------
    model : NeuralClassifier
        Fitted; one that is not is fitted first.
    X : array or mne.Epochs
        Trials (n, channels, times) to judge units by and to fine-tune on: training trials only.
    y : array of labels
    to, of, by, rounds, tuning, move
        As for `PrunedClassifier`.
    groups : array or None
        The person of each trial, for validation.
    lesson : Lesson or None
        What a teacher says of the trials.
    checkpoint : Path or None
        Beside this file those of the rounds are, to go on from; they are deleted in the end.

    Examples
    --------
    >>> from eegvit.branches.shallow import ShallowConvNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> model = ShallowConvNetClassifier(epochs=10, batch_size=8).fit(X, y)
    >>> small = prune(model, X, y, to=0.2, of="parameters", rounds=2)
    >>> small.score(X, y), small.n_parameters_ / model.n_parameters_ <= 0.201
    (1.0, True)
    """
    from eegvit.compress.rounds import pruned

    how: dict[str, Any] = {"to": to, "of": of, "by": by, "rounds": rounds, "tuning": tuning}
    for _, sentence in mistakes(**how):
        raise ValueError(sentence)
    small = copy.deepcopy(model)
    if not hasattr(small, "module_"):
        small.fit(X, y, groups=groups, lesson=lesson)
    signals = small.check_X(X)
    codes = np.searchsorted(small.classes_, np.asarray(y))
    if codes.max() == len(small.classes_) or (small.classes_[codes] != np.asarray(y)).any():
        raise ValueError(f"y has labels that the model does not know: it knows {small.classes_}")
    rows, held_out = hold_out(codes, groups, small.validation, small.random_state)
    data = (signals, codes, rows, held_out, lesson, checkpoint)
    network, cuts = pruned(small, *data, **how, move=move)
    small.cuts_ = (*getattr(small, "cuts_", ()), *cuts)
    return small.keep(network, small.history_)


def scores_of(model: NeuralClassifier, X: EEG, y: ArrayLike, by: By = "taylor") -> Scores:
    """Return how important each unit of a fitted model is, see `importance`.

    Parameters
    ----------
    model : NeuralClassifier
    X : array or mne.Epochs
        Training trials (n, channels, times).
    y : array of labels
    by : {"taylor", "magnitude", "random"}

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> X, y = np.random.default_rng(0).standard_normal((8, 3, 128)), np.arange(8) % 2
    >>> scores = scores_of(EEGNetClassifier(epochs=1).fit(X, y), X, y)
    >>> {name: len(each) for name, each in scores.items()}
    {'1:filters': 8, '1:features': 16}
    """
    from eegvit.compress.importance import importance
    from eegvit.compress.rounds import in_batches

    check_is_fitted(model, "module_")
    codes = np.searchsorted(model.classes_, np.asarray(y))
    batches = in_batches(model, model.check_X(X), codes, np.arange(len(codes)))
    found: Mapping[str, NDArray[np.float64]] = importance(model.module_, batches, by)
    return found
