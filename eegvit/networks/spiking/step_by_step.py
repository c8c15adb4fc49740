"""Leaky integrate-and-fire neurons one step after another, in torch's own operations."""

from __future__ import annotations

import torch
from torch import Tensor

from eegvit.networks.spiking.surrogates import spike, spiked


def step_by_step(
    current: Tensor,
    leak: Tensor,
    threshold: Tensor,
    recurrent: Tensor | None,
    reset: str,
    surrogate: str,
    detach_reset: bool,
) -> tuple[Tensor, Tensor]:
    """Return spikes and membrane potentials of a current (times, n, features).

    Slow, but every transform of torch can look through it.

    Examples
    --------
    >>> current, leak, threshold = torch.ones(4, 1, 1), torch.tensor([0.5]), torch.tensor([1.2])
    >>> spikes, membrane = step_by_step(current, leak, threshold, None, "hard", "arctan", True)
    >>> spikes.flatten().tolist(), membrane.flatten().tolist()
    ([0.0, 1.0, 0.0, 1.0], [1.0, 1.5, 1.0, 1.5])
    """
    spikes: list[Tensor] = []
    membrane: list[Tensor] = []
    for given in current.unbind():
        potential = given
        if membrane:
            cleared = spikes[-1].detach() if detach_reset else spikes[-1]
            left = membrane[-1] if reset == "soft" else (1 - cleared) * membrane[-1]
            potential = leak * left + given
            if recurrent is not None:
                potential = potential + spikes[-1] @ recurrent.T
            if reset == "soft":
                potential = potential - cleared * threshold
        membrane.append(potential)
        if torch.is_grad_enabled():
            spikes.append(spike(potential - threshold, surrogate))
        else:
            spikes.append(spiked(potential, threshold))
    return torch.stack(spikes), torch.stack(membrane)
