"""Convolutions along time as products of spectra."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import scipy.fft
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from eegvit.networks.choice import fastest, traced


def transform_length(n: int) -> int:
    """Return the least even length of at least n whose transform is fast.

    Examples
    --------
    >>> transform_length(1063)
    1080
    """
    return 2 * scipy.fft.next_fast_len((n + 1) // 2, real=True)


def spectrum(x: Tensor, n_fft: int, before: int = 0) -> Tensor:
    """Return the spectrum of x (..., times), delayed by some samples, shape (..., frequencies).

    Examples
    --------
    >>> spectrum(torch.ones(2, 1), n_fft=4).real.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    zero = x.new_zeros(()).expand(*x.shape[:-1], n_fft)
    after = n_fft - before - x.shape[-1]
    return torch.fft.rfft(torch.cat([zero[..., :before], x, zero[..., :after]], -1))


def one_sided(n_fft: int, like: Tensor) -> Tensor:
    """Return how often each frequency of a one-sided spectrum occurs, by the length: Parseval.

    Examples
    --------
    >>> x = torch.tensor([1.0, 2.0, 0.0, 3.0])
    >>> (spectrum(x, 4).abs().square() * one_sided(4, x)).sum()
    tensor(14.)
    """
    weights = like.new_full((n_fft // 2 + 1,), 2 / n_fft)
    weights[0] = weights[-1] = 1 / n_fft
    return weights


def convolve(x: Tensor, kernels: Tensor, padding: int) -> Tensor:
    """Convolve each feature with its own kernel, as convolution layers do (correlation).

    Parameters
    ----------
    x : Tensor, shape (n, features, times)
    kernels : Tensor, shape (features, length)
    padding : int
        Zeros added on both sides.

    Examples
    --------
    >>> convolve(torch.ones(1, 1, 5), torch.tensor([[1.0, 2.0]]), padding=1).flatten().tolist()
    [2.0, 3.0, 3.0, 3.0, 3.0, 1.0]
    """
    if traced(x) or len(x) == 1:
        return convolve_directly(x, kernels, padding)
    forms = {"spectral": convolve_spectrally, "direct": convolve_directly}

    def example(form: Callable[[Tensor, Tensor, int], Tensor]) -> Tensor:
        given = x.detach().requires_grad_(x.requires_grad)
        return form(given, kernels.detach().requires_grad_(), padding)

    question = f"convolve {tuple(kernels.shape)} {padding}"
    form = fastest(question, x, {name: partial(example, form) for name, form in forms.items()})
    return forms[form](x, kernels, padding)


def convolve_directly(x: Tensor, kernels: Tensor, padding: int) -> Tensor:
    """Convolve as `convolve` does, term by term."""
    return F.conv1d(x, kernels[:, None], padding=padding, groups=len(kernels))


def convolve_spectrally(x: Tensor, kernels: Tensor, padding: int) -> Tensor:
    """Convolve as `convolve` does, by Fourier transforms."""
    y: Tensor = Filter.apply(x, kernels, padding)
    return y


class Filter(torch.autograd.Function):
    """Each feature of (n, features, times) filtered by its own kernel (features, length).

    The padded signal is shorter than the sum of lengths: what wraps around the end of the
    transform falls on the zeros in front, or is cut off.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor, padding: int) -> Tensor:
        n_times, length = x.shape[-1], kernels.shape[-1]
        n_out = n_times + 2 * padding - length + 1
        n_fft = transform_length(max(n_times + padding, n_out, length))
        signals, filters = spectrum(x, n_fft, padding), spectrum(kernels, n_fft)
        ctx.save_for_backward(signals, filters)
        ctx.n_fft, ctx.padding, ctx.n_times, ctx.length = n_fft, padding, n_times, length
        return torch.fft.irfft(signals * filters.conj(), n_fft)[..., :n_out]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        signals, filters = ctx.saved_tensors
        grads = torch.fft.rfft(grad, ctx.n_fft)
        grad_kernels = torch.fft.irfft((grads.conj() * signals).sum(0), ctx.n_fft)
        grad_x = None
        if ctx.needs_input_grad[0]:
            whole = torch.fft.irfft(grads * filters, ctx.n_fft)
            grad_x = whole[..., ctx.padding : ctx.padding + ctx.n_times]
        return grad_x, grad_kernels[..., : ctx.length], None


class MixAndFilter(torch.autograd.Function):
    """Channels mixed to features, then each filter applied to its share of the features.

    Takes the real and imaginary parts of the channels' spectra (channels, n, frequencies,
    2), the spatial filters (features, channels), kernels (filters, length) and a constant
    to add (features,); returns (features, n, n_out). One filter at a time, so that what
    comes in between stays in the processor's cache.
    """

    @staticmethod
    def forward(
        ctx: Any,
        parts: Tensor,
        spatial: Tensor,
        kernels: Tensor,
        constant: Tensor,
        n_fft: int,
        n_out: int,
    ) -> Tensor:
        n_channels, n, n_frequencies = parts.shape[:3]
        flat = spatial @ parts.reshape(n_channels, -1)
        mixed = torch.view_as_complex(flat.view(len(kernels), -1, n_frequencies, 2))
        filters = spectrum(kernels, n_fft)
        y = parts.new_empty(len(kernels), mixed.shape[1], n_fft)
        for number, one in enumerate(filters.conj()):
            y[number] = torch.fft.irfft(mixed[number] * one, n_fft)
        ctx.save_for_backward(parts, spatial, filters, mixed)
        ctx.n_fft, ctx.length = n_fft, kernels.shape[-1]
        return y.view(-1, n, n_fft)[..., :n_out].add_(constant[:, None, None])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        parts, spatial, filters, mixed = ctx.saved_tensors
        n_channels, n = parts.shape[:2]
        n_fft = ctx.n_fft
        grad_mixed = torch.empty_like(mixed)
        grad_filters = torch.empty_like(filters)
        weights = one_sided(n_fft, parts)
        share = len(spatial) // len(filters)
        for number, one in enumerate(filters):
            own = grad[number * share : (number + 1) * share].reshape(share * n, -1)
            grads = torch.fft.rfft(own, n_fft)
            grad_filters[number] = (grads.conj() * mixed[number]).sum(0)
            torch.mul(grads, one * weights, out=grad_mixed[number])
        flat = torch.view_as_real(grad_mixed).view(len(spatial), -1)
        grad_spatial = flat @ parts.reshape(n_channels, -1).T
        grad_kernels = torch.fft.irfft(grad_filters, n_fft)[..., : ctx.length]
        grad_parts = None
        if ctx.needs_input_grad[0]:
            grad_parts = (spatial.T @ flat).view(parts.shape)
        return grad_parts, grad_spatial, grad_kernels, grad.sum((1, 2)), None, None
