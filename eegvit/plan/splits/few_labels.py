"""Few labels: the same splits with a part of their labels, drawn at random, some times over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eegvit.config import Evaluate, sha256
from eegvit.plan.splits.apart import separated
from eegvit.plan.splits.split import Labels, Split, calibrated
from eegvit.views.view import DataView, Rows


def with_labels(
    view: DataView, evaluate: Evaluate, found: Sequence[Split], seed: int
) -> list[Split]:
    """Return each split once for every amount of labels and draw; the splits, where all count.

    Draws depend on the seed, the split, the amount and the number of the draw: all models
    are given the same labels.

    Parameters
    ----------
    view : DataView
        The trials.
    evaluate : Evaluate
        The protocol and its settings.
    found : sequence of Split
        The splits of the protocol.
    seed : int
        One of the study's.
    """
    if not evaluate.amounts:
        return list(found)
    few = _of_target if evaluate.labels_from == "target" else _of_training
    return [part for split in found for part in few(view, evaluate, split, seed)]


def largest(evaluate: Evaluate) -> Labels | None:
    """Return the largest amount of labels, first draw: what the leaderboard is of.

    Examples
    --------
    >>> largest(Evaluate(label_fraction=(0.1, 1.0))).amount
    1.0
    """
    return None if not evaluate.amounts else Labels(max(evaluate.amounts), 0)


def _of_training(view: DataView, evaluate: Evaluate, split: Split, seed: int) -> Iterator[Split]:
    """Draw labels of training trials, class by class."""
    for amount in evaluate.amounts or ():
        for draw in range(1 if amount == 1 and evaluate.label_fraction else evaluate.draws):
            place = [seed, split.name, amount, draw]
            labelled = _drawn(view, evaluate, split.name, split.train, amount, place)
            about = Labels(amount, draw, len(labelled))
            yield Split(split.name, split.train, split.test, labelled, about)


def _drawn(
    view: DataView,
    evaluate: Evaluate,
    split: str,
    rows: Rows,
    amount: float,
    place: list[object],
) -> Rows:
    """Return some of the rows, as many of each class as there are to be, or one at least."""
    rng = np.random.default_rng(int(sha256(place), 16))
    chosen = []
    for code, name in enumerate(view.classes):
        own = rows[view.y[rows] == code]
        count = int(amount)
        if evaluate.label_fraction is not None:
            count = max(1, round(amount * len(own)))
        if count > len(own):
            raise ValueError(
                f"split '{split}' has {len(own)} training trials of class {name}:"
                f" labels_per_class: {count} is more"
            )
        chosen.append(rng.choice(own, count, replace=False))
    return np.sort(np.concatenate(chosen))


def _of_target(view: DataView, evaluate: Evaluate, split: Split, seed: int) -> Iterator[Split]:
    """Draw labels of the earliest trials of the person tested, as many as the largest amount.

    These train, with labels or without, whatever the amount; all that come after are tested.
    """
    counts = evaluate.labels_per_class or ()
    (most,) = calibrated(view, split, max(counts))
    most = separated(view, most, evaluate.duplicates)
    earliest = np.setdiff1d(most.train, split.train)
    for count in counts:
        for draw in range(1 if count == max(counts) else evaluate.draws):
            place = ["target", seed, split.name, count, draw]
            labelled = _drawn(view, evaluate, split.name, earliest, count, place)
            about = Labels(count, draw, len(labelled))
            yield Split(split.name, most.train, most.test, labelled, about)
