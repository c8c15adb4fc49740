"""The search of a shape: a supernet and greedy steps, or what that is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from numpy.typing import ArrayLike

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.compress.search.greedy import Judged, Step, descend
from eegvit.compress.search.ground import Ground
from eegvit.compress.search.merit import Costs
from eegvit.compress.search.others import at_random, by_optuna
from eegvit.compress.search.space import Shape
from eegvit.compress.search.supernet import SandwichRun, Supernet, calibration_trials
from eegvit.compress.settings import Of
from eegvit.networks.device import seeded
from eegvit.preprocess.signals import EEG
from eegvit.registry import absence, installed
from eegvit.train.batches import Batches
from eegvit.train.loop import carry_out

By = Literal["greedy", "random", "optuna"]
OnProgress = Callable[[str, float], None]  # told what is done, and the share of it that is
OTHERS = {"random": at_random, "optuna": by_optuna}


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    preset : dict
        For `EfficientViTClassifier(preset=...)`.
    largest, best : Judged
        The shape that it began with, and the one that it chose. By greedy steps their accuracy
        is that of shared weights, which only compares; a network trained by itself has another.
    judged : list of Judged
        All shapes that were judged.
    path : list of Step
        The steps from the largest to the best one, by greedy steps.
    seconds : float
        Of the processor, for everything.
    """

    preset: dict[str, Any]
    largest: Judged[Shape]
    best: Judged[Shape]
    judged: list[Judged[Shape]]
    path: list[Step[Shape]]
    seconds: float


def search_shape(
    model: EfficientViTClassifier,
    X: EEG,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    to: float = 0.5,
    of: Of = "macs",
    by: By = "greedy",
    trainings: int = 20,
    share: float = 0.25,
    seed: int = 0,
    checkpoint: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Found:
    """Return a smaller and faster shape of an EfficientViT that decodes other people best.

    Parameters
    ----------
    model : EfficientViTClassifier
        Of the cascaded family and one network: the largest shape. It is trained as this says.
    X : array or mne.Epochs
        Trials (n, channels, times) of people who train; whoever is tested later is not among them.
    y : array of labels
    groups : array
        The person of each trial; some are held out, and every shape is judged by them.
    to : float
        What the shape may cost, as a share of what the largest costs.
    of : {"macs", "parameters", "latency"}
        Which cost.
    by : {"greedy", "random", "optuna"}
        Steps from the largest shape, judged with the weights of one network; or shapes that are
        each trained.
    trainings : int
        How many shapes are trained, but for "greedy".
    share : float
        Of the people, to judge by.
    seed : int
    checkpoint : Path or None
        File to save the training of the one network to now and then, and to continue it from.
    on_progress : callable or None
        Told what is done, and the share of it that is.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((48, 3, 64)), np.tile(["left", "right"], 24)
    >>> X[y == "left", 0] *= 3
    >>> model = EfficientViTClassifier(layout="scalp", sfreq=128.0, epochs=3, batch_size=16)
    >>> found = search_shape(model, X, y, groups=np.repeat([1, 2, 3], 16), to=0.9)
    >>> found.best.costs["macs"] <= 0.9 * found.largest.costs["macs"]
    True
    >>> EfficientViTClassifier(preset=found.preset, layout="scalp", sfreq=128.0).fit(X, y).classes_
    array(['left', 'right'], dtype='<U5')
    """
    _refuse(to, of, by, trainings)
    began, told = time.process_time(), on_progress or (lambda what, share: None)
    ground = Ground.of(model, X, y, groups, share=share, seed=seed)
    largest = ground.costs(ground.space.largest)[of]

    def fits(costs: Costs) -> bool:
        return costs[of] <= to * largest

    least = ground.costs(ground.space.smallest)[of] / largest
    if least > to:
        raise ValueError(
            f"to={to!r}: the smallest shape still has {least:.0%} of the {of}: most of them are in"
            " front of the stages, or the model is small already"
        )
    path: list[Step[Shape]] = []
    if by == "greedy":
        supernet = trained_supernet(ground, seed, checkpoint, told)
        start, judged, path = _greedy(ground, supernet, fits, told, largest, to, of)
        best = path[-1].found if path else start
    else:
        start, judged = ground.trained(ground.space.largest, seed), []
        for found in islice(OTHERS[by](ground, fits, seed), trainings):
            judged.append(found)
            told("shapes trained", len(judged) / trainings)
        best = max(judged, key=lambda found: (found.accuracy, found.merit))
    seconds = time.process_time() - began
    return Found(ground.preset(best.shape), start, best, judged, path, seconds)


def trained_supernet(
    ground: Ground, seed: int, checkpoint: Path | None, told: OnProgress
) -> Supernet:
    """Return a supernet, trained on the people who are not held out."""
    recipe = replace(ground.model.recipe(len(ground.rows)), patience=None)
    with seeded(seed, ground.device):
        supernet = Supernet(ground.space, ground.build).to(ground.device)
        batches = Batches(ground.X, ground.codes, recipe, ground.device)
        run = SandwichRun(supernet, recipe, batches, ground.rows, None, seed)
        carry_out(
            run,
            checkpoint=checkpoint,
            on_epoch=lambda epoch, _: told("one network trained", epoch / recipe.epochs),
        )
    return supernet.eval()


def _greedy(
    ground: Ground,
    supernet: Supernet,
    fits: Callable[[Costs], bool],
    told: OnProgress,
    largest: float,
    to: float,
    of: Of,
) -> tuple[Judged[Shape], list[Judged[Shape]], list[Step[Shape]]]:
    recipe = ground.model.recipe(len(ground.rows))
    batches = Batches(ground.X, ground.codes, recipe, ground.device)
    trials = calibration_trials(batches, ground.rows)
    known: dict[Shape, Judged[Shape]] = {}

    def judge(shape: Shape) -> Judged[Shape]:
        if shape not in known:
            network = supernet.extracted(shape, trials)
            known[shape] = ground.judged(shape, network)
        return known[shape]

    def on_step(step: Step[Shape]) -> None:
        done = (1 - step.found.costs[of] / largest) / (1 - to)
        told("of the way to the budget", min(1.0, done))

    start = judge(ground.space.largest)
    path = descend(start, ground.space.steps, judge, lambda found: fits(found.costs), on_step)
    return start, list(known.values()), path


def _refuse(to: float, of: str, by: str, trainings: int) -> None:
    for name, value, known in (("of", of, get_args(Of)), ("by", by, get_args(By))):
        if value not in known:
            raise ValueError(f"{name}={value!r}: it is one of {', '.join(known)}")
    if by == "optuna" and not installed("optuna"):
        raise ValueError(f"by='optuna': {absence('optuna')}")
    if not 0 < to < 1:
        raise ValueError(f"to={to!r}: it is a share of what the largest costs, above 0 and below 1")
    if trainings < 1:
        raise ValueError(f"trainings={trainings!r}: it must be 1 or more")
