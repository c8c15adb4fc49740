"""Batch norm, ELU and average pooling in one step."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from eegvit.networks.choice import traced

IN_CACHE = 2**17  # numbers


class NormEluPool(nn.BatchNorm1d):
    """Batch norm, exponential linear unit, then means of consecutive samples.

    One function with its own gradient instead of three: fewer passes over the signals, and
    on a CPU an exponential that is computed several at a time.

    Parameters
    ----------
    n_features : int
    pool : int
        Samples averaged into one; a rest at the end is in the batch statistics only.
    momentum, eps : float
        Of the batch norm.

    Examples
    --------
    >>> NormEluPool(16, pool=4)(torch.randn(8, 16, 101)).shape
    torch.Size([8, 16, 25])
    """

    def __init__(
        self, n_features: int, pool: int, *, momentum: float = 0.01, eps: float = 1e-3
    ) -> None:
        super().__init__(n_features, momentum=momentum, eps=eps)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, features, times) to (n, features, times // pool)."""
        if traced(x):
            return F.avg_pool1d(F.elu(super().forward(x)), self.pool)
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        if not self.training:
            fixed = self.running_mean, self.running_var
            return _NormEluPool.apply(x, self.weight, self.bias, self.pool, self.eps, fixed)[0]
        pooled, mean, variance = _NormEluPool.apply(
            x, self.weight, self.bias, self.pool, self.eps, None
        )
        count = len(x) * x.shape[-1]
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return pooled


class _NormEluPool(torch.autograd.Function):
    """Inside, features come first: (features, n, times)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        pool: int,
        eps: float,
        fixed: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = x.transpose(0, 1)
        n_features, n, n_times = x.shape
        n_used = n_times // pool * pool
        mean, variance = (x.new_empty(n_features) for _ in range(2)) if fixed is None else fixed
        centred, slope = x.new_empty(x.shape), x.new_empty(n_features, n, n_used)
        pooled = x.new_empty(n_features, n, n_used // pool)
        scale = torch.empty_like(mean)
        for few in chunks(x):
            if fixed is None:
                mean[few] = x[few].mean((1, 2))
            torch.sub(x[few], mean[few, None, None], out=centred[few])
            if fixed is None:
                variance[few] = centred[few].square().mean((1, 2))
            scale[few] = (variance[few] + eps).rsqrt()
            gain = (weight[few] * scale[few])[:, None, None]
            normed = torch.addcmul(bias[few, None, None], centred[few, :, :n_used], gain)
            # ELU is max(x, 0) + slope - 1
            torch.clamp_max(normed, 0, out=slope[few]).exp_()
            raised = normed.clamp_min_(0).add_(slope[few])
            pooled[few] = raised[..., ::pool]
            for step in range(1, pool):
                pooled[few] += raised[..., step::pool]
        ctx.save_for_backward(centred, slope, scale, weight)
        ctx.pool, ctx.fixed = pool, fixed is not None
        ctx.mark_non_differentiable(mean, variance)
        return pooled.div_(pool).sub_(1).transpose(0, 1), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        centred, slope, scale, weight = ctx.saved_tensors
        grad = grad.transpose(0, 1) / ctx.pool
        n_used = slope.shape[-1]
        grad_weight, grad_bias = torch.empty_like(weight), torch.empty_like(weight)
        grad_x = torch.zeros_like(centred) if ctx.fixed else torch.empty_like(centred)
        for few in chunks(centred):
            spread = grad[few, :, :, None].expand(-1, -1, -1, ctx.pool)
            grad_normed = spread.flatten(2).mul_(slope[few])  # (features, n, times used)
            grad_bias[few] = grad_normed.sum((1, 2))
            grad_scaled = (grad_normed * centred[few, :, :n_used]).sum((1, 2))
            grad_weight[few] = grad_scaled * scale[few]
            gain = weight[few] * scale[few]
            if not ctx.fixed:  # the batch's mean and variance depend on x as well
                count = centred[0].numel()
                level = (-gain * grad_bias[few] / count)[:, None, None]
                slant = (-gain * scale[few] * grad_weight[few] / count)[:, None, None]
                torch.addcmul(level, centred[few], slant, out=grad_x[few])
            grad_x[few, :, :n_used].addcmul_(grad_normed, gain[:, None, None])
        return grad_x.transpose(0, 1), grad_weight, grad_bias, None, None, None


def elu_pool(x: Tensor, pool: int) -> Tensor:
    """Return means of consecutive samples behind an exponential linear unit.

    Examples
    --------
    >>> elu_pool(torch.tensor([[[1.0, 3.0, -99.0, -99.0]]]), 2).flatten().tolist()
    [2.0, -1.0]
    """
    return F.avg_pool1d(F.elu(x), pool)


def chunks(x: Tensor) -> list[slice]:
    """Divide rows so that what a few of them hold stays in the processor's cache.

    Examples
    --------
    >>> chunks(torch.empty(3, 2**16))
    [slice(0, 2, None), slice(2, 4, None)]
    """
    size = max(1, IN_CACHE // max(1, x[0].numel()))
    return [slice(start, start + size) for start in range(0, len(x), size)]
