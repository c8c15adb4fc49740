"""Batch norms folded into the layers before them, for inference."""

from __future__ import annotations

import copy

from torch import nn


def fold(network: nn.Module) -> nn.Module:
    """Return a copy for inference in which every module with a `folded` method is what that gives.

    Examples
    --------
    >>> import torch
    >>> from eegvit.networks.efficientvit.blocks import ConvNorm
    >>> network = nn.Sequential(ConvNorm(3, 8, 3), nn.ReLU()).eval()
    >>> x = torch.randn(2, 3, 5, 7)
    >>> torch.allclose(fold(network)(x), network(x), atol=1e-6)
    True
    """
    return _folded(copy.deepcopy(network).eval())


def _folded(network: nn.Module) -> nn.Module:
    folded = getattr(network, "folded", None)
    if folded is not None:
        return folded()
    for name, child in network.named_children():
        setattr(network, name, _folded(child))
    return network
