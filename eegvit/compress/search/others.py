"""Searches that train every shape they judge: at random, and by optuna [1]_.

.. [1] Akiba et al., Optuna: A next-generation hyperparameter optimization framework. KDD 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from eegvit.compress.search.greedy import Judged
from eegvit.compress.search.ground import Ground
from eegvit.compress.search.merit import Costs
from eegvit.compress.search.space import Shape
from eegvit.registry import optional

MOST_DRAWS = 2000  # shapes in turn that cost too much
NONE_FITS = (
    "of {} shapes that were proposed in turn none costs as little as is asked for: raise `to`"
)


def at_random(
    ground: Ground, fits: Callable[[Costs], bool], seed: int = 0
) -> Iterator[Judged[Shape]]:
    """Yield shapes drawn at random, each trained and judged; those that cost too much are not.

    Parameters
    ----------
    ground : Ground
    fits : callable
        Says whether costs are within the budget.
    seed : int
    """
    rng = np.random.default_rng(seed)
    while True:
        for _ in range(MOST_DRAWS):
            shape = ground.space.random(rng)
            if fits(ground.costs(shape)):
                break
        else:
            raise ValueError(NONE_FITS.format(MOST_DRAWS))
        yield ground.trained(shape, seed)


def by_optuna(
    ground: Ground, fits: Callable[[Costs], bool], seed: int = 0
) -> Iterator[Judged[Shape]]:
    """Yield shapes that optuna proposes for accuracy and merit, each trained and judged.

    Parameters
    ----------
    ground : Ground
    fits : callable
        Says whether costs are within the budget: optuna is told as a constraint which shapes are
        beyond it, and they are not trained.
    seed : int
    """
    optuna: Any = optional("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler)
    while True:
        for _ in range(MOST_DRAWS):
            trial = study.ask()
            shape = ground.space.drawn(trial.suggest_categorical)
            within = fits(ground.costs(shape))
            trial.set_constraint("budget", 0.0 if within else 1.0)
            if within:
                break
            study.tell(trial, [0.0, 0.0])
        else:
            raise ValueError(NONE_FITS.format(MOST_DRAWS))
        found = ground.trained(shape, seed)
        study.tell(trial, [found.accuracy, found.merit])
        yield found


def front(found: Sequence[Judged[Shape]]) -> list[Judged[Shape]]:
    """Return those that no other surpasses in accuracy and in merit, the best merit first.

    Examples
    --------
    >>> found = [
    ...     Judged("a", 0.7, 120.0, {}),
    ...     Judged("b", 0.6, 110.0, {}),
    ...     Judged("c", 0.8, 90.0, {}),
    ... ]
    >>> [one.shape for one in front(found)]
    ['a', 'c']
    """
    best, kept = -1.0, []
    for one in sorted(found, key=lambda one: (-one.merit, -one.accuracy)):
        if one.accuracy > best:
            best = one.accuracy
            kept.append(one)
    return kept
