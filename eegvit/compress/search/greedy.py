"""From the largest network step by step to a small one, each step the one that costs least.

As EfficientFormerV2 is searched [1]_.

.. [1] Li et al., Rethinking vision transformers for MobileNet size and speed. ICCV 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Made = TypeVar("Made", bound=Hashable)


@dataclass(frozen=True)
class Judged(Generic[Made]):
    """A network and what was found of it.

    Parameters
    ----------
    shape : Shape
    accuracy : float
        Of trials of people who were not trained on.
    merit : float
        What it is worth for its costs.
    costs : mapping
        What it costs, by what is counted.
    """

    shape: Made
    accuracy: float
    merit: float
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Step(Generic[Made]):
    """A step: what was done, what came of it, and how many others there were.

    Parameters
    ----------
    said : str
    found : Judged
    others : dict of Judged
        All steps that could have been taken, this one among them, each by what it does.
    """

    said: str
    found: Judged[Made]
    others: dict[str, Judged[Made]]


def descend(
    start: Judged[Made],
    steps: Callable[[Made], Mapping[str, Made]],
    judge: Callable[[Made], Judged[Made]],
    enough: Callable[[Judged[Made]], bool],
    on_step: Callable[[Step[Made]], Any] | None = None,
) -> list[Step[Made]]:
    """Take the steps that lose least accuracy for what they gain in merit, until it is enough.

    Parameters
    ----------
    start : Judged
        The largest network.
    steps : callable
        Returns each shape that is one step smaller, by what is done.
    judge : callable
        Judges a shape; every one that is a step away is judged at every step.
    enough : callable
        Says of a judged shape whether it meets the budget.
    on_step : callable or None
        Is told of each step.

    Examples
    --------
    >>> def judge(size):
    ...     return Judged(size, accuracy=min(size, 6) / 10, merit=10.0 - size, costs={})
    >>> path = descend(
    ...     judge(9),
    ...     lambda size: {"one off": size - 1, "two off": size - 2},
    ...     judge,
    ...     lambda found: found.shape <= 6,
    ... )
    >>> [(step.said, step.found.shape) for step in path]
    [('two off', 7), ('one off', 6)]
    """
    now, path = start, []
    while not enough(now):
        others = {said: judge(shape) for said, shape in steps(now.shape).items()}
        said = best_step(now, others)
        if said is None:
            raise ValueError(
                "no step is left that makes the network smaller or faster, and it still costs more"
                " than is asked for: raise `to`"
            )
        now = others[said]
        path.append(Step(said, now, others))
        if on_step is not None:
            on_step(path[-1])
    return path


def best_step(now: Judged[Any], others: Mapping[str, Judged[Any]]) -> str | None:
    """Return the step that loses least accuracy for each point of merit; None if none gains any.

    Where accuracy rises, that is taken for no loss: so few trials tell no more. Of those that
    lose nothing it is the one that gains most.

    Parameters
    ----------
    now : Judged
    others : mapping of Judged
        By what is done.

    Examples
    --------
    >>> now = Judged("now", 0.80, 100.0, {})
    >>> others = {
    ...     "narrow": Judged("a", 0.70, 110.0, {}),  # 1 point lost for each gained
    ...     "shallow": Judged("b", 0.72, 116.0, {}),  # half a point
    ...     "nothing": Judged("c", 0.80, 100.0, {}),
    ... }
    >>> best_step(now, others)
    'shallow'
    """
    gains = {said: one.merit - now.merit for said, one in others.items()}
    price = {
        said: (max(0.0, now.accuracy - others[said].accuracy) / gain, -gain)
        for said, gain in gains.items()
        if gain > 0
    }
    return min(price, key=lambda said: price[said], default=None)
