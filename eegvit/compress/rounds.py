"""Rounds of pruning: units are judged, some are taken out, and what is left is fine-tuned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.branches.neural import Cuts, NeuralClassifier
from eegvit.compress.budget import Savings, choose, cost
from eegvit.compress.decided import Decided, Round
from eegvit.compress.importance import importance
from eegvit.compress.moving import MOVED, copies
from eegvit.compress.settings import By, Of
from eegvit.networks.device import choose_device, seeded
from eegvit.networks.units import cut, widened
from eegvit.preprocess.signals import Signals
from eegvit.train.batches import Batches
from eegvit.train.checkpoint import digest, staying
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
    checkpoint: Path | None = None,
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
    checkpoint : Path or None
        Beside this file those of the rounds are, to go on from; they are deleted in the end.
    to, of, by, rounds, tuning, move
        As for `PrunedClassifier`.
    """
    network: nn.Module = model.module_
    if to == 1 and not move:
        return network, ()
    cuts: list[dict[str, list[int]]] = []
    how = {"to": to, "of": of, "by": by, "rounds": rounds, "tuning": tuning, "move": move}
    fingerprint = digest(how | {"seed": model.random_state}, [codes, rows, held_out], network)
    with staying() as files:
        decided = Decided(beside(checkpoint, "rounds"), fingerprint)
        if decided.path is not None:
            files.append(decided.path)
        judge = Judge(model, X, codes, rows, of, by, move)
        whole = judge.cost_of(network) if decided.whole is None else decided.whole
        for number in range(1, rounds + 1):
            seed = model.random_state + number
            if len(decided.rounds) < number:
                target = whole * to ** (number / rounds)
                decided.keep(whole, judge(network, target, seed))
            kept, more = decided.rounds[number - 1]
            network = cut(network, kept) if kept else network
            network = widened(network, more, seed) if more else network
            done = [each for each in (kept, more) if each]
            cuts += done
            if done:
                own = beside(checkpoint, f"round-{number}")
                data = (X, codes, rows, held_out, lesson, own)
                network = tuned(model, network, *data, share=tuning / rounds, seed=seed)
    return network, tuple(cuts)


def beside(checkpoint: Path | None, ending: str) -> Path | None:
    """Return the path of another file of the same fit.

    Examples
    --------
    >>> beside(Path("a.checkpoint"), "rounds").name
    'a.checkpoint.rounds'
    """
    return checkpoint and checkpoint.with_name(f"{checkpoint.name}.{ending}")


class Judge:
    """Decides which units a network loses and which it is given, for a cost.

    Parameters
    ----------
    model : NeuralClassifier
    X : array, shape (n, channels, times)
    codes : array of int64
    rows : array of int64
        Trials that it judges by.
    of, by, move
        As for `PrunedClassifier`.
    """

    def __init__(
        self,
        model: NeuralClassifier,
        X: Signals,
        codes: NDArray[np.int64],
        rows: NDArray[np.int64],
        of: Of,
        by: By,
        move: bool,
    ) -> None:
        self.data, self.by, self.move = (model, X, codes, rows), by, move
        example = torch.zeros(1, *X.shape[1:])
        self.savings, self.cost_of = Savings(example, of), partial(cost, example=example, of=of)
        self.counted = partial(cost, example=example, of=self.savings.of)

    def __call__(self, network: nn.Module, target: float, seed: int) -> Round:
        """Return which units stay, and which of those are there again."""
        scores = self.scores(network, seed)
        if not scores:
            raise ValueError(
                f"{type(self.data[0]).__name__}: nothing is known that can be taken out of its"
                " network. Prune eegnet, shallow, snn or efficientvit"
            )
        less = (1 - MOVED) * target if self.move else target
        kept = choose(network, scores, self.savings(network), self.cost_of, less)
        if not self.move:
            return [kept, {}]
        network = cut(network, kept) if kept else network
        scores, saved = self.scores(network, seed), self.savings(network)
        more = copies(network, scores, saved, self.cost_of, self.counted, target, last=kept)
        return [kept, more]

    def scores(self, network: nn.Module, seed: int) -> dict[str, NDArray[Any]]:
        """Return how important each unit is."""
        return importance(network, in_batches(*self.data), self.by, seed)


def tuned(
    model: NeuralClassifier,
    network: nn.Module,
    X: Signals,
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    held_out: NDArray[np.int64] | None,
    lesson: Lesson | None = None,
    checkpoint: Path | None = None,
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
        carry_out(run, checkpoint=checkpoint)
    return run.result()[0]


def in_batches(
    model: NeuralClassifier, X: Signals, codes: NDArray[np.int64], rows: NDArray[np.int64]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield trials and their classes in batches, drawn in one order, not augmented."""
    order = np.random.default_rng(0).permutation(rows)
    for batch in np.array_split(order, -(-len(order) // model.batch_size)):
        signals = torch.from_numpy(np.array(X[batch], dtype=np.float32))
        yield signals, torch.from_numpy(codes[batch])
