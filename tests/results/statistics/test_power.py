"""The smallest difference that four of five studies find, against simulated studies."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.results.statistics.flips import sign_flip
from eegvit.results.statistics.power import detectable


@pytest.mark.parametrize("n_people", [9, 20, 40])
def test_four_of_five_studies_find_it(n_people: int) -> None:
    rng = np.random.default_rng(n_people)
    difference = detectable(0.05, n_people)
    studies = rng.normal(difference, 0.05, (400, n_people))
    found = np.mean([sign_flip(one) <= 0.05 for one in studies])
    assert 0.74 <= found <= 0.86


def test_few_people_can_show_nothing() -> None:
    assert np.isnan(detectable(0.05, 5)) and not np.isnan(detectable(0.05, 6))
    assert not np.isnan(detectable(0.05, 5, 2**-4)), "all signs alike are as rare as the level"
    assert np.isnan(detectable(0.05, 9, 0.001)) and np.isnan(detectable(float("nan"), 9))
    assert detectable(0.05, 9, 0.01) > detectable(0.05, 9) > detectable(0.05, 25)
