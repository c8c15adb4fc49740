"""Batch norms folded into the layers before them, for inference."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.choice import traced


class OncePerSize:
    """What follows from weights and sizes alone: made once, and again where sizes change.

    Parameters
    ----------
    make : callable
        Makes a tensor of some sizes.

    Examples
    --------
    >>> zeros = OncePerSize(torch.zeros)
    >>> x = torch.ones(1)
    >>> zeros(x, 2) is zeros(x, 2), zeros(x, 3).shape
    (True, torch.Size([3]))
    """

    def __init__(self, make: Callable[..., Tensor]) -> None:
        self.make = make
        self.known: tuple[object, Tensor] | None = None

    def __call__(self, like: Tensor, *sizes: Any) -> Tensor:
        """Return what was made of these sizes, of a tensor's kind and in its place."""
        if traced(like):
            return self.make(*sizes).to(like)
        known, at = self.known, (sizes, like.dtype, like.device)
        if known is None or known[0] != at:
            with torch.inference_mode(False), torch.no_grad():
                known = self.known = at, self.make(*sizes).to(like)
        return known[1]


def fold(network: nn.Module) -> nn.Module:
    """Return a copy for inference in which every module with a `folded` method is what that gives.

    Examples
    --------
    >>> from eegvit.networks.efficientvit.blocks import ConvNorm
    >>> network = nn.Sequential(ConvNorm(3, 8, 3), nn.ReLU()).eval()
    >>> x = torch.randn(2, 3, 5, 7)
    >>> torch.allclose(fold(network)(x), network(x), atol=1e-6)
    True
    """
    return folded(copy.deepcopy(network).eval())


def folded(network: nn.Module) -> nn.Module:
    """Return what a network for inference is when folded; it may be changed itself.

    Examples
    --------
    >>> folded(nn.ReLU())
    ReLU()
    """
    own = getattr(network, "folded", None)
    return within(network) if own is None else own()


def within(network: Any) -> Any:
    """Fold what a network for inference is made of, in place, and return it.

    Examples
    --------
    >>> from eegvit.networks.efficientvit.blocks import ConvNorm
    >>> type(within(nn.Sequential(ConvNorm(3, 8)).eval())[0]).__name__
    'Conv2d'
    """
    for name, child in network.named_children():
        setattr(network, name, folded(child))
    return network
