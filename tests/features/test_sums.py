"""What learns from sums learns the same from one block as from many."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.features.csp import CSP
from eegvit.features.sums import added, class_sums

EDGES = (0, 7, 8, 30, 48)


@pytest.fixture
def labelled() -> tuple[np.ndarray, np.ndarray]:
    """Return covariances of two bands (48, 2, 5, 5) and labels of three classes, in runs."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((48, 2, 5, 60)) * rng.uniform(0.5, 2, (48, 2, 5, 1))
    y = np.repeat(["right", "feet", "left"], 16)
    return X @ X.swapaxes(2, 3) / 60, y


def test_sums_of_blocks_are_those_of_all(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    C, y = labelled
    parts = [class_sums(C[i:j], y[i:j]) for i, j in zip(EDGES, EDGES[1:], strict=False)]
    assert set(parts[0]) == {"right"}  # a block need not have every class
    whole = added(parts)
    assert list(whole) == ["feet", "left", "right"]
    for label, (n, total) in whole.items():
        assert n == 16
        np.testing.assert_allclose(total, C[y == label].sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("multiclass", ["ovr", "joint"])
def test_csp_block_by_block(labelled: tuple[np.ndarray, np.ndarray], multiclass: str) -> None:
    C, y = labelled
    blocks = list(zip(EDGES, EDGES[1:], strict=False))
    plain = CSP(multiclass=multiclass).fit(C, y)
    blocked = CSP(multiclass=multiclass).fit_sums(
        added(class_sums(C[i:j], y[i:j]) for i, j in blocks)
    )
    assert blocked.classes_.tolist() == plain.classes_.tolist() == ["feet", "left", "right"]
    np.testing.assert_allclose(blocked.filters_, plain.filters_, rtol=1e-6, atol=1e-9)
    told = np.concatenate([plain.transform(C[i:j]) for i, j in blocks])
    np.testing.assert_allclose(told, plain.transform(C), rtol=1e-10)


def test_power_is_that_behind_the_filters(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    C, y = labelled
    csp = CSP(n_components=3).fit(C, y)
    expected = np.log(np.einsum("bskc,nbcd,bskd->nbsk", csp.filters_, C, csp.filters_))
    np.testing.assert_allclose(csp.transform(C), expected, rtol=1e-10)
