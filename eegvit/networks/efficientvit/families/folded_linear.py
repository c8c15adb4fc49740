"""Linear attention at inference."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.depthwise import Dense

EPS = 1e-5  # all-zero keys or queries give 0, not NaN; exporters drop much smaller values


class FoldedLinearAttention(nn.Module):
    """What a `LinearAttention` of even widths and few planes does at inference.

    Queries, keys and values of both scales, and the ones beside the values, are one convolution.

    Parameters
    ----------
    qkv : Tensor, shape (3 * heads * dim, planes)
        Of the first scale: queries, keys and values of one head, then of the next.
    near : Tensor, shape (3 * heads * dim, 1, rows, columns)
        The neighbourhood that those of the second scale are sums over.
    mix : Tensor, shape (3 * heads * dim, dim)
        What they are mixed by, within queries, keys or values of a head.
    project : nn.Module

    Examples
    --------
    >>> qkv, near, mix = torch.randn(24, 8), torch.randn(24, 1, 3, 5), torch.randn(24, 4)
    >>> FoldedLinearAttention(qkv, near, mix, nn.Identity())(torch.randn(2, 8, 1, 9)).shape
    torch.Size([2, 16, 1, 9])
    """

    def __init__(self, qkv: Tensor, near: Tensor, mix: Tensor, project: nn.Module) -> None:
        super().__init__()
        self.project, self.dim = project, mix.shape[1]
        sums = (qkv[:, :, None, None] * near).unflatten(0, (-1, self.dim)).flatten(2)
        mixed = (mix.unflatten(0, (-1, self.dim)) @ sums).view(len(qkv), -1, *near.shape[2:])
        up, left = (size // 2 for size in near.shape[2:])
        single = F.pad(qkv[:, :, None, None], (left, left, up, up))
        each = torch.cat([single, mixed]).unflatten(0, (-1, 3, self.dim))
        q, k, v = each.unbind(1)  # (heads of both scales, dim, planes, rows, columns)
        v = F.pad(v, (0, 0, 0, 0, 0, 0, 0, 1))
        ones = F.pad(v.new_zeros(v.shape[0], self.dim), (0, 1), value=1.0)
        n_before = 2 * len(q) * self.dim
        weight = torch.cat([part.flatten(0, 1) for part in (q, k, v)])
        self.qkv = Dense(weight, torch.cat([ones.new_zeros(n_before), ones.flatten()]))
        self.sizes = [n_before, len(weight) - n_before]

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        rows, columns = x.shape[2:]
        qk, v = self.qkv(x).flatten(2).split(self.sizes, 1)
        with full_precision(x.device.type):
            dtype = torch.promote_types(x.dtype, torch.float32)
            q, k = qk.to(dtype).relu().unflatten(1, (-1, self.dim)).chunk(2, 1)
            out = (v.to(dtype).unflatten(1, (-1, self.dim + 1)) @ k.mT) @ q
            out = (out[:, :, :-1] / (out[:, :, -1:] + EPS)).to(x.dtype)
        return self.project(out.flatten(1, 2).unflatten(2, (rows, columns)))


def full_precision(device: str) -> AbstractContextManager[object]:
    """Return a context in which nothing is computed in half precision unasked."""
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
