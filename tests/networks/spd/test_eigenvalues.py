"""Functions of eigenvalues are scipy's, and their gradients bear equal eigenvalues."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from eegvit.networks.spd.eigenvalues import (
    EXPONENTIAL,
    INVERSE_ROOT,
    LOGARITHM,
    ROOT,
    Function,
    apply,
    log,
    rectified,
)

PEERS: dict[str, tuple[Function, Callable]] = {
    "log": (LOGARITHM, scipy.linalg.logm),
    "root": (ROOT, scipy.linalg.sqrtm),
    "inverse root": (INVERSE_ROOT, lambda C: np.linalg.inv(scipy.linalg.sqrtm(C))),
    "exp": (EXPONENTIAL, scipy.linalg.expm),
}
SPECTRA = {
    "apart": [0.2, 0.7, 1.5, 4.0],
    "equal": [0.5, 0.5, 2.0, 2.0],
    "all equal": [1.0, 1.0, 1.0, 1.0],
    "nearly equal": [1.0, 1.0 + 1e-9, 1.0 + 1e-5, 1.0 + 1e-3],
    "far apart": [1e-4, 1e-4 + 1e-7, 1.0, 50.0],
}


def matrix(values: list[float], seed: int = 0) -> Tensor:
    """Return a symmetric matrix of these eigenvalues."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(rng.standard_normal((len(values), len(values))))[0]
    made = torch.from_numpy((vectors * values) @ vectors.T)
    return (made + made.T) / 2


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("name", PEERS)
def test_is_what_scipy_has(name: str, spectrum: str) -> None:
    function, peer = PEERS[name]
    C = matrix(SPECTRA[spectrum])
    expected = np.real(peer(C.numpy()))
    np.testing.assert_allclose(apply(C, function).numpy(), expected, rtol=1e-8, atol=1e-8)
    several = apply(torch.stack([C, 2 * C]), function)
    torch.testing.assert_close(several[1], apply(2 * C, function))


@pytest.mark.parametrize("spectrum", sorted(set(SPECTRA) - {"far apart"}))  # steps are short
@pytest.mark.parametrize("name", PEERS)
def test_gradients_are_those_of_small_steps(name: str, spectrum: str) -> None:
    function, _ = PEERS[name]
    C = matrix(SPECTRA[spectrum]).requires_grad_()
    assert torch.autograd.gradcheck(lambda C: apply((C + C.mT) / 2, function), C)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_gradient_of_the_logarithm_is_an_integral(spectrum: str) -> None:
    C, towards = matrix(SPECTRA[spectrum]).requires_grad_(), matrix([1.0, -2.0, 0.5, 0.1], seed=1)
    (found,) = torch.autograd.grad((log(C) * towards).sum(), C)
    values, vectors = np.linalg.eigh(C.detach().numpy())
    nodes, weights = np.polynomial.legendre.leggauss(400)  # log' = int (C + s)^-1 E (C + s)^-1 ds
    t = (nodes + 1) / 2
    s = np.tan(t * np.pi / 2) * np.sqrt(values[0] * values[-1])
    stretch = weights / 2 * np.pi / 2 * (1 + np.tan(t * np.pi / 2) ** 2)
    stretch *= np.sqrt(values[0] * values[-1])
    inverses = (vectors / (values + s[:, None])[:, None, :]) @ vectors.T
    expected = np.einsum("s,sij,jk,skl->il", stretch, inverses, towards.numpy(), inverses)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-6 * abs(expected).max())


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("name", PEERS)
def test_single_precision_has_the_same_gradient(name: str, spectrum: str) -> None:
    function, _ = PEERS[name]
    towards, found = matrix([1.0, -2.0, 0.5, 0.1], seed=1), []
    for kind in (torch.float64, torch.float32):
        C = matrix(SPECTRA[spectrum]).to(kind).requires_grad_()
        (gradient,) = torch.autograd.grad((apply(C, function) * towards.to(kind)).sum(), C)
        found.append(gradient.double())
    off = (found[0] - found[1]).abs().max() / found[0].abs().max()
    assert off < (2e-2 if spectrum == "far apart" else 1e-4)


def test_rectified_eigenvalues() -> None:
    C = matrix([-1.0, 0.0, 0.3, 2.0]).requires_grad_()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(rectified(C, 0.1).detach()), [0.1, 0.1, 0.3, 2.0], atol=1e-12
    )
    assert torch.autograd.gradcheck(lambda C: rectified((C + C.mT) / 2, 0.1), C)
    nothing = torch.zeros(3, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(log(rectified(nothing, 1e-4)).sum(), nothing)
    assert not gradient.any()
