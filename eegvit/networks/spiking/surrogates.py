"""Spikes, which are 0 or 1, and the slopes that stand in for their derivative in training.

The derivative of a step is zero nearly everywhere. In the backward pass it is replaced by a
slope around the threshold [1]_.

.. [1] Neftci et al., Surrogate gradient learning in spiking neural networks. IEEE Signal
   Processing Magazine 36(6), 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Surrogate(NamedTuple):
    """A smooth step and its derivative, of the distance from the threshold."""

    smooth: Callable[[Tensor], Tensor]
    slope_: Callable[[Tensor], Tensor]  # overwrites its argument


def arctan(distance: Tensor) -> Tensor:
    """Return a smooth step with the slope 1 / (1 + (pi x)^2).

    Examples
    --------
    >>> arctan(torch.tensor([-1e6, 0.0, 1e6]))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    return (math.pi * distance).atan() / math.pi


def arctan_slope_(distance: Tensor) -> Tensor:
    """Return the slope of `arctan`, in place."""
    return distance.mul_(math.pi).square_().add_(1).reciprocal_()


def fast_sigmoid(distance: Tensor, steepness: float = 25.0) -> Tensor:
    """Return a smooth step with the slope 1 / (1 + 25 |x|)^2.

    Examples
    --------
    >>> fast_sigmoid(torch.tensor([-1e6, 0.0, 1e6]))
    tensor([-0.0400,  0.0000,  0.0400])
    """
    return distance / (1 + steepness * distance.abs())


def fast_sigmoid_slope_(distance: Tensor, steepness: float = 25.0) -> Tensor:
    """Return the slope of `fast_sigmoid`, in place."""
    return distance.abs_().mul_(steepness).add_(1).square_().reciprocal_()


def triangular(distance: Tensor) -> Tensor:
    """Return a smooth step with the slope max(0, 1 - |x|).

    Examples
    --------
    >>> triangular(torch.tensor([-2.0, 0.0, 0.5, 1.0]))
    tensor([-0.5000,  0.0000,  0.3750,  0.5000])
    """
    near = distance.clamp(-1, 1)
    return near - near * near.abs() / 2


def triangular_slope_(distance: Tensor) -> Tensor:
    """Return the slope of `triangular`, in place."""
    return distance.abs_().neg_().add_(1).clamp_min_(0)


SURROGATES: dict[str, Surrogate] = {
    "arctan": Surrogate(arctan, arctan_slope_),
    "fast_sigmoid": Surrogate(fast_sigmoid, fast_sigmoid_slope_),
    "triangular": Surrogate(triangular, triangular_slope_),
}


def spike(distance: Tensor, surrogate: str) -> Tensor:
    """Return 1 where a potential is above its threshold and 0 elsewhere, with a slope.

    Made of torch's own operations: every transform of torch knows how to treat it.

    Examples
    --------
    >>> distance = torch.tensor([-0.5, 0.5], requires_grad=True)
    >>> fired = spike(distance, "triangular")
    >>> fired.sum().backward()
    >>> fired.tolist(), distance.grad.tolist()
    ([0.0, 1.0], [0.5, 0.5])
    """
    smooth = SURROGATES[surrogate].smooth(distance)
    return (distance > 0).to(distance.dtype) + (smooth - smooth.detach())


def spiked(potential: Tensor, threshold: Tensor) -> Tensor:
    """Return 1 where a potential is above the threshold and 0 elsewhere, without a slope.

    Examples
    --------
    >>> spiked(torch.tensor([0.9, 1.0, 1.1]), torch.tensor(1.0)).tolist()
    [0.0, 0.0, 1.0]
    """
    return torch.gt(potential, threshold).to(potential.dtype)
