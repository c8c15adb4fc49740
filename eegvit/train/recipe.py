"""How to train a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from eegvit.preprocess.reflection import Reflection

Record = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a network.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; biases and norms do not decay.
    warmup : float
        Share of all steps in which the learning rate climbs before its cosine descent.
    label_smoothing : float
    class_weight : {"balanced"} or None
        "balanced" weights a class by the inverse of its frequency.
    clip_norm : float or None
        Largest norm of all gradients together.
    augment : tuple of str or Reflection
        Names in `eegvit.preprocess.augment.AUGMENTATIONS`, and what a mirror does.
    mixup : float
        Trials and labels are mixed in pairs, in shares drawn from a beta distribution of this
        shape [1]_; 0 mixes none.
    patience : int or None
        Stop after this many epochs without a smaller validation loss and return to the best
        epoch. None trains for all epochs and keeps the last.
    amp : bool
        bfloat16 where that is safe, on CUDA only.

    References
    ----------
    .. [1] Zhang et al., mixup: Beyond empirical risk minimization. ICLR 2018.
    """

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: float = 0.05
    label_smoothing: float = 0.0
    class_weight: str | None = None
    clip_norm: float | None = None
    augment: tuple[str | Reflection, ...] = ()
    mixup: float = 0.0
    patience: int | None = None
    amp: bool = False

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 2), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name}={value!r}: it must be {low} or more")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate!r}: it must be positive")
        for name in ("warmup", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be in [0, 1)")
        if self.mixup < 0:
            raise ValueError(f"mixup={self.mixup!r}: it must be 0 or more")
        if self.class_weight not in (None, "balanced"):
            raise ValueError(f"class_weight={self.class_weight!r}: it must be 'balanced' or None")


def of_steps(recipe: Recipe, n_trials: int, n_steps: int) -> Recipe:
    """Return a recipe with as many epochs as it takes to make a number of steps at least.

    Examples
    --------
    >>> of_steps(Recipe(epochs=2, batch_size=64), n_trials=30, n_steps=100).epochs
    100
    """
    a_pass = math.ceil(n_trials / recipe.batch_size)
    return replace(recipe, epochs=max(recipe.epochs, math.ceil(n_steps / a_pass)))


def schedule(step: int, n_steps: int, warmup: float) -> float:
    """Share of the learning rate at a step: a linear rise, then half a cosine down to 0.

    Examples
    --------
    >>> [round(schedule(step, 8, warmup=0.25), 2) for step in range(8)]
    [0.5, 1.0, 1.0, 0.93, 0.75, 0.5, 0.25, 0.07]
    """
    n_rising = int(warmup * n_steps)
    if step < n_rising:
        return (step + 1) / n_rising
    return 0.5 + 0.5 * math.cos(math.pi * (step - n_rising) / max(1, n_steps - n_rising))
