"""Pretraining of the network of any neural classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from eegvit.branches.neural import NeuralClassifier
from eegvit.data.montage import electrode_directions
from eegvit.networks.device import choose_device, seeded
from eegvit.preprocess.views import Directions
from eegvit.pretrain.encoder import last_layers
from eegvit.pretrain.run import pretrain
from eegvit.pretrain.samples import Samples, samples
from eegvit.pretrain.settings import PretrainRecipe
from eegvit.pretrain.weights import Weights, hashes, weights_of
from eegvit.train.recipe import Record


def pretrain_model(
    model: NeuralClassifier,
    X: Any,
    *,
    recipe: PretrainRecipe,
    subjects: Sequence[str],
    recordings: ArrayLike | None = None,
    labels: NDArray[np.int64] | None = None,
    ch_names: Sequence[str] | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    save_every: float = 30.0,
    on_epoch: Callable[[int, Record], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Weights:
    """Pretrain a model's network.

    Parameters
    ----------
    model : NeuralClassifier
        Its own training parameters are not used, and it stays as it is.
    X : array (n, channels, times), mne.Epochs or Samples
    recipe : PretrainRecipe
    subjects : sequence of str
        Whose each trial is, as "dataset/subject".
    recordings : array or None
        The recording of each trial, each in the order of time.
    labels : array of int64 or None
        Codes for an objective that uses labels; -1 where there is none.
    ch_names : sequence of str or None
        Names of the channels, for views that turn the cap, where X does not say them.
    seed : int
    checkpoint, save_every, on_epoch, say
        As for `eegvit.pretrain.run.pretrain`.

    Returns
    -------
    Weights
        With a manifest of what they are of and whom they saw.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> X = np.random.default_rng(0).standard_normal((24, 3, 128)).astype(np.float32)
    >>> recipe = PretrainRecipe(epochs=1, batch_size=8, views=(("crop", 0.3),))
    >>> weights = pretrain_model(EEGNetClassifier(), X, recipe=recipe, subjects=["2b/1"] * 24)
    >>> weights.manifest["subjects"], weights.manifest["architecture"]["class"]
    (['2b/1'], 'EEGNetClassifier')
    """
    model = clone(model)
    model.classes_ = np.arange(2)  # of a last layer that is thrown away
    if isinstance(X, Samples):
        given = X
        model.check_X(given.X, reset=True)
    else:
        signals = model.check_X(X, reset=True)
        given = samples(signals, people=subjects, recordings=recordings, labels=labels)
    if len(subjects) != len(given.X):
        raise ValueError(f"{len(subjects)} subjects for {len(given.X)} trials")
    if ch_names is not None:
        model.ch_names_ = tuple(ch_names)
    network, history = pretrain(
        model.builder(given.X, np.arange(len(given.X))),
        given,
        recipe=recipe,
        directions=directions_of(model),
        seed=seed,
        device=choose_device(model.device),
        checkpoint=checkpoint,
        save_every=save_every,
        on_epoch=on_epoch,
        say=say,
    )
    last = last_layers(network, torch.zeros(2, *given.X.shape[1:]))
    data = hashes(given.X, subjects)
    return weights_of(network, last, model, recipe, data=data, seed=seed, history=history)


def untrained(
    model: NeuralClassifier, X: NDArray[np.floating[Any]], seed: int = 0
) -> tuple[torch.nn.Module, tuple[str, ...]]:
    """Return a model's network as it is built for trials, and the names of its last layers.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> network, last = untrained(EEGNetClassifier(), np.zeros((2, 3, 128), np.float32))
    >>> last
    ('1.head',)
    """
    model = clone(model)
    model.classes_ = np.arange(2)
    X = model.check_X(X, reset=True)
    with seeded(seed, "cpu"):
        network = model.builder(X, np.arange(len(X)))()
    return network, last_layers(network, torch.zeros(2, *X.shape[1:]))


def directions_of(model: NeuralClassifier) -> Directions | None:
    """Return where a model's electrodes are (channels, 3), if that is known of all."""
    names = getattr(model, "ch_names", None) or model.ch_names_
    known = electrode_directions(tuple(names)) if names else {}
    if len(known) < model.n_channels_in_:
        return None
    return np.stack([known[name] for name in names or ()])
