"""Tangent vectors of bands against pyRiemann's."""

from __future__ import annotations

import numpy as np
import pytest
from pyriemann.tangentspace import TangentSpace

from eegvit.features.covariances import covariances
from eegvit.features.tangent import BandTangentSpace


@pytest.fixture
def C() -> np.ndarray:
    """Return covariances of 20 trials in 3 bands, 5 channels, each band at its own level."""
    X = (
        np.random.default_rng(0).standard_normal((20, 3, 5, 60))
        * np.array([1, 5, 20])[:, None, None]
    )
    return covariances(np.random.default_rng(1).standard_normal((5, 5)) @ X)


def test_each_band_is_pyriemanns_tangent_space(C) -> None:
    train, test = C[:12], C[12:]
    found = BandTangentSpace().fit(train).transform(test)
    assert found.shape == (8, 3 * 15)
    for band in range(3):
        expected = TangentSpace().fit(train[:, band]).transform(test[:, band])
        np.testing.assert_allclose(found[:, 15 * band : 15 * (band + 1)], expected, atol=1e-6)


def test_a_single_band_needs_no_axis(C) -> None:
    alone, as_band = (
        BandTangentSpace().fit_transform(C[:, 0]),
        BandTangentSpace().fit_transform(C[:, :1]),
    )
    np.testing.assert_array_equal(alone, as_band)


def test_the_mean_comes_from_training_alone(C) -> None:
    space = BandTangentSpace().fit(C[:12])
    alone, with_others = space.transform(C[12:13]), space.transform(C[12:])
    np.testing.assert_allclose(alone[0], with_others[0], atol=1e-12)
    assert not np.allclose(BandTangentSpace().fit(C).transform(C[12:13]), alone)
    np.testing.assert_allclose(BandTangentSpace().fit_transform(C).mean(axis=0), 0, atol=1e-6)
