"""Leaky integrate-and-fire neurons through time, with a gradient of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from eegvit.networks.spiking.surrogates import SURROGATES

IN_CACHE = 2**16  # numbers


class ThroughTime(torch.autograd.Function):
    """Spikes and membrane potentials of a current (times, n, features).

    Leak and threshold are (n, features), recurrent weights (features to, features from). The
    gradient at one time is a multiple of that at the next, plus what came in there: what this
    takes is computed for several times at once, so that a step back is one operation.
    """

    @staticmethod
    def forward(
        current: Tensor,
        leak: Tensor,
        threshold: Tensor,
        recurrent: Tensor | None,
        reset: str,
        surrogate: str,
        detach_reset: bool,
    ) -> tuple[Tensor, Tensor]:
        spikes, membrane = torch.empty_like(current), torch.empty_like(current)
        subtracted, kept = -threshold, torch.empty_like(leak)
        membrane[0] = current[0]
        torch.gt(membrane[0], threshold, out=spikes[0])
        inputs, fired, potentials = current.unbind(), spikes.unbind(), membrane.unbind()
        for now in range(1, len(inputs)):
            potential, before = potentials[now], fired[now - 1]
            if reset == "soft":
                torch.mul(potentials[now - 1], leak, out=kept)
            else:
                torch.le(potentials[now - 1], threshold, out=kept)
                kept.mul_(potentials[now - 1]).mul_(leak)
            torch.add(kept, inputs[now], out=potential)
            if recurrent is not None:
                potential.add_(torch.mm(before, recurrent.T, out=kept))
            if reset == "soft":
                potential.addcmul_(before, subtracted)
            torch.gt(potential, threshold, out=fired[now])
        return spikes, membrane

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _, leak, threshold, recurrent, *ctx.settings = inputs
        ctx.save_for_backward(leak, threshold, recurrent, *output)
        ctx.set_materialize_grads(False)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes: Tensor | None, grad_membrane: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        leak, threshold, recurrent, spikes, membrane = ctx.saved_tensors
        reset, surrogate, detach_reset = ctx.settings
        n_times = len(spikes)
        # of the current, and zero after the end
        grad = membrane.new_empty(n_times + 1, *leak.shape)
        grad[n_times] = 0
        grad_leak, grad_threshold = torch.zeros_like(leak), torch.zeros_like(leak)
        fed_back = torch.zeros_like(spikes) if recurrent is not None else None
        size = max(1, IN_CACHE // leak.numel())
        for stop in range(n_times, 0, -size):
            times = slice(max(0, stop - size), stop)
            fired, potentials = spikes[times], membrane[times]
            own, after = grad[times], grad[times.start + 1 : stop + 1]
            slope = SURROGATES[surrogate].slope_(potentials - threshold)
            if grad_spikes is None:
                own.zero_()
            else:
                torch.mul(slope, grad_spikes[times], out=own)
                grad_threshold -= own.sum(0)
            if grad_membrane is not None:
                own += grad_membrane[times]
            left, factor, through_reset = potentials, leak.expand_as(own), None
            if reset == "hard":
                kept = 1 - fired
                left, factor = kept * potentials, kept * leak
            if not detach_reset:
                reset_from = threshold if reset == "soft" else leak * potentials
                through_reset = slope * reset_from
                factor = factor - through_reset
            weights, rows, following = factor.unbind(), own.unbind(), after.unbind()
            for now in range(len(rows) - 1, -1, -1):
                rows[now].addcmul_(following[now], weights[now])
                if fed_back is not None:
                    came = torch.mm(following[now], recurrent, out=fed_back[times.start + now])
                    rows[now].addcmul_(came, slope[now])
            grad_leak += (left * after).sum(0)
            if reset == "soft":
                grad_threshold -= (fired * after).sum(0)
            if through_reset is not None:
                grad_threshold += (through_reset * after).sum(0)
            if fed_back is not None:
                grad_threshold -= (fed_back[times] * slope).sum(0)
        grad_recurrent = None
        if recurrent is not None:
            grad_recurrent = grad[1:-1].flatten(0, 1).T @ spikes[:-1].flatten(0, 1)
        return grad[:-1], grad_leak, grad_threshold, grad_recurrent, None, None, None
