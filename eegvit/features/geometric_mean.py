"""The Riemannian mean of covariances by Newton's method [1]_.

Each pass over the trials costs one eigendecomposition a trial. Newton's step needs no more of
them: the curvature follows from the eigenvectors at hand. A few passes do what takes ten and
more where each step follows the gradient.

.. [1] Moakher, A differential geometric approach to the geometric mean of symmetric
   positive-definite matrices. SIAM Journal on Matrix Analysis and Applications 26(3), 2005.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SHORT = 1e-3  # the last step: 1e-7 is left after it, and 1e-6 in the logarithms
MOST_PASSES = 50


@dataclass(frozen=True)
class Mean:
    """A mean of covariances, and the covariances seen from it.

    Parameters
    ----------
    whitener : array, shape (channels, channels)
        Symmetric inverse square root of the mean.
    logs : array, shape (n, channels, channels)
        Matrix logarithms of the covariances, whitened; their mean is zero.
    """

    whitener: Array
    logs: Array


def geometric_mean(C: Array) -> Mean:
    """Return the Riemannian mean of covariances (n, channels, channels).

    It is found when a step towards it is short: what is left is of the order of its square.

    Examples
    --------
    >>> C = np.array([[[1.0, 0.0], [0.0, 4.0]], [[4.0, 0.0], [0.0, 1.0]]])
    >>> (np.linalg.inv(geometric_mean(C).whitener) ** 2).round(6).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    whitener = _power(_between_means(C), -0.5)
    for _ in range(MOST_PASSES):
        values, vectors = whitened(C, whitener)
        logs = np.log(values)
        from_here = (vectors * logs[:, None, :]) @ vectors.swapaxes(1, 2)
        seen = _Curvature.of(logs, vectors)
        step = seen.solve(from_here.mean(axis=0))
        root = np.linalg.inv(whitener)
        whitener = _power(root @ _exponential(step) @ root, -0.5)
        if np.linalg.norm(step) < SHORT:
            break
    else:
        warnings.warn(f"no Riemannian mean found in {MOST_PASSES} passes", stacklevel=2)
    rotation = whitener @ root @ _exponential(step / 2)  # the step alone gives another root
    return Mean(whitener, rotation @ (from_here - seen.turn(step)) @ rotation.T)


def _between_means(C: Array) -> Array:
    """Return the point halfway between arithmetic and harmonic mean, near the one looked for."""
    arithmetic = C.mean(axis=0)
    harmonic = np.linalg.inv(np.linalg.inv(C).mean(axis=0))
    root, whitener = _power(arithmetic, 0.5), _power(arithmetic, -0.5)
    return root @ _power(whitener @ harmonic @ whitener, 0.5) @ root


def logarithms(C: Array, whitener: Array) -> Array:
    """Return the matrix logarithms of whitened covariances."""
    values, vectors = whitened(C, whitener)
    return (vectors * np.log(values)[:, None, :]) @ vectors.swapaxes(1, 2)


def whitened(C: Array, whitener: Array) -> tuple[Array, Array]:
    """Return the eigenvalues and eigenvectors of whitened covariances."""
    values, vectors = np.linalg.eigh(whitener @ C @ whitener)
    return np.maximum(values, np.finfo(np.float64).tiny), vectors


@dataclass(frozen=True)
class _Curvature:
    """How the logarithms change when the mean moves; single precision does for a direction."""

    vectors: NDArray[np.float32]  # (n, channels, channels)
    weights: NDArray[np.float32]  # of each pair of eigenvectors, 1 or more

    @classmethod
    def of(cls, logs: Array, vectors: Array) -> _Curvature:
        half = (logs[:, :, None] - logs[:, None, :]).astype(np.float32) / 2
        half = np.maximum(np.abs(half), np.float32(1e-4))
        return cls(vectors.astype(np.float32), np.asarray(half / np.tanh(half), np.float32))

    def turn(self, step: Array) -> NDArray[np.float32]:
        """Return by how much each logarithm falls when the mean moves by a step."""
        transposed = self.vectors.swapaxes(1, 2)
        seen = transposed @ (step.astype(np.float32) @ self.vectors)
        seen *= self.weights
        return self.vectors @ seen @ transposed

    def solve(self, gradient: Array) -> Array:
        """Return the step that brings the mean logarithm to zero, by conjugate gradients."""
        size = float(np.linalg.norm(gradient))
        enough = max(0.1 * min(size, 1.0) * size, 1e-9)
        step, rest = np.zeros_like(gradient), gradient
        direction, energy = rest, size**2
        for _ in range(gradient.size):
            if energy <= enough**2:
                break
            turned = self.turn(direction).mean(axis=0, dtype=np.float64)
            length = energy / float(np.vdot(direction, turned))
            step = step + length * direction
            rest = rest - length * turned
            before, energy = energy, float(np.vdot(rest, rest))
            direction = rest + energy / before * direction
        return (step + step.T) / 2


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values**exponent) @ vectors.T


def _exponential(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.exp(values)) @ vectors.T
