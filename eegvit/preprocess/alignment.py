"""Alignment: make recordings comparable by whitening each with its own mean covariance [1]_.

.. [1] He and Wu, Transfer learning for brain-computer interfaces: a Euclidean space data
   alignment approach. IEEE Transactions on Biomedical Engineering 67(2), 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FLOOR = 1e-6  # of the largest eigenvalue: directions below it are not amplified
FLAT = 1e-12  # of the power: what varies less is constant
PRIOR = 4.0  # trials that a causal reference's prior weighs as much as


@dataclass(frozen=True, eq=False)
class Running:
    """What a causal alignment holds of the trials so far.

    Parameters
    ----------
    mean : array, shape (channels, channels)
        Their mean covariance.
    n : int
        How many they are.
    n_in_mean : int
        How many of them the mean is of: flat ones do not pull a geometric mean.
    """

    mean: Array
    n: int
    n_in_mean: int


def align_offline(X: NDArray[Any], method: str = "euclidean") -> NDArray[np.float32]:
    """Whiten trials of one recording by the mean covariance of all of them.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    method : {"none", "euclidean", "riemannian"}
        Which mean: arithmetic, or geometric.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 100)) * [[1.0], [5.0], [0.1]]
    >>> bool(np.allclose(covariances(align_offline(X)).mean(axis=0), np.eye(3), atol=1e-5))
    True
    """
    if _nothing_to_do(X, method):
        return np.asarray(X, dtype=np.float32)
    return whitened(X, reference(X, method))


def align_causal(
    X: NDArray[Any], method: str = "euclidean", since: Running | None = None
) -> NDArray[np.float32]:
    """Whiten each trial by the mean covariance of the trials up to and including itself.

    What an online decoder can do: the first trials, with little to go by, lean on a
    multiple of the identity. Trials must be in time order.

    Parameters
    ----------
    X : array, shape (n, channels, times)
    method : {"none", "euclidean", "riemannian"}
        Which mean: arithmetic, or geometric.
    since : Running or None
        What is known of trials before these.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 100))
    >>> bool(np.array_equal(align_causal(X)[:5], align_causal(X[:5])))
    True
    """
    if _nothing_to_do(X, method):
        return np.asarray(X, dtype=np.float32)
    return whitened(X, references_so_far(_regular(X), method, since))


def references_so_far(matrices: Array, method: str, since: Running | None = None) -> Array:
    """Return what each covariance is seen from in its turn: the mean up to and including itself.

    Examples
    --------
    >>> references_so_far(np.array([[[1.0]], [[9.0]]]), "riemannian").ravel().tolist()
    [1.0, 3.0]
    """
    running, _ = _running(matrices, method, since)
    n = (since.n if since else 0) + np.arange(1, len(matrices) + 1)[:, None, None]
    size = matrices.shape[-1]
    level = np.trace(running, axis1=1, axis2=2)[:, None, None] / size
    return (n * running + PRIOR * level * np.eye(size)) / (n + PRIOR)


def run_on(X: NDArray[Any], method: str, since: Running | None = None) -> Running:
    """Return what a causal alignment holds after some trials, in time order.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(20, 3, 100))
    >>> later = align_causal(X[5:], "euclidean", run_on(X[:5], "euclidean"))
    >>> bool(np.allclose(align_causal(X)[5:], later, atol=1e-6))
    True
    """
    running, n_in_mean = _running(_regular(X), method, since)
    return Running(running[-1], (since.n if since else 0) + len(X), n_in_mean)


def reference(X: NDArray[Any], method: str) -> Array:
    """Return the mean covariance of trials, shape (channels, channels).

    Examples
    --------
    >>> reference(np.ones((2, 1, 4)) * [1.0, -1.0, 1.0, -1.0], "euclidean").round(6).tolist()
    [[1.0]]
    """
    return MEANS[method](_regular(X))


def whitened(X: NDArray[Any], references: Array) -> NDArray[np.float32]:
    """Return trials seen from a mean covariance, or each from one of its own.

    Examples
    --------
    >>> whitened(np.ones((2, 1, 3)), np.array([[4.0]])).ravel().tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    return (inverse_root(references) @ X).astype(np.float32)


def _nothing_to_do(X: NDArray[Any], method: str) -> bool:
    if method != "none" and method not in MEANS:
        raise ValueError(f"alignment '{method}' is not one of none, {', '.join(MEANS)}")
    return method == "none" or len(X) == 0


def covariances(X: NDArray[Any]) -> Array:
    """Return the covariance of each trial over time, shape (n, channels, channels)."""
    centred = X - X.mean(axis=-1, keepdims=True, dtype=np.float64)
    return centred @ centred.swapaxes(1, 2) / X.shape[-1]


def _regular(X: NDArray[Any]) -> Array:
    """Return the covariances, never quite zero, so that a constant signal is not blown up."""
    power = np.square(X, dtype=np.float64).mean(axis=(1, 2))[:, None, None]
    return covariances(X) + FLAT * power * np.eye(X.shape[1])


def inverse_root(matrix: Array) -> Array:
    """Return the inverse square root of positive matrices; null directions stay small."""
    return _spectral(matrix, lambda values: values**-0.5)


def arithmetic_mean(matrices: Array) -> Array:
    """Return the plain mean."""
    return matrices.mean(axis=0)


def geometric_mean(matrices: Array, tolerance: float = 1e-8, max_steps: int = 50) -> Array:
    """Return the affine-invariant mean of positive matrices; flat ones are left out."""
    level = np.trace(matrices, axis1=1, axis2=2)
    matrices = matrices[level >= FLAT * level.mean()]
    mean = matrices.mean(axis=0)
    for _ in range(max_steps):
        root, whiten = _spectral(mean, np.sqrt), inverse_root(mean)
        step = _spectral(whiten @ matrices @ whiten, np.log).mean(axis=0)
        mean = root @ _spectral(step, np.exp, floor=False) @ root
        if np.linalg.norm(step) < tolerance * len(step):
            break
    return mean


def _running(each: Array, method: str, since: Running | None) -> tuple[Array, int]:
    """Return the mean after each covariance, and how many the last is of."""
    if method == "riemannian":
        return _running_geodesic(each, since)
    n_before = since.n if since else 0
    total = np.cumsum(each, axis=0)
    total = total + since.n * since.mean if since else total
    n = n_before + np.arange(1, len(each) + 1)
    return total / n[:, None, None], n_before + len(each)


def _running_geodesic(matrices: Array, since: Running | None) -> tuple[Array, int]:
    """Return the running geometric mean: each new matrix pulls it by 1/n along the geodesic.

    Flat matrices do not count, neither before the first other one nor after it.
    """
    running = np.empty_like(matrices)
    mean, n = (since.mean, since.n_in_mean) if since else (matrices[0], 0)
    for i, matrix in enumerate(matrices):
        if n == 0 or mean.trace() <= FLAT * matrix.trace():
            mean, n = matrix, 1
        elif matrix.trace() > FLAT * mean.trace():
            n += 1
            root, whiten = _spectral(mean, np.sqrt), inverse_root(mean)
            mean = root @ _spectral(whiten @ matrix @ whiten, _power(1 / n)) @ root
        running[i] = mean
    return running, n


def _power(exponent: float) -> Callable[[Array], Array]:
    return lambda values: values**exponent


def _spectral(matrix: Array, function: Callable[[Array], Array], *, floor: bool = True) -> Array:
    values, vectors = np.linalg.eigh((matrix + matrix.swapaxes(-1, -2)) / 2)
    if floor:
        largest = np.maximum(values[..., -1:], np.finfo(np.float64).tiny / FLOOR)
        values = np.maximum(values, FLOOR * largest)
    return (vectors * function(values)[..., None, :]) @ vectors.swapaxes(-1, -2)


MEANS: dict[str, Callable[[Array], Array]] = {
    "euclidean": arithmetic_mean,
    "riemannian": geometric_mean,
}
