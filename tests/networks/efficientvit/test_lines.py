"""What straight lines see of a trial, and that they are the regressions they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import logm
from sklearn.linear_model import LogisticRegression

from eegvit.networks.efficientvit.lines import PENALTY, Lines, regression
from eegvit.networks.efficientvit.seen import (
    LOWEST,
    SHRINKAGE,
    SPACING,
    Course,
    Covariance,
    Spectrum,
)


def signals(n: int = 4, n_channels: int = 5, n_times: int = 400) -> torch.Tensor:
    x = torch.randn(n, n_channels, n_times, generator=torch.Generator().manual_seed(0))
    return x.double() * torch.arange(1, n_channels + 1)[:, None]


def test_covariance_is_close_to_the_logarithm_of_one_that_is_shrunk() -> None:
    x = signals()
    seen = Covariance(5)(x)
    rows, columns = np.triu_indices(5, 1)
    for trial, features in zip(x.numpy(), seen.numpy(), strict=True):
        scale = np.sqrt((1 - SHRINKAGE) * (trial**2).mean(1) + SHRINKAGE * (trial**2).mean())
        covariance = (1 - SHRINKAGE) * trial @ trial.T / trial.shape[1]
        np.fill_diagonal(covariance, scale**2)
        correlation = logm(covariance / np.outer(scale, scale))
        np.testing.assert_allclose(
            features[:5], 2 * np.log(scale) + np.diag(correlation), atol=2e-3
        )
        expected = np.sqrt(2) * correlation[rows, columns]
        np.testing.assert_allclose(features[5:], expected, atol=2e-3)
    assert seen[:, 5:].abs().max() > 0.1


def test_course_is_the_mean_of_stretches_whatever_the_length() -> None:
    x = signals(n_times=320)
    expected = x.unflatten(2, (16, 20)).mean(3).flatten(1)
    torch.testing.assert_close(Course(320)(x), expected)
    assert Course(320)(torch.zeros(1, 5, 500)).shape == (1, 80)


@pytest.mark.parametrize("hertz", [8.0, 13.0, 30.0])
def test_a_rhythm_is_where_its_frequency_is(hertz: float) -> None:
    times = torch.arange(500) / 125.0
    x = torch.sin(2 * torch.pi * hertz * times + torch.tensor([[0.3], [1.2]]))[None]
    seen = Spectrum(500, 125.0)(x).unflatten(1, (2, -1))
    top = LOWEST + SPACING * seen.argmax(2).float()
    assert ((top - hertz).abs() <= SPACING / 2).all()
    torch.testing.assert_close(seen[:, 0], seen[:, 1], atol=0.1, rtol=0.0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_regression_is_that_of_scikit_learn(n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    features = rng.standard_normal((90, 6))
    y = (features[:, :n_classes] + rng.standard_normal((90, n_classes))).argmax(1)
    slope, offset = regression(torch.from_numpy(features), torch.from_numpy(y), n_classes)
    # two rows of opposite weights carry half the penalty of one row of their difference
    C = (1 if n_classes > 2 else 2) / (PENALTY * len(y))
    model = LogisticRegression(C=C, tol=1e-9, max_iter=1000).fit(features, y)
    told = (torch.from_numpy(features) @ slope.T + offset).softmax(1)
    np.testing.assert_allclose(told, model.predict_proba(features), atol=1e-5)


def test_how_channels_are_listed_and_scaled_changes_nothing() -> None:
    x, y = signals(n=30).float(), torch.arange(30) % 3
    listed = torch.tensor([3, 0, 4, 1, 2])
    one = Lines(5, 400, 3, sfreq=100.0)
    other = Lines(5, 400, 3, sfreq=100.0, order=listed.argsort())
    one.settle(x.split(7), y)
    other.settle([x[:, listed]], y)
    for a, b in zip(one(x), other(x[:, listed]), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0.0)
    louder = Lines(5, 400, 3, sfreq=100.0)
    louder.settle([8 * x], y)
    for a, b in zip(one(x), louder(8 * x), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=0.0)


def test_where_features_are_many_single_precision_does(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = signals(n=40).float(), torch.arange(40) % 3
    one, other = (Lines(5, 400, 3, sfreq=100.0) for _ in range(2))
    one.settle([x], y)
    monkeypatch.setattr("eegvit.networks.efficientvit.lines.MANY", 10)
    other.settle([x], y)
    assert any(not torch.equal(a, b) for a, b in zip(one(x), other(x), strict=True))
    for a, b in zip(one(x), other(x), strict=True):
        torch.testing.assert_close(a.softmax(1), b.softmax(1), atol=1e-3, rtol=0.0)


def test_lines_of_short_trials_and_slow_recordings() -> None:
    for n_times, sfreq in ((16, 64.0), (5, 20.0), (51, 50.0)):
        lines = Lines(2, n_times, 2, sfreq=sfreq)
        x = torch.randn(6, 2, n_times, generator=torch.Generator().manual_seed(1))
        x[0] = 0.0
        lines.settle([x], torch.arange(6) % 2)
        assert all(logits.isfinite().all() for logits in lines(x))
