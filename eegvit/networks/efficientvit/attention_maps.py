"""Where a network looks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def attention_maps(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return how much attention each place of a map receives, for each attention of a network.

    Parameters
    ----------
    network : nn.Module
        Evaluated as at inference; left as it was.
    x : Tensor, shape (n, channels, times)

    Returns
    -------
    maps : dict of Tensor, shape (n, heads, rows, columns)
        By the name of the attention in the network: what a place receives from one query, in
        the mean over all queries that may look there.

    Examples
    --------
    >>> from eegvit.networks.efficientvit.model import EfficientViT
    >>> network = EfficientViT(22, 1000, 4, sfreq=250.0)
    >>> maps = attention_maps(network, torch.randn(2, 22, 1000))
    >>> len(maps) > 1, {x.ndim for x in maps.values()}
    (True, {4})
    """
    attentions: dict[str, Any] = {
        name: module for name, module in network.named_modules() if hasattr(module, "record")
    }
    training = [module for module in network.modules() if module.training]
    recording = [module for module in attentions.values() if module.record]
    try:
        for module in attentions.values():
            module.record = True
        with torch.no_grad():
            network.eval()(x)
        return {name: module.recorded for name, module in attentions.items()}
    finally:
        for module in attentions.values():
            module.record = module in recording
            vars(module).pop("recorded", None)
        for module in training:
            module.training = True
