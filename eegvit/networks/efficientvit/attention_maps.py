"""Where a network looks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.twin import TwinEfficientViT


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
    >>> len(maps) > 0, {x.ndim for x in maps.values()}
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


def electrode_attention(network: EfficientViT | TwinEfficientViT, x: Tensor) -> Tensor:
    """Return how much attention each electrode receives over time.

    The mean over the heads of the first stage that has attention, whose map is the finest. A
    row of the map goes back to the electrodes it was made of.

    Parameters
    ----------
    network : EfficientViT or TwinEfficientViT
        Of a layout in which electrodes have places, "scalp" or "grid", or a twin: of its stream
        that has one.
    x : Tensor, shape (n, channels, times)

    Returns
    -------
    Tensor, shape (n, channels, columns)

    Examples
    --------
    >>> network = EfficientViT(3, 1000, 4, sfreq=250.0, ch_names=("C3", "Cz", "C4"))
    >>> electrode_attention(network, torch.randn(2, 3, 1000)).shape
    torch.Size([2, 3, 16])
    """
    streams = getattr(network, "streams", [network])
    placed = [each for each in streams if isinstance(each.layout, ElectrodeMap | ScalpMap)]
    if not placed:
        raise ValueError(
            "this layout mixes all electrodes before there is a map: take 'both', 'scalp' or"
            " 'grid' to see where on the scalp attention goes"
        )
    layout = placed[0].layout
    maps = list(attention_maps(placed[0], x).values())
    finest = max(one.shape[2] * one.shape[3] for one in maps)
    same = [one.mean(1) for one in maps if one.shape[2] * one.shape[3] == finest]
    received = torch.stack(same).mean(0)  # (n, rows, columns)
    share = layout.shares()
    row = torch.arange(share.shape[1], device=x.device) * received.shape[1] // share.shape[1]
    return torch.einsum("cr,nrt->nct", share, received[:, row])
