"""Weights that hide nothing."""

from __future__ import annotations

import torch
from torch import nn


def randomise(network: nn.Module) -> nn.Module:
    """Draw every weight, scale, table and statistic of a network, and return it.

    At their first values scales of 0 hide the branches they scale, and norms do nothing. What
    comes out is about as large as what goes in, so that no branch drowns the others.
    """
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
        elif value.is_floating_point():
            scale = value[0].numel() ** -0.5 if value.ndim > 1 else 0.5
            value.copy_(scale * torch.randn(value.shape, generator=generator))
            if "norm" in name and name.endswith("weight"):
                value += 1.0
    return network
