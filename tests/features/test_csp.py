"""Common spatial patterns against the eigenvalue problem by hand and pyRiemann's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from pyriemann.spatialfilters import CSP as PeerCSP
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from eegvit.features.covariances import covariances
from eegvit.features.csp import CSP, joint_filters, pair_filters

N_CHANNELS = 8


def recording(classes: int, n: int = 60, seed: int = 0, contrast: float = 2.0):
    """Return trials in which class k has a louder source k, labels, and the mixture."""
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(99)
    rotation = np.linalg.qr(own.standard_normal((N_CHANNELS, N_CHANNELS)))[0]
    mixture = rotation * own.uniform(0.5, 2, N_CHANNELS)
    y = rng.permutation(np.arange(n) % classes)
    sources = rng.standard_normal((n, N_CHANNELS, 200))
    sources[np.arange(n), y] *= contrast
    return mixture @ sources, y, mixture


def overlap(A: np.ndarray, B: np.ndarray) -> float:
    """Return the smallest cosine between the spaces that two sets of rows span."""
    return float(np.cos(scipy.linalg.subspace_angles(A.T, B.T)).min())


@pytest.mark.parametrize("n_kept", [1, 2, 3, 4, 6, 8])
def test_filters_are_the_extremes_of_the_eigenvalue_problem(n_kept) -> None:
    X, y, _ = recording(2)
    first, second = (covariances(X[y == k]).mean(axis=0) for k in (0, 1))
    found = pair_filters(first, second, n_kept)
    values, vectors = scipy.linalg.eigh(first, first + second)
    n_low = (n_kept + 1) // 2
    order = [*range(n_low), *range(N_CHANNELS - n_kept + n_low, N_CHANNELS)]
    expected = vectors[:, order].T
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-5, atol=1e-7)
    shares = np.einsum("kc,cd,kd->k", found, first, found)
    np.testing.assert_allclose(shares, values[order], rtol=1e-6)
    whole = found @ (first + second) @ found.T
    np.testing.assert_allclose(whole, np.eye(n_kept), atol=1e-7)


def test_two_classes_give_pyriemanns_space() -> None:
    X, y, mixture = recording(2)
    C = covariances(X)
    ours = CSP(n_components=2, shrinkage=0.0).fit(C, y).filters_[0, 0]
    peer = PeerCSP(nfilter=2).fit(C, y).filters_
    assert overlap(ours, peer) > 1 - 1e-9
    unmixing = np.linalg.inv(mixture)[:2]
    assert overlap(ours, unmixing) > 0.99


def test_two_classes_give_pyriemanns_decisions() -> None:
    X, y, _ = recording(2, contrast=1.15)
    test, _, _ = recording(2, n=200, seed=1, contrast=1.15)
    C, T = covariances(X), covariances(test)
    ours = CSP(n_components=N_CHANNELS, shrinkage=0.0).fit(C, y)
    peer = PeerCSP(nfilter=N_CHANNELS).fit(C, y)
    own_lda = LinearDiscriminantAnalysis().fit(ours.transform(C)[:, 0, 0], y)
    peer_lda = LinearDiscriminantAnalysis().fit(peer.transform(C), y)
    found = own_lda.decision_function(ours.transform(T)[:, 0, 0])
    np.testing.assert_allclose(found, peer_lda.decision_function(peer.transform(T)), atol=1e-5)
    assert 0.05 < np.mean(found > 0) < 0.95


def test_many_classes_jointly_are_pyriemanns() -> None:
    X, y, _ = recording(3)
    C = covariances(X)
    (filters,) = CSP(n_components=3, multiclass="joint", shrinkage=0.0).fit(C, y).filters_[0]
    peer = PeerCSP(nfilter=3).fit(C, y).filters_
    np.testing.assert_allclose(np.abs(filters), np.abs(peer), rtol=1e-4, atol=1e-5)


def test_joint_diagonalisation_finds_planted_sources() -> None:
    rng = np.random.default_rng(0)
    mixture = rng.standard_normal((N_CHANNELS, N_CHANNELS))
    power = np.ones((3, N_CHANNELS))
    for k in range(3):
        power[k, k] = 4.0 + k
    means = np.stack([mixture @ np.diag(p) @ mixture.T for p in power])
    found = joint_filters(means, np.full(3, 1 / 3), n_kept=3)
    gains = np.abs(found @ mixture)  # (filters, sources)
    assert sorted(gains.argmax(axis=1)) == [0, 1, 2]
    assert (np.sort(gains, axis=1)[:, -2] < 1e-4 * gains.max(axis=1)).all()


def test_joint_filters_come_by_what_they_tell() -> None:
    share = np.array([0.5, 0.3, 0.2])
    power = np.exp(np.random.default_rng(0).normal(0, 2, (3, N_CHANNELS)))
    found = joint_filters(np.stack([np.diag(p) for p in power]), share, N_CHANNELS)
    told = []
    for source in range(N_CHANNELS):
        relative = power[:, source] / sum(
            s * p for s, p in zip(share, power[:, source], strict=True)
        )
        gain = sum(s * np.log(np.sqrt(r)) for s, r in zip(share, relative, strict=True))
        loss = sum(s * (r**2 - 1) for s, r in zip(share, relative, strict=True))
        told.append(-gain - 3 / 16 * loss**2)
    np.testing.assert_array_equal(np.abs(found).argmax(axis=1), np.argsort(-np.array(told)))


@pytest.mark.parametrize("multiclass", ["ovr", "joint"])
def test_three_planted_classes_are_told_apart(multiclass) -> None:
    X, y, mixture = recording(3)
    csp = CSP(n_components=4, multiclass=multiclass).fit(covariances(X), y)
    n_sets = 3 if multiclass == "ovr" else 1
    assert csp.filters_.shape == (1, n_sets, 4, N_CHANNELS)
    test, labels, _ = recording(3, seed=1)
    features, told = (csp.transform(covariances(each)).reshape(60, -1) for each in (X, test))
    assert LinearDiscriminantAnalysis().fit(features, y).score(told, labels) > 0.95
    if multiclass == "ovr":  # the last filter of set k listens to source k
        gains = np.abs(csp.filters_[0, :, -1] @ mixture)
        np.testing.assert_array_equal(gains.argmax(axis=1), [0, 1, 2])


def test_one_against_the_rest_is_weighted_by_trials() -> None:
    X, y, _ = recording(3)
    kept = np.flatnonzero((y > 0) | (np.arange(60) < 20))  # class 0 is rare
    C, y = covariances(X[kept]), y[kept]
    csp = CSP(n_components=2, shrinkage=0.0).fit(C, y)
    for k in range(3):
        expected = pair_filters(C[y == k].mean(axis=0), C[y != k].mean(axis=0), 2)
        np.testing.assert_allclose(np.abs(csp.filters_[0, k]), np.abs(expected), rtol=1e-5)


def test_transform_is_the_log_power_of_filtered_trials() -> None:
    X, y, _ = recording(2)
    bands = np.stack([X, X[..., ::-1] * np.linspace(1, 2, N_CHANNELS)[:, None]], axis=1)
    csp = CSP(n_components=2, shrinkage=0.0).fit(covariances(bands), y)
    found = csp.transform(covariances(bands))
    assert found.shape == (60, 2, 1, 2)
    for band in range(2):
        filtered = csp.filters_[band, 0] @ bands[:, band]
        np.testing.assert_allclose(found[:, band, 0], np.log(filtered.var(axis=-1)), atol=1e-9)


@pytest.mark.parametrize("multiclass", ["ovr", "joint"])
def test_rank_deficient_recordings_stay_finite(multiclass) -> None:
    X, y, _ = recording(3)
    X[:, -1] = -X[:, :-1].sum(axis=1)  # average reference
    X[:, 2] = 0.0  # a dead channel
    C = covariances(X)
    for shrinkage in (0.0, 0.05):
        csp = CSP(multiclass=multiclass, shrinkage=shrinkage).fit(C, y)
        assert np.isfinite(csp.transform(C)).all()


def test_shrinkage_changes_the_filters() -> None:
    X, y, _ = recording(2)
    X[:, 0] *= 10
    C = covariances(X)
    little, much = (CSP(n_components=2, shrinkage=s).fit(C, y).filters_ for s in (0.0, 0.9))
    assert overlap(little[0, 0], much[0, 0]) < 0.99
    assert np.isfinite(much).all()
