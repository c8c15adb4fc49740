"""Common spatial patterns, from covariances [1]_, [2]_, [3]_.

.. [1] Ramoser et al., Optimal spatial filtering of single trial EEG during imagined hand
   movement. IEEE Transactions on Rehabilitation Engineering 8(4), 2000.
.. [2] Grosse-Wentrup and Buss, Multiclass common spatial patterns and information theoretic
   feature extraction. IEEE Transactions on Biomedical Engineering 55(8), 2008.
.. [3] Ablin, Cardoso and Gramfort, Beyond Pham's algorithm for joint diagonalization.
   ESANN 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from eegvit.features.covariances import Array, shrink
from eegvit.features.sums import FromSums, Sums

Multiclass = Literal["ovr", "joint"]


@dataclass(kw_only=True, eq=False, repr=False)
class CSP(FromSums):
    """Log-power behind the spatial filters that separate the classes best, in every band.

    Parameters
    ----------
    n_components : int
        Filters of each set, in pairs: the i-th first and the i-th last belong together.
    multiclass : {"ovr", "joint"}
        One set of filters for each class against the rest, or one set from the joint
        diagonalisation of all classes. Two classes always make one set.
    shrinkage : float
        How far class covariances are pulled towards the identity, 0 to 1.

    Attributes
    ----------
    filters_ : array, shape (bands, sets, components, channels)
    patterns_ : array, shape (bands, channels, sets * components)
        How the source behind each filter shows at the channels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 3, 100)), np.repeat([0, 1], 20)
    >>> X[y == 1, 2] *= 3
    >>> C = X @ X.swapaxes(1, 2) / 100
    >>> CSP(n_components=2).fit(C, y).transform(C).shape
    (40, 1, 1, 2)
    """

    n_components: int = 4
    multiclass: Multiclass = "ovr"
    shrinkage: float = 0.05

    def fit_sums(self, sums: Sums) -> Self:
        """Find the filters from the sums of covariances ([bands,] channels, channels)."""
        self.classes_ = np.array(list(sums))
        counts = np.array([n for n, _ in sums.values()])
        means = np.stack([total / n for n, total in sums.values()])
        means = means[:, None] if means.ndim == 3 else means
        means = shrink(means, self.shrinkage)  # (classes, bands, channels, channels)
        share = counts / counts.sum()
        n_kept = min(self.n_components, means.shape[-1])
        self.filters_ = np.stack([_sets(m, share, n_kept, self.multiclass) for m in
                                  means.swapaxes(0, 1)])  # fmt: skip
        total = np.tensordot(share, means, axes=1)  # (bands, channels, channels)
        bands = zip(self.filters_, total, strict=True)
        self.patterns_ = np.stack([np.hstack([patterns(w, C) for w in sets]) for sets, C in bands])
        return self

    def transform(self, X: NDArray[Any]) -> Array:
        """Map covariances (n, [bands,] channels, channels) to log-power.

        Its shape is (n, bands, sets, components).
        """
        C = X[:, None] if X.ndim == 3 else X
        n_bands, n_sets, n_kept, n_channels = self.filters_.shape
        w = self.filters_.reshape(n_bands, -1, n_channels)
        forms = (w[..., :, None] * w[..., None, :]).reshape(n_bands, -1, n_channels**2)
        # w' C w as one product a band
        power = [C[:, band].reshape(len(C), -1) @ forms[band].T for band in range(n_bands)]
        told = np.log(np.maximum(np.stack(power, axis=1), np.finfo(np.float64).tiny))
        return told.reshape(len(C), n_bands, n_sets, n_kept)


def _sets(means: Array, share: Array, n_kept: int, multiclass: Multiclass) -> Array:
    if len(means) == 2:
        return pair_filters(means[0], means[1], n_kept)[None]
    if multiclass == "joint":
        return joint_filters(means, share, n_kept)[None]
    total = np.tensordot(share, means, axes=1)
    rest = [(total - p * m) / (1 - p) for p, m in zip(share, means, strict=True)]
    return np.stack([pair_filters(m, r, n_kept) for m, r in zip(means, rest, strict=True)])


def pair_filters(first: Array, second: Array, n_kept: int) -> Array:
    """Return the filters with the most extreme ratios of power, first against both.

    Half are strong in the second class, the other half, in mirrored order, in the first.
    """
    whole = first + second
    _, vectors = scipy.linalg.eigh(first, whole + _ridge(whole))
    n_low = (n_kept + 1) // 2
    order = np.r_[:n_low, len(whole) - (n_kept - n_low) : len(whole)]
    return vectors.T[order]


def patterns(filters: Array, covariance: Array) -> Array:
    """Return how what filters see shows at the channels [1]_, shape (channels, components).

    References
    ----------
    .. [1] Haufe et al., On the interpretation of weight vectors of linear models in
       multivariate neuroimaging. NeuroImage 87, 2014.

    Examples
    --------
    >>> mixing = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> patterns(np.linalg.inv(mixing), mixing @ mixing.T).round(6).tolist()
    [[1.0, 2.0], [0.0, 1.0]]
    """
    spread: Array = covariance @ filters.T
    return spread @ np.linalg.pinv(filters @ spread)


def joint_filters(means: Array, share: Array, n_kept: int) -> Array:
    """Return the joint diagonalisers that tell most about the class, the best first."""
    means = means + _ridge(means)
    vectors = joint_diagonaliser(means)
    total = np.tensordot(share, means, axes=1)
    scale = np.sqrt(np.einsum("kc,cd,kd->k", vectors, total, vectors))
    vectors = vectors / scale[:, None]
    power = np.einsum("kc,mcd,kd->mk", vectors, means, vectors)  # (classes, components)
    information = -share @ np.log(np.sqrt(power)) - 3 / 16 * (share @ (power**2 - 1)) ** 2
    return vectors[np.argsort(-information)[:n_kept]]


def joint_diagonaliser(matrices: Array, tolerance: float = 1e-9, max_steps: int = 500) -> Array:
    """Return V such that V C V' is as diagonal as can be for all positive matrices C at once.

    Pham's criterion, the mean of log det diag(V C V') - log det(V C V'), by quasi-Newton
    steps on all pairs of rows together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> mixing, powers = rng.standard_normal((4, 4)), rng.uniform(1, 9, (3, 4))
    >>> C = (mixing * powers[:, None]) @ mixing.T
    >>> V = joint_diagonaliser(C)
    >>> off_diagonal = (V @ C @ V.T)[:, ~np.eye(4, dtype=bool)]
    >>> bool(np.abs(off_diagonal).max() < 1e-6)
    True
    """
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    V = (vectors / np.sqrt(values)).T
    D = V @ matrices @ V.T
    loss = _off_diagonality(V, D)
    for _ in range(max_steps):
        diagonal = np.diagonal(D, axis1=1, axis2=2)  # (matrices, n)
        gradient = (D / diagonal[:, :, None]).mean(axis=0) - np.eye(len(V))
        if np.abs(gradient).max() < tolerance:
            break
        curvature = (diagonal[:, None, :] / diagonal[:, :, None]).mean(axis=0)
        determinant = np.maximum(curvature * curvature.T - 1, 1e-4)
        step = (gradient.T - curvature.T * gradient) / determinant
        np.fill_diagonal(step, 0)
        for _ in range(20):
            stepped = V + step @ V
            D_stepped = stepped @ matrices @ stepped.T
            loss_stepped = _off_diagonality(stepped, D_stepped)
            if loss_stepped <= loss:
                break
            step = step / 2
        else:
            break  # as good as rounding allows
        V, D, loss = stepped, D_stepped, loss_stepped
    return V


def _off_diagonality(V: Array, D: Array) -> float:
    diagonal = np.diagonal(D, axis1=1, axis2=2)
    return float(np.log(diagonal).sum(axis=1).mean() / 2 - np.linalg.slogdet(V)[1])


def _ridge(matrix: Array) -> Array:
    n = matrix.shape[-1]
    level = np.trace(matrix, axis1=-2, axis2=-1)[..., None, None] / n
    return (1e-10 * level + np.finfo(np.float64).tiny) * np.eye(n)
