"""What a network is worth for its costs: the mobile efficiency score [1]_.

.. [1] Li et al., Rethinking vision transformers for MobileNet size and speed. ICCV 2023.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch

from eegvit.compress.budget import cost

Costs = Mapping[str, float]  # of a network, by what is counted
POWERS = MappingProxyType({"parameters": 0.5, "latency": 1.0})  # as published


def merit(costs: Costs, units: Costs, powers: Costs = POWERS) -> float:
    """Return the score of a network: 100 for one that costs the units, more for cheaper ones.

    Parameters
    ----------
    costs : mapping
    units : mapping
        What 1 is, of each cost.
    powers : mapping
        How much each cost counts.

    Examples
    --------
    >>> units = {"parameters": 1000.0, "latency": 0.002}
    >>> merit(units, units), merit({"parameters": 250.0, "latency": 0.001}, units)
    (100.0, 400.0)
    """
    return 100 * math.prod((costs[name] / units[name]) ** -power for name, power in powers.items())


def units_here(n_channels: int, n_times: int, n_classes: int) -> dict[str, float]:
    """Return what EEGNet costs on this machine, for trials of a shape.

    Examples
    --------
    >>> units = units_here(3, 250, 2)
    >>> units["parameters"], 0 < units["latency"] < 1
    (1378.0, True)
    """
    from eegvit.branches.eegnet import EEGNetClassifier

    network = EEGNetClassifier().network(n_channels, n_times, n_classes).eval()
    example = torch.zeros(1, n_channels, n_times)
    seconds = [cost(network, example, "latency") for _ in range(3)]
    return {
        "parameters": cost(network, example, "parameters"),
        "latency": float(np.min(seconds)),
    }
