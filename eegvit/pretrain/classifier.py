"""A neural classifier that is pretrained without labels, then trained on those there are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.around import Around
from eegvit.branches.neural import NeuralClassifier, hold_out
from eegvit.preprocess.signals import EEG, Signals
from eegvit.preprocess.views import USUAL

if TYPE_CHECKING:
    from eegvit.pretrain.settings import PretrainRecipe
    from eegvit.pretrain.weights import Weights


@dataclass(kw_only=True, eq=False, repr=False)
class FineTunedClassifier(Around):
    """A neural classifier that learns from unlabelled trials first.

    A label of -1, None or "" says that a trial's label is not known. Pretraining sees all
    trials and, unless the objective is "supervised", no label; fine-tuning sees the labelled
    trials. With the objective "none" and no weights the same network is trained from scratch,
    in full, with as many steps: the control of every comparison.

    Parameters
    ----------
    model : NeuralClassifier
        Its training parameters are those of fine-tuning; `verbose` shows both trainings.
    objective : str or dict
        A name in `eegvit.pretrain.settings.OBJECTIVES`, "none", or a mapping of `name` and
        the settings of `Objective` that it changes.
    views : tuple of str, or dict of float
        Names in `eegvit.preprocess.views.VIEWS`, or their strengths.
    weights : str or None
        A file of pretrained weights, used instead of pretraining on the trials of `fit`.
    finetune : {"probe", "partial", "full"}
        Train the last layers only, the later half of the network, or all of it.
    layer_decay : float
        Learning rate of the first layer over that of the last, a geometric line between.
    finetune_steps : int
        Steps of fine-tuning at least; with few labels the model's epochs are very short.
    pretrain_epochs, pretrain_batch_size : int
        Of pretraining.
    pretrain_learning_rate, pretrain_weight_decay : float
        Of AdamW in pretraining.
    random_state : int
        Seed of pretraining and, in place of the model's own, of fine-tuning.

    Attributes
    ----------
    classes_ : array
        The labels, sorted, without those that say that there is none.
    model_ : NeuralClassifier
        The fitted model.
    weights_ : Weights or None
        The pretrained weights and their manifest.
    n_parameters_ : int
        Number of learned numbers.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> y[::2] = ""
    >>> eegnet = EEGNetClassifier(epochs=40, batch_size=8, learning_rate=0.01)
    >>> model = FineTunedClassifier(model=eegnet, pretrain_epochs=2, finetune_steps=40).fit(X, y)
    >>> model.classes_.tolist(), model.score(X[y != ""], y[y != ""])
    (['left', 'right'], 1.0)
    """

    objective: str | Mapping[str, Any] = "contrastive"
    views: tuple[str, ...] | Mapping[str, float] = USUAL
    weights: str | None = None
    finetune: Literal["probe", "partial", "full"] = "full"
    layer_decay: float = 1.0
    finetune_steps: int = 400
    pretrain_epochs: int = 20
    pretrain_batch_size: int = 128
    pretrain_learning_rate: float = 3e-3
    pretrain_weight_decay: float = 1e-2
    random_state: int = 0

    def fit(
        self,
        X: EEG,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Pretrain on all trials (n, channels, times), train on the labelled ones.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial, for objectives that use it, for validation, and for what a
            network does with people.
        checkpoint : Path or None
            File to save the training to now and then, and to continue it from.
        """
        model = self._unfitted()
        X = self.check_X(X, reset=True)
        labels = np.asarray(y)
        if labels.shape != (len(X),):
            raise ValueError(
                f"y has shape {labels.shape} for {len(X)} trials, expected ({len(X)},)"
            )
        known = np.flatnonzero(is_label(labels))
        if not len(known):
            raise ValueError('no trial has a label: -1, None and "" say that it is not known')
        codes = self.encode_y(X[known], labels[known].astype(labels[known][0].__class__))
        people = np.zeros(len(X), np.int64) if groups is None else np.asarray(groups)
        model.check_X(X, reset=True)
        model.sfreq_, model.ch_names_ = self.sfreq_, self.ch_names_
        model.classes_ = self.classes_
        every = np.full(len(X), -1)
        every[known] = codes
        self.weights_ = self._weights(model, X, every, people, checkpoint)
        rows, held_out = hold_out(
            codes, None if groups is None else people[known], model.validation, self.random_state
        )
        held = None if held_out is None else known[held_out]
        model.beside(X, known[rows], people)
        self.model_ = self._finetuned(model, X, every, known[rows], held, checkpoint)
        self.n_parameters_ = self.model_.n_parameters_
        return self

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with all those of the model and of pretraining."""
        return super().identity() | self.starts_from()

    def starts_from(self) -> dict[str, Any]:
        """Return what fine-tuning starts from: the settings of pretraining, or a file's hash.

        Examples
        --------
        >>> from eegvit.branches.eegnet import EEGNetClassifier
        >>> FineTunedClassifier(model=EEGNetClassifier(), objective="none").starts_from()
        {'pretraining': None}
        """
        if self.weights is not None:
            return {"weights": _digest(self.weights, Path(self.weights).stat().st_mtime_ns)}
        how = self.pretraining()
        return {"pretraining": None if how is None else asdict(how)}

    def pretraining(self) -> PretrainRecipe | None:
        """Return how to pretrain; None from scratch."""
        from eegvit.preprocess.views import strengths
        from eegvit.pretrain.settings import PretrainRecipe, objective

        if self.objective == "none":
            return None
        return PretrainRecipe(
            objective=objective(self.objective),
            views=strengths(self.views),
            epochs=self.pretrain_epochs,
            batch_size=self.pretrain_batch_size,
            learning_rate=self.pretrain_learning_rate,
            weight_decay=self.pretrain_weight_decay,
        )

    def embed(self, X: EEG) -> NDArray[np.float32]:
        """Return what the last layers are given: an embedding (n, d) of each trial."""
        from eegvit.pretrain.probes import embed

        check_is_fitted(self, "model_")
        return embed(self.model_.module_, self.check_X(X))

    def _unfitted(self) -> NeuralClassifier:
        if not isinstance(self.model, NeuralClassifier):
            raise TypeError(f"model={self.model!r}: it must be a neural classifier of this house")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay={self.layer_decay!r}: it must be in (0, 1]")
        if self.finetune not in ("probe", "partial", "full"):
            raise ValueError(f"finetune={self.finetune!r}: it is one of probe, partial, full")
        if why := self.model.why_not_pretrained():
            raise ValueError(f"{type(self.model).__name__} cannot be pretrained: {why}")
        model = clone(self.model)
        return model.set_params(random_state=self.random_state)

    def _weights(
        self,
        model: NeuralClassifier,
        X: Signals,
        codes: NDArray[np.int64],
        people: NDArray[Any],
        checkpoint: Path | None,
    ) -> Weights | None:
        from eegvit.pretrain.model import pretrain_model
        from eegvit.pretrain.weights import load
        from eegvit.train import progress_line

        if self.weights is not None:
            return load(self.weights)
        recipe = self.pretraining()
        if recipe is None:
            return None
        named = clone(model)
        if hasattr(named, "sfreq"):  # an mne.Epochs says them, an array does not
            named.set_params(sfreq=named.sfreq or self.sfreq_)
        if hasattr(named, "ch_names"):
            named.set_params(ch_names=named.ch_names or self.ch_names_)
        with progress_line(recipe.epochs, "pretraining", model.verbose) as on_epoch:
            return pretrain_model(
                named,
                X,
                recipe=recipe,
                subjects=[str(person) for person in people],
                labels=codes,
                seed=self.random_state,
                checkpoint=checkpoint and checkpoint.with_name(f"{checkpoint.name}.pretraining"),
                on_epoch=on_epoch,
            )

    def _finetuned(
        self,
        model: NeuralClassifier,
        X: Signals,
        codes: NDArray[np.int64],
        rows: NDArray[np.int64],
        held_out: NDArray[np.int64] | None,
        checkpoint: Path | None,
    ) -> NeuralClassifier:
        from eegvit.networks.device import choose_device, seeded
        from eegvit.pretrain.finetune import FinetuneRun
        from eegvit.train import of_steps, progress_line
        from eegvit.train.batches import Batches
        from eegvit.train.loop import carry_out

        device = choose_device(model.device)
        recipe = of_steps(model.recipe(), len(rows), self.finetune_steps)
        scratch = self.weights_ is None
        line = progress_line(recipe.epochs, type(model).__name__, model.verbose)
        with seeded(self.random_state, device), line as on_epoch:
            run = FinetuneRun(
                model.builder(X, np.arange(len(X)))().to(device),
                recipe,
                Batches(X, codes, recipe, device),
                rows,
                held_out,
                self.random_state,
                weights=self.weights_,
                finetune="full" if scratch else self.finetune,
                layer_decay=1.0 if scratch else self.layer_decay,
            )
            carry_out(run, checkpoint=checkpoint, on_epoch=on_epoch)
        return model.keep(*run.result()).finish(X, codes, rows)


@cache
def _digest(path: str, _: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def is_label(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels are known: all but -1, None and "".

    Examples
    --------
    >>> is_label(np.array([0, -1, 1])).tolist(), is_label(np.array(["a", ""])).tolist()
    ([True, False, True], [True, False])
    """
    return np.array([not (v is None or v == "" or v == -1) for v in y.tolist()], dtype=bool)
