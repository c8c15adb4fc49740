"""Several fits of one network at once, on folds of one data set or with several seeds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eegvit.branches.neural import NeuralClassifier, hold_out
from eegvit.preprocess.signals import EEG

SAME = 1e-3  # probabilities that differ by less are the same but for rounding


def fit_together(
    models: Sequence[NeuralClassifier],
    X: EEG,
    y: ArrayLike,
    trials: Sequence[NDArray[np.int64]],
    *,
    groups: ArrayLike | None = None,
    checkpoints: Sequence[Path] | None = None,
) -> None:
    """Fit each model on its own trials, with the result of ``model.fit(X[own], y[own])``.

    Parameters
    ----------
    models : sequence of NeuralClassifier
        Of one class and with the same parameters but for `random_state`.
    X : array or mne.Epochs
        The trials of all.
    y : array of labels
    trials : sequence of arrays of int64
        The trials of each model, in ascending order; each must have the same classes.
    groups : array or None
        The person of each trial of X, for validation.
    checkpoints : sequence of Path or None
        As for `NeuralClassifier.fit`, which can continue from such a file as well.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((24, 3, 128)), np.repeat(["left", "right"], 12)
    >>> models = [EEGNetClassifier(epochs=1, random_state=seed) for seed in (0, 1)]
    >>> fit_together(models, X, y, [np.arange(20), np.arange(4, 24)])
    >>> models[1].predict_proba(X).shape
    (24, 2)
    """
    from eegvit.networks.device import choose_device
    from eegvit.train import train_together

    first = models[0]
    labels, people = np.asarray(y), None if groups is None else np.asarray(groups)
    builds, rows, held_out = [], [], []
    for model, own in zip(models, trials, strict=True):
        if type(model) is not type(first) or not _alike(model, first):
            raise ValueError("models that are fitted together differ in nothing but random_state")
        signals = model.check_X(X, reset=True)
        codes = model.encode_y(own, labels[own])
        if not np.array_equal(model.classes_, first.classes_):
            raise ValueError("not every fit has trials of the same classes: fit them one by one")
        whose = None if people is None else people[own]
        trained, held = hold_out(codes, whose, model.validation, model.random_state)
        model.beside(signals, own[trained], people)
        builds.append(model.builder(signals, own[trained]))
        rows.append(own[trained])
        held_out.append(None if held is None else own[held])
    recipes = [model.recipe(len(own)) for model, own in zip(models, rows, strict=True)]
    if any(recipe != recipes[0] for recipe in recipes):
        raise ValueError("fits of so few trials train for different epochs: fit them one by one")
    codes = np.searchsorted(first.classes_, labels)
    results = train_together(
        builds,
        signals,
        codes,
        recipe=recipes[0],
        rows=rows,
        held_out=held_out,
        seeds=[model.random_state for model in models],
        device=choose_device(first.device),
        checkpoints=checkpoints,
    )
    for model, own, (network, history) in zip(models, rows, results, strict=True):
        model.keep(network, history).finish(signals, codes, own)


def place(model: NeuralClassifier) -> str:
    """Return where a model computes: a device, or the name of a GPU."""
    import torch

    from eegvit.networks.device import choose_device

    device = choose_device(model.device)
    return torch.cuda.get_device_name() if device == "cuda" else device


def seconds_a_step(
    model: NeuralClassifier, n_channels: int, n_times: int, n_classes: int, n_fits: int
) -> tuple[float, float]:
    """Measure a step of several fits: one by one, and together.

    Together it takes for ever if the network cannot be trained so, or not to the same result.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> alone, together = seconds_a_step(EEGNetClassifier(batch_size=8), 3, 128, 2, n_fits=2)
    >>> alone > 0 and together > 0
    True
    """
    from eegvit.networks.device import choose_device
    from eegvit.networks.predict import predict_proba
    from eegvit.train import train, train_together

    recipe = replace(model.recipe(), epochs=2, patience=None)  # the first one warms up
    n = recipe.batch_size
    X = np.random.default_rng(0).standard_normal((n, n_channels, n_times), dtype=np.float32)
    codes, rows = np.arange(n) % n_classes, np.arange(n)
    model.encode_y(rows, codes)
    build = model.builder(model.check_X(X, reset=True), rows)
    device = choose_device(model.device)
    ends: list[float] = []

    def note(*_: object) -> None:
        ends.append(time.perf_counter())

    last = n_fits - 1
    alone, _ = train(build, X, codes, recipe=recipe, seed=last, device=device, on_epoch=note)
    one_by_one = n_fits * (ends[1] - ends[0])
    ends.clear()
    try:
        fits = train_together(
            [build] * n_fits,
            X,
            codes,
            recipe=recipe,
            rows=[rows] * n_fits,
            seeds=range(n_fits),
            device=device,
            on_epoch=note,
        )
    except Exception:
        return one_by_one, float("inf")
    told, expected = (predict_proba(network, X) for network in (fits[last][0], alone))
    same = np.abs(told - expected).max() < SAME
    return one_by_one, ends[-1] - ends[last] if same else float("inf")


def _alike(model: NeuralClassifier, other: NeuralClassifier) -> bool:
    mine, its = model.get_params(deep=False), other.get_params(deep=False)
    return {**mine, "random_state": 0} == {**its, "random_state": 0}
