"""Functions of the eigenvalues of symmetric matrices, with gradients that equal ones do not upset.

The gradient is that of Daleckii and Krein: divided differences of the function at each pair of
eigenvalues, its slope where the two are (nearly) equal. Gradients of eigenvectors, which grow
without bound there, are not needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

ROUNDING = 1e-7  # of the largest eigenvalue


class Function(NamedTuple):
    """A function of eigenvalues.

    Parameters
    ----------
    value, slope : callable
        The function and its derivative.
    scaled : bool
        Whether eigenvalues are near each other by their ratio, as for powers and the logarithm,
        rather than by their difference.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    scaled: bool = True


LOGARITHM = Function(torch.log, torch.reciprocal)
ROOT = Function(torch.sqrt, lambda x: 0.5 * x.rsqrt())
INVERSE_ROOT = Function(torch.rsqrt, lambda x: -0.5 * x.rsqrt() / x)
EXPONENTIAL = Function(torch.exp, torch.exp, scaled=False)


def apply(matrix: Tensor, function: Function) -> Tensor:
    """Return symmetric matrices (..., n, n) with a function of their eigenvalues.

    Examples
    --------
    >>> apply(torch.tensor([[4.0, 0.0], [0.0, 9.0]]), ROOT)
    tensor([[2., 0.],
            [0., 3.]])
    """
    return _OfEigenvalues.apply(matrix, function)


def log(matrix: Tensor) -> Tensor:
    """Return the logarithm of positive matrices.

    Examples
    --------
    >>> log(torch.eye(2)).abs().max().item()
    0.0
    """
    return apply(matrix, LOGARITHM)


def exp(matrix: Tensor) -> Tensor:
    """Return the exponential of symmetric matrices, which is positive.

    Examples
    --------
    >>> exp(torch.zeros(1, 1))
    tensor([[1.]])
    """
    return apply(matrix, EXPONENTIAL)


def rectified(matrix: Tensor, threshold: float) -> Tensor:
    """Return matrices (..., n, n) whose eigenvalues are a threshold at least [1]_.

    The threshold is no lower than 1e-7 of the trace, below which is rounding.

    References
    ----------
    .. [1] Huang and Van Gool, A Riemannian network for SPD matrix learning. AAAI 2017.

    Examples
    --------
    >>> rectified(torch.tensor([[2.0, 0.0], [0.0, -1.0]]), 0.5)
    tensor([[2.0000, 0.0000],
            [0.0000, 0.5000]])
    """
    trace = matrix.detach().diagonal(dim1=-2, dim2=-1).sum(-1)[..., None]
    least = (ROUNDING * trace).clamp_min(threshold)  # (..., 1)
    return apply(
        matrix,
        Function(
            lambda values: torch.maximum(values, least),
            lambda middle: (middle > least[..., None]).to(middle),
        ),
    )


class _OfEigenvalues(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, function: Function) -> Tensor:
        values, vectors = torch.linalg.eigh(matrix)
        changed = function.value(values)
        ctx.save_for_backward(values, vectors, changed)
        ctx.function = function
        return (vectors * changed[..., None, :]) @ vectors.mT

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        values, vectors, changed = ctx.saved_tensors
        between = divided_differences(values, changed, ctx.function)
        seen = vectors.mT @ ((gradient + gradient.mT) / 2) @ vectors
        return vectors @ (between * seen) @ vectors.mT, None


def divided_differences(values: Tensor, changed: Tensor, function: Function) -> Tensor:
    """Return (f(a) - f(b)) / (a - b) for each pair of eigenvalues (..., n), f' where they are near.

    Between them f' at the middle is off by the square of their distance, and the difference by
    rounding over it: the two are about as exact where near turns into far.

    Examples
    --------
    >>> values = torch.tensor([1.0, 1.0, 3.0])
    >>> divided_differences(values, values**2, Function(torch.square, lambda x: 2 * x))
    tensor([[2., 2., 4.],
            [2., 2., 4.],
            [4., 4., 6.]])
    """
    middle = (values[..., :, None] + values[..., None, :]) / 2
    apart = values[..., :, None] - values[..., None, :]
    near = torch.finfo(values.dtype).eps ** (1 / 3)
    same = apart.abs() <= (near * middle.abs() if function.scaled else near)
    rise = changed[..., :, None] - changed[..., None, :]
    return torch.where(same, function.slope(middle), rise / torch.where(same, 1.0, apart))
