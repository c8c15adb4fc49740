"""A layer of leaky integrate-and-fire neurons."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from eegvit.networks.choice import traced
from eegvit.networks.spiking.step_by_step import step_by_step
from eegvit.networks.spiking.surrogates import SURROGATES
from eegvit.networks.spiking.through_time import ThroughTime

Reset = Literal["soft", "hard"]
Slope = Literal["arctan", "fast_sigmoid", "triangular"]


class LIF(nn.Module):
    """Neurons that integrate a current, leak, and spike and reset above a threshold.

    Each has a time constant and a threshold of its own, both learned as logarithms. With
    ``leak = exp(-1 / (sfreq * time_constant))`` the potential at time t is::

        soft reset: u[t] = leak * u[t-1] + current[t] - threshold * s[t-1]
        hard reset: u[t] = leak * (1 - s[t-1]) * u[t-1] + current[t]
        s[t] = 1 if u[t] > threshold else 0

    Parameters
    ----------
    n_features : int
    sfreq : float
        Sampling rate in Hz: a sample is a step of the neurons.
    time_constants : (float, float)
        Seconds; the neurons' first values are spread from one to the other.
    threshold : float
        First value of all.
    reset : {"soft", "hard"}
        Subtract the threshold after a spike, or start again from zero.
    surrogate : {"arctan", "fast_sigmoid", "triangular"}
        The slope that stands in for the derivative of a spike. The fast sigmoid's is narrow:
        with the others, gradients through recurrent weights may grow too large.
    detach_reset : bool
        Whether the gradient leaves out the way through the reset. This is what snntorch does,
        and surrogate gradients are more robust so [1]_.
    recurrent : bool
        Whether the spikes come back as currents of all neurons one step later, by weights that
        start at zero.

    References
    ----------
    .. [1] Zenke and Vogels, The remarkable robustness of surrogate gradient learning for
       instilling complex function in spiking neural networks. Neural Computation 33(4), 2021.

    Examples
    --------
    >>> layer = LIF(5, sfreq=250.0, time_constants=(0.01, 0.1))
    >>> [round(seconds, 3) for seconds in layer.time_constant.tolist()]
    [0.01, 0.018, 0.032, 0.056, 0.1]
    >>> spikes, membrane = layer(torch.ones(1000, 8, 5))
    >>> spikes.shape, membrane.shape
    (torch.Size([1000, 8, 5]), torch.Size([1000, 8, 5]))
    """

    recurrent: nn.Parameter | None

    def __init__(
        self,
        n_features: int,
        *,
        sfreq: float,
        time_constants: tuple[float, float] = (0.01, 0.1),
        threshold: float = 1.0,
        reset: Reset = "soft",
        surrogate: Slope = "fast_sigmoid",
        detach_reset: bool = True,
        recurrent: bool = False,
    ) -> None:
        super().__init__()
        if reset not in get_args(Reset):
            raise ValueError(f"reset={reset!r}: it is one of {', '.join(get_args(Reset))}")
        if surrogate not in SURROGATES:
            raise ValueError(f"surrogate={surrogate!r}: it is one of {', '.join(SURROGATES)}")
        if min(time_constants) <= 0 or threshold <= 0 or sfreq <= 0:
            raise ValueError(
                f"time_constants={time_constants}, threshold={threshold} and sfreq={sfreq}"
                " must be above zero"
            )
        self.sfreq, self.reset = sfreq, reset
        self.surrogate, self.detach_reset = surrogate, detach_reset
        first, last = map(math.log, time_constants)
        self.log_time_constant = nn.Parameter(torch.linspace(first, last, n_features))
        self.log_threshold = nn.Parameter(torch.full((n_features,), math.log(threshold)))
        weights = nn.Parameter(torch.zeros(n_features, n_features)) if recurrent else None
        self.register_parameter("recurrent", weights)

    @property
    def time_constant(self) -> Tensor:
        """Seconds in which a potential falls to 1/e, for each feature."""
        return self.log_time_constant.exp()

    @property
    def leak(self) -> Tensor:
        """Share of a potential that is left one sample later, for each feature."""
        return torch.exp(-1 / (self.sfreq * self.time_constant))

    @property
    def threshold(self) -> Tensor:
        """Potential above which each feature spikes."""
        return self.log_threshold.exp()

    def forward(self, current: Tensor) -> tuple[Tensor, Tensor]:
        """Map a current (times, n, features) to spikes and membrane potentials of that shape."""
        return integrate_and_fire(
            current,
            self.leak,
            self.threshold,
            self.recurrent,
            reset=self.reset,
            surrogate=self.surrogate,
            detach_reset=self.detach_reset,
        )


def integrate_and_fire(
    current: Tensor,
    leak: Tensor,
    threshold: Tensor,
    recurrent: Tensor | None = None,
    *,
    reset: Reset = "soft",
    surrogate: Slope = "fast_sigmoid",
    detach_reset: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return spikes and membrane potentials of neurons as `LIF` describes them.

    Parameters
    ----------
    current : Tensor, shape (times, n, features)
    leak, threshold : Tensor, shape (features,)
    recurrent : Tensor, shape (features to, features from), or None
    reset, surrogate, detach_reset
        As for `LIF`.

    Examples
    --------
    >>> leak, threshold = torch.tensor([0.5]), torch.tensor([1.2])
    >>> spikes, membrane = integrate_and_fire(torch.ones(4, 1, 1), leak, threshold)
    >>> [round(float(u), 4) for u in membrane.flatten()]
    [1.0, 1.5, 0.55, 1.275]
    """
    if traced(current) or traced(leak):
        return step_by_step(current, leak, threshold, recurrent, reset, surrogate, detach_reset)
    current = current.to(leak.dtype).contiguous()
    rows = current.shape[1:]
    spikes, membrane = ThroughTime.apply(
        current,
        leak.expand(rows).contiguous(),
        threshold.expand(rows).contiguous(),
        recurrent,
        reset,
        surrogate,
        detach_reset,
    )
    return spikes, membrane
