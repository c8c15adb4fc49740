"""A bias among positive definite matrices, learned without labels by information maximisation [1]_.

.. [1] Li et al., SPDIM: Source-free unsupervised conditional and label shift adaptation in EEG.
   ICLR 2025.
"""

from __future__ import annotations

import torch
from torch import Tensor

from eegvit.networks.spd.eigenvalues import log
from eegvit.networks.spd.network import SPDNet, upper
from eegvit.networks.spd.person_norm import moved, seen_from
from eegvit.train.information import information_loss

STEPS = 50
LEARNING_RATE = 0.01  # of Adam
TEMPERATURE = 2.0  # logits are divided by it


def biased(network: SPDNet, C: Tensor, mean: Tensor, spread: float) -> Tensor:
    """Return the mean that trials of a recording are better seen from than from their own.

    Steps lead from their own mean to where the network doubts each trial less, and all of them
    together more. Where one class is rarer than in training, the own mean lies among the other
    class, and the network would halve that one.

    Parameters
    ----------
    network : SPDNet
        Trained; nothing of it changes.
    C : Tensor, shape (n, size, size)
        Covariances of the recording's trials, as its norm sees them.
    mean : Tensor, shape (size, size)
        Their geometric mean.
    spread : float
        Their spread around it.

    Examples
    --------
    >>> network, C = SPDNet(3, 100, 2, n_mixed=2), torch.eye(2).double().repeat(4, 1, 1)
    >>> biased(network, C, torch.eye(2).double(), 1.0).shape
    torch.Size([2, 2])
    """
    network.eval().requires_grad_(False)
    step = torch.zeros_like(mean, requires_grad=True)
    optimizer = torch.optim.Adam([step], lr=LEARNING_RATE)
    least, best = torch.inf, mean
    with torch.enable_grad():
        for number in range(STEPS + 1):
            there = moved(mean, (step + step.mT) / 2)
            loss = information_loss((logits(network, C, there, spread) / TEMPERATURE).softmax(1))
            if loss.item() < least:
                least, best = loss.item(), there.detach()
            if number < STEPS:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    network.requires_grad_(True)
    return best


def logits(network: SPDNet, C: Tensor, mean: Tensor, spread: float) -> Tensor:
    """Return the logits of covariances that are seen from a mean."""
    logs = network.norm.scaled(log(seen_from(C, mean)), torch.tensor(spread))
    return network.forward_head([upper(logs).to(network.head.weight.dtype)[..., None]])
