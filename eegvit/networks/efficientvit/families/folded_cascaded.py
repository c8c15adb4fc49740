"""Cascaded group attention at inference."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.families.windows import Windows
from eegvit.networks.fold import OncePerSize


class FoldedCascadedAttention(nn.Module):
    """What a `CascadedAttention` does at inference: in few operations where a window is the map.

    Parameters
    ----------
    attention : CascadedAttention
        Its norms are folded.

    Examples
    --------
    >>> from eegvit.networks.efficientvit.families.cascaded_attention import CascadedAttention
    >>> attention = CascadedAttention(16, 2, kernels=(3, 3), window=(4, 9)).eval()
    >>> x = torch.randn(2, 16, 4, 9)
    >>> torch.allclose(FoldedCascadedAttention(attention)(x), attention(x), atol=1e-6)
    True
    """

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention
        self.bias = OncePerSize(attention.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        own, (rows, columns) = self.attention, x.shape[2:]
        if not Windows.cut((rows, columns), own.window).whole:
            return own(x)
        bias, groups = self.bias(x, rows, columns), x.chunk(own.n_groups, 1)
        outputs: list[Tensor] = []
        for i, number in enumerate(own.groups):
            group, key, value = groups[number], own.key_dims[i], own.value_dims[i]
            if own.cascade and i and own.groups[i - 1] == number - 1:
                group = group + own.spread[i - 1](outputs[-1])
            q, k, v = own.qkv[i](group).split([key, key, value], 1)
            q = own.query[i](q).flatten(2).mT  # (n, positions, key)
            weights = torch.baddbmm(bias[i], q, k.flatten(2), alpha=key**-0.5).softmax(-1)
            outputs.append((v.flatten(2) @ weights.mT).unflatten(2, (rows, columns)))
        return own.project(torch.cat(outputs, 1))
