"""The filter bank against SciPy's forward-backward filters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from eegvit.features import filterbank as module
from eegvit.features.covariances import covariances
from eegvit.features.filterbank import (
    FLOOR,
    MU_AND_BETA,
    NINE_BANDS,
    FilterBankCovariances,
    band_covariances,
    filter_bank,
)

SFREQ = 125.0


@pytest.fixture
def X() -> np.ndarray:
    """Return 8 trials of 4 s, 3 channels: drifting noise with an offset."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 3, 500))
    return X + 0.1 * np.cumsum(rng.standard_normal(X.shape), axis=-1) + 5.0


def peer(X: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    """Filter by SciPy, with a continuation of one second as ours has."""
    sos = butter(4, band, "bandpass", fs=SFREQ, output="sos")
    return sosfiltfilt(sos, X, padlen=round(SFREQ))


def rms(X: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(X))))


@pytest.mark.parametrize("band", [*NINE_BANDS, MU_AND_BETA[0]])
def test_it_is_scipys_zero_phase_filter(X, band) -> None:
    (found,) = filter_bank(X, [band], SFREQ)
    expected = peer(X, band)
    error, level = found - expected, rms(expected)
    inner = slice(125, -125)  # one second from either end
    assert rms(error[..., inner]) < 1e-3 * level
    assert rms(error) < 1.5e-2 * level
    assert np.abs(error).max() < 0.15 * level


@pytest.mark.parametrize("hz", [10.0, 20.0, 30.0])
def test_a_rhythm_passes_in_place_and_is_stopped_elsewhere(hz) -> None:
    time = np.arange(500) / SFREQ
    rhythm = np.sin(2 * np.pi * hz * time)[None, None]
    inside, outside = filter_bank(rhythm, [(hz - 2, hz + 2), (hz + 6, hz + 10)], SFREQ)
    inner = slice(125, -125)
    assert rms(inside[..., inner] - rhythm[..., inner]) < 0.02
    assert rms(outside[..., inner]) < 0.02


def test_single_precision_stays_single_and_close(X) -> None:
    for single, double in zip(
        filter_bank(X.astype(np.float32), NINE_BANDS, SFREQ),
        filter_bank(X, NINE_BANDS, SFREQ),
        strict=True,
    ):
        assert single.dtype == np.float32
        assert rms(single - double) < 1e-5 * rms(X)


@pytest.mark.parametrize("n_times", [1, 2, 60, 125, 126])
def test_short_trials(n_times) -> None:
    X = np.random.default_rng(0).standard_normal((2, 3, n_times))
    for band in filter_bank(X, NINE_BANDS, SFREQ):
        assert band.shape == X.shape and np.isfinite(band).all()


@pytest.mark.parametrize("estimator", ["scm", "oas", "lwf"])
def test_covariances_are_those_of_the_filtered_trials(X, estimator) -> None:
    found = FilterBankCovariances(sfreq=SFREQ, bands=MU_AND_BETA, estimator=estimator).transform(X)
    assert found.shape == (8, len(MU_AND_BETA), 3, 3)
    floor = FLOOR * np.square(X).mean(axis=(1, 2))[:, None, None] * np.eye(3)
    for i, filtered in enumerate(filter_bank(X, MU_AND_BETA, SFREQ)):
        expected = covariances(filtered, estimator) + floor
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-9, atol=1e-12)


def test_chunks_change_nothing(X, monkeypatch) -> None:
    step = FilterBankCovariances(sfreq=SFREQ)
    whole = step.transform(X)
    for chunk in (1, 4 * 3 * X[0].size):  # one trial, then three at a time
        monkeypatch.setattr(module, "CHUNK", chunk)
        np.testing.assert_allclose(step.transform(X), whole, rtol=1e-9, atol=1e-12)


def test_a_band_that_a_recording_lacks_stays_regular() -> None:
    X = np.random.default_rng(0).standard_normal((4, 3, 500))
    (slow,) = filter_bank(X, [(4.0, 8.0)], SFREQ)
    found = FilterBankCovariances(sfreq=SFREQ, estimator="scm").transform(slow)
    assert (np.linalg.eigvalsh(found) > 0).all()
    flat = FilterBankCovariances(sfreq=SFREQ).transform(np.zeros((1, 3, 500)))
    assert np.isfinite(np.log(np.linalg.det(1e200 * flat))).all()


@pytest.mark.parametrize("band", [(0.0, 4.0), (12.0, 8.0), (60.0, 62.5), (8.0, 8.0)])
def test_a_band_that_cannot_be_is_refused(X, band) -> None:
    with pytest.raises(ValueError, match="does not lie between 0 and 62.5 Hz"):
        FilterBankCovariances(sfreq=SFREQ, bands=(band,)).transform(X)


def test_single_precision_keeps_small_bands_beside_a_large_drift(X) -> None:
    X = X + 50 * np.cumsum(np.random.default_rng(1).standard_normal(X.shape), axis=-1)
    single = band_covariances(X.astype(np.float32), NINE_BANDS[2:], SFREQ)
    filtered = filter_bank(X, NINE_BANDS[2:], SFREQ)
    for found, expected in zip(single, map(covariances, filtered), strict=True):
        assert found.dtype == np.float64
        scale = np.sqrt(np.diagonal(expected, axis1=1, axis2=2))
        assert (np.abs(found - expected) / (scale[:, None] * scale[..., None])).max() < 1e-4


def test_few_bins_and_directions_stand_for_a_band() -> None:
    passed, basis = module._passed(8.0, 12.0, 250.0, 1000, "float32")
    n_bins = passed.stop - passed.start
    assert basis.dtype == np.float32 and basis.shape[0] == 2 * n_bins < 250
    assert 60 < basis.shape[1] < 130  # of 1000 samples
