"""How many multiply-accumulates a network takes for one trial."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


def count(network: nn.Module, x: Tensor) -> int:
    """Return the multiply-accumulates of one forward pass at inference.

    Convolutions, linear layers and products of matrices count, those inside attention and
    recurrent layers too, and eigendecompositions by a rule of thumb; sums, norms and activations
    do not. Fourier transforms are left out, with a warning.

    Parameters
    ----------
    network : Module
        Comes back as it was.
    x : Tensor, shape (1, ...)
        One trial: some networks take another way, by Fourier transforms, for several.

    Examples
    --------
    >>> count(nn.Linear(5, 3), torch.zeros(1, 5))
    15
    >>> count(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.zeros(1, 6, 8))
    3648
    """
    if len(x) != 1:
        raise ValueError(f"multiply-accumulates are counted for one trial, not for {len(x)}")
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    with _at_inference(network), _without_fused_layers(), torch.no_grad(), counter:
        network(x)
    return counter.get_total_flops() // 2  # a multiplication and an addition


@contextmanager
def _at_inference(network: nn.Module) -> Iterator[None]:
    """Put a network and its parts in eval mode, then each back in the mode it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _without_fused_layers() -> Iterator[None]:
    """Compute attention and recurrent layers by the products they consist of."""
    mha, mkldnn = torch.backends.mha, torch.backends.mkldnn
    fast, enabled = mha.get_fastpath_enabled(), mkldnn.enabled
    mha.set_fastpath_enabled(False)
    mkldnn.enabled = False  # type: ignore[assignment]
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        mha.set_fastpath_enabled(fast)
        mkldnn.enabled = enabled


def _matrix_vector(matrix: list[int], *args: Any, **kwargs: Any) -> int:
    """Return twice the products in a matrix times a vector, or in a vector times another."""
    return 2 * math.prod(matrix)


def _added_matrix_vector(_: list[int], matrix: list[int], *args: Any, **kwargs: Any) -> int:
    """Return the same where the shape of what is added comes first."""
    return 2 * math.prod(matrix)


def _eigenvectors(matrices: list[int], *args: Any, **kwargs: Any) -> int:
    """Return the operations of finding them by QR steps: nine times the cube of the rows."""
    return 9 * math.prod(matrices) * matrices[-1]


def _left_out(*args: Any, **kwargs: Any) -> int:
    """Warn of what is not counted."""
    warnings.warn("the count leaves out Fourier transforms", RuntimeWarning, stacklevel=2)
    return 0


# beside those that torch has
FORMULAS = {
    aten.mv: _matrix_vector,
    aten.dot: _matrix_vector,
    aten.vdot: _matrix_vector,
    aten.addmv: _added_matrix_vector,
    aten._linalg_eigh: _eigenvectors,
    aten._fft_r2c: _left_out,
    aten._fft_c2r: _left_out,
    aten._fft_c2c: _left_out,
}
