"""What is in an embedding: the class, the person, how views and trials lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from eegvit.networks.predict import to_device
from eegvit.preprocess.views import USUAL, strengths, view
from eegvit.pretrain.encoder import Encoder

Array = NDArray[np.floating[Any]]
N_FOLDS = 5


def embed(
    network: torch.nn.Module, X: NDArray[np.floating[Any]], *, batch_size: int = 128
) -> NDArray[np.float32]:
    """Return what a network's last layers are given for each trial: (n, d).

    Examples
    --------
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 2))
    >>> embed(network, np.ones((3, 2, 3))).shape
    (3, 6)
    """
    encoder = Encoder(network, to_device(X[:1], "cpu")).eval()
    starts = range(0, len(X), batch_size)
    with torch.inference_mode():
        parts = [encoder(to_device(X[i : i + batch_size], "cpu")).numpy() for i in starts]
    return np.concatenate(parts)


def described(
    network: torch.nn.Module, X: NDArray[np.floating[Any]], y: ArrayLike, people: ArrayLike
) -> dict[str, Any]:
    """Return all that this file measures of a network's embeddings of trials.

    People are left out one at a time where there are several, else trials, in folds. Two views
    of a trial are what pretraining takes by default, whatever this network was pretrained with.

    Parameters
    ----------
    network : nn.Module
    X : array, shape (n, channels, times)
    y, people : arrays, shape (n,)

    Returns
    -------
    dict
        classes, neighbours : accuracy of the class; class_chance; person : accuracy, and
        person_chance and person_share, nan if there is one person only; alignment; uniformity;
        d : width of an embedding; places : where trials lie on two axes; axes : the share of
        the variance of each.

    Examples
    --------
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 2))
    >>> X = np.random.default_rng(0).standard_normal((40, 2, 12)).astype(np.float32)
    >>> told = described(network, X, np.arange(40) % 2, np.repeat(["a", "b"], 20))
    >>> told["d"], told["class_chance"], told["person_chance"], told["places"].shape
    (24, 0.5, 0.5, (40, 2))
    """
    y, people = np.asarray(y), np.asarray(people)
    several = len(np.unique(people)) > 1
    groups = people if several else None
    Z = embed(network, X)
    rng, views = np.random.default_rng(0), strengths(USUAL)
    pair = [embed(network, view(X.astype(np.float32), rng, views)) for _ in range(2)]
    person = {"accuracy": np.nan, "chance": np.nan, "share": np.nan}
    if several:
        person = subject_probe(Z, people)
    places, axes = map_2d(Z)
    return {
        "classes": linear_probe(Z, y, groups=groups),
        "neighbours": neighbours(Z, y, groups=groups),
        "class_chance": float(np.unique(y, return_counts=True)[1].max() / len(y)),
        "person": person["accuracy"],
        "person_chance": person["chance"],
        "person_share": person["share"],
        "alignment": alignment(*pair),
        "uniformity": uniformity(Z),
        "d": Z.shape[1],
        "places": places,
        "axes": axes,
    }


def linear_probe(Z: Array, y: ArrayLike, *, groups: ArrayLike | None = None) -> float:
    """Return how often a logistic regression on embeddings tells the class of unseen trials.

    One group is left out at a time, or one of five folds where there are no groups; nan where
    a class has a single trial.

    Examples
    --------
    >>> y = np.arange(40) % 2
    >>> linear_probe(y[:, None] + 0.1 * np.random.default_rng(0).standard_normal((40, 3)), y)
    1.0
    """

    def make(_: int) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

    return _unseen(make, Z, np.asarray(y), groups)


def neighbours(
    Z: Array, y: ArrayLike, *, groups: ArrayLike | None = None, n_neighbours: int = 15
) -> float:
    """Return how often the nearest embeddings, by angle, tell the class of unseen trials.

    Folds are as in `linear_probe`; where fewer than `n_neighbours` are known, all of them tell.

    Examples
    --------
    >>> y = np.arange(40) % 2
    >>> neighbours(np.eye(2)[y], y)
    1.0
    """

    def make(n_known: int) -> KNeighborsClassifier:
        return KNeighborsClassifier(min(n_neighbours, n_known), metric="cosine")

    return _unseen(make, Z, np.asarray(y), groups)


def subject_probe(Z: Array, people: ArrayLike) -> dict[str, float]:
    """Return how much of embeddings is the person.

    Parameters
    ----------
    Z : array, shape (n, d)
    people : array, shape (n,)

    Returns
    -------
    dict
        accuracy : how often a linear probe names the person of unseen trials; chance : how
        often guessing would; share : part of the variance that lies between people.

    Examples
    --------
    >>> people = np.repeat(["a", "b"], 10)
    >>> subject_probe((people == "b")[:, None] * np.ones(2), people)
    {'accuracy': 1.0, 'chance': 0.5, 'share': 1.0}
    """
    names, code = np.unique(np.asarray(people), return_inverse=True)
    mean = np.stack([Z[code == k].mean(axis=0) for k in range(len(names))])[code]
    between = np.square(mean - Z.mean(axis=0)).sum()
    total = np.square(Z - Z.mean(axis=0)).sum()
    return {
        "accuracy": linear_probe(Z, code),
        "chance": float(np.bincount(code).max() / len(code)),
        "share": float(between / total) if total else 0.0,
    }


def alignment(first: Array, second: Array) -> float:
    """Return the mean squared distance of two views of each trial, on the sphere [1]_.

    References
    ----------
    .. [1] Wang and Isola, Understanding contrastive representation learning through alignment
       and uniformity on the hypersphere. ICML 2020.

    Examples
    --------
    >>> alignment(np.array([[2.0, 0.0]]), np.array([[0.0, 5.0]]))
    2.0
    """
    return float(np.square(_on_sphere(first) - _on_sphere(second)).sum(axis=1).mean())


def uniformity(Z: Array, *, t: float = 2.0) -> float:
    """Return the logarithm of the mean Gaussian potential of pairs; lower is more spread out.

    Examples
    --------
    >>> round(uniformity(np.eye(3)), 6), abs(round(uniformity(np.ones((3, 2))), 6))
    (-4.0, 0.0)
    """
    z = _on_sphere(Z)
    squared = np.clip(2 - 2 * (z @ z.T), 0, None)[np.triu_indices(len(z), 1)]
    return float(np.log(np.exp(-t * squared).mean()))


def map_2d(Z: Array) -> tuple[Array, Array]:
    """Return where embeddings lie on their two main axes (n, 2), and the variance of each.

    Examples
    --------
    >>> places, share = map_2d(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]))
    >>> places.shape, share.round(2).tolist()
    ((3, 2), [1.0, 0.0])
    """
    pca = PCA(n_components=2, svd_solver="full")
    return pca.fit_transform(Z), pca.explained_variance_ratio_


def _on_sphere(Z: Array) -> Array:
    return Z / np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-12)


def _unseen(
    make: Callable[[int], Any], Z: Array, y: NDArray[Any], groups: ArrayLike | None
) -> float:
    """Return how often models of as many known trials tell y of the others."""
    if groups is None:
        n_folds = min(N_FOLDS, int(np.unique(y, return_counts=True)[1].min()))
        if n_folds < 2:
            return float("nan")
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=0).split(Z, y)
    else:
        folds = LeaveOneGroupOut().split(Z, y, np.asarray(groups))
    told = np.empty(len(y), dtype=y.dtype)
    for train, test in folds:
        told[test] = make(len(train)).fit(Z[train], y[train]).predict(Z[test])
    return float((told == y).mean())
