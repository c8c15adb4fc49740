"""Rounds of pruning: units are judged, some are taken out, and what is left is fine-tuned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.branches.neural import Cuts, NeuralClassifier
from eegvit.compress.budget import Savings, choose, cost
from eegvit.compress.importance import importance
from eegvit.compress.moving import MOVED, copies
from eegvit.compress.settings import By, Of
from eegvit.networks.device import choose_device, seeded
from eegvit.networks.units import cut, widened
from eegvit.preprocess.signals import Signals
from eegvit.train.batches import Batches
from eegvit.train.lesson import Lesson
from eegvit.train.loop import carry_out
from eegvit.train.run import Run


def pruned(
    model: NeuralClassifier,
    X: Signals,
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    held_out: NDArray[np.int64] | None,
    lesson: Lesson | None = None,
    *,
    to: float,
    of: Of,
    by: By,
    rounds: int,
    tuning: float,
    move: bool = False,
) -> tuple[nn.Module, Cuts]:
    """Return a fitted model's network, pruned, and which units were left in turn, copies again.

    Parameters
    ----------
    model : NeuralClassifier
    X : array, shape (n, channels, times)
    codes : array of int64
        Class of each trial.
    rows, held_out : arrays of int64
        Training trials, and those of a validation loss, if any.
    lesson : Lesson or None
        What a teacher says of the trials, for fine-tuning.
    to, of, by, rounds, tuning, move
        As for `PrunedClassifier`.
    """
    network: nn.Module = model.module_
    cuts: list[dict[str, list[int]]] = []
    if to == 1 and not move:
        return network, ()
    example = torch.zeros(1, *X.shape[1:])
    savings, cost_of = Savings(example, of), partial(cost, example=example, of=of)
    counted = partial(cost, example=example, of=savings.of)
    whole = cost_of(network)
    for number in range(1, rounds + 1):
        seed = model.random_state + number
        batches = in_batches(model, X, codes, rows)
        scores = importance(network, batches, by, seed)
        if not scores:
            raise ValueError(
                f"{type(model).__name__}: nothing is known that can be taken out of its network."
                " Prune eegnet, shallow, snn or efficientvit"
            )
        target = whole * to ** (number / rounds)
        less = (1 - MOVED) * target if move else target
        kept = choose(network, scores, savings(network), cost_of, less)
        more: dict[str, list[int]] = {}
        if kept:
            network = cut(network, kept)
        if move:
            batches = in_batches(model, X, codes, rows)
            scores = importance(network, batches, by, seed)
            saved = savings(network)
            more = copies(network, scores, saved, cost_of, counted, target, last=kept)
            network = widened(network, more, seed)
        done = [each for each in (kept, more) if each]
        cuts += done
        if done:
            data = (X, codes, rows, held_out, lesson)
            network = tuned(model, network, *data, share=tuning / rounds, seed=seed)
    return network, tuple(cuts)


def tuned(
    model: NeuralClassifier,
    network: nn.Module,
    X: Signals,
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    held_out: NDArray[np.int64] | None,
    lesson: Lesson | None = None,
    *,
    share: float,
    seed: int,
) -> nn.Module:
    """Return a network after some more training as the model is trained, for fewer epochs."""
    recipe = model.recipe(len(rows))
    epochs = round(share * recipe.epochs)
    if not epochs:
        return network
    recipe, device = replace(recipe, epochs=epochs), choose_device(model.device)
    with seeded(seed, device):
        batches = Batches(X, codes, recipe, device, lesson=lesson)
        run = Run(network.to(device), recipe, batches, rows, held_out, seed)
        carry_out(run)
    return run.result()[0]


def in_batches(
    model: NeuralClassifier, X: Signals, codes: NDArray[np.int64], rows: NDArray[np.int64]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield trials and their classes in batches, drawn in one order, not augmented."""
    order = np.random.default_rng(0).permutation(rows)
    for batch in np.array_split(order, -(-len(order) // model.batch_size)):
        signals = torch.from_numpy(np.array(X[batch], dtype=np.float32))
        yield signals, torch.from_numpy(codes[batch])
