"""Trials that overlap in time are known by their onsets, given or found."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.views.fingerprints import fingerprints, rate_of
from eegvit.views.overlaps import onsets_of, overlapping


@pytest.mark.parametrize("apart", [0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_onsets_are_found_where_trials_overlap(apart):
    raw = np.cumsum(np.random.default_rng(0).standard_normal((4, 12000)), axis=1)
    starts = np.arange(9) * round(apart * 250)
    X = np.stack([raw[:, start : start + 500] for start in starts])
    found = onsets_of(fingerprints(X, ["C3", "Cz", "C4", "Pz"], 250.0), rate_of(250.0), 2.0)
    np.testing.assert_allclose(np.diff(found), min(apart, 2.0), atol=0.003)


def test_pairs_are_those_that_begin_within_a_length():
    onsets = np.array([0.0, 0.2, 0.4, 1.0, 1.8, 1.9, 4.0])
    found = {tuple(pair) for pair in overlapping(onsets, 1.0).tolist()}
    wanted = {(i, j) for j in range(7) for i in range(j) if onsets[j] - onsets[i] < 1.0}
    assert found == wanted and not len(overlapping(np.empty(0), 1.0))


def test_trials_too_short_or_too_slow_to_tell_are_taken_one_after_the_other():
    X = np.random.default_rng(0).standard_normal((3, 2, 32))
    found = onsets_of(fingerprints(X, ["C3", "C4"], 32.0), rate_of(32.0), 1.0)
    assert found.tolist() == [0.0, 1.0, 2.0]
    assert onsets_of(fingerprints(X[:1], ["C3", "C4"], 32.0), rate_of(32.0), 1.0).tolist() == [0.0]
