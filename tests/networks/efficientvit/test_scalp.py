"""Orders, places and interpolation over the scalp."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from eegvit.networks.efficientvit.maps.scalp import (
    angles,
    directions_of,
    far_apart,
    front_to_back,
    grid_directions,
    interpolation,
)

GRAZ_ROWS = {
    "F": "z",
    "FC": "31z24",
    "C": "531z246",
    "CP": "31z24",
    "P": "1z2",
    "PO": "z",
}
GRAZ = tuple(row + place for row, places in GRAZ_ROWS.items() for place in places)
SIXTY_FOUR = mne.channels.make_standard_montage("biosemi64").ch_names
EVERY = [
    name
    for name in mne.channels.make_standard_montage("easycap-M1").ch_names
    if name not in ("T3", "T4", "T5", "T6", "O9", "O10")
] + ["AFF1h", "FFC3h", "CCP4h", "PPO2h", "CCP3h", "FCC1h", "FCC2h"]


def random_smooth_field(rng: np.random.Generator):
    """Return a function of directions that is a polynomial of degree 2 on the sphere."""
    slope, curve = rng.standard_normal(3), rng.standard_normal((3, 3))
    return lambda u: u @ slope + np.einsum("ni,ij,nj->n", u, curve, u)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 8, 19, 32, 64, 74])
def test_the_order_and_the_places_are_those_of_the_electrodes(n_channels: int) -> None:
    rng = np.random.default_rng(n_channels)
    names = rng.permutation(EVERY)[:n_channels]
    again = rng.permutation(names)
    orders = [each[front_to_back(directions_of(each, ""))].tolist() for each in (names, again)]
    assert orders[0] == orders[1] and sorted(orders[0]) == sorted(names)
    where = directions_of(orders[0], "")
    assert (np.diff(where[:, 1].round(2)) <= 0).all()
    n = min(6, n_channels)
    chosen = far_apart(where, n)
    assert len(set(chosen.tolist())) == n and (np.diff(chosen) > 0).all()
    if n_channels >= 32:
        apart = angles(where[chosen], where[chosen]) + 9 * np.eye(n)
        assert apart.min() > 0.7, "places lie together"
        assert angles(where, where[chosen]).min(axis=1).max() < 1.1, "no place near an electrode"


def test_interpolation_of_smooth_fields() -> None:
    rng = np.random.default_rng(0)
    grid = grid_directions().reshape(-1, 3)
    many, few = directions_of(SIXTY_FOUR, ""), directions_of(GRAZ, "")
    near_few = angles(grid, few).min(axis=1) < np.radians(15)
    assert near_few.sum() >= 8
    for _ in range(10):
        field = random_smooth_field(rng)
        from_many = interpolation(many, grid) @ field(many)
        from_few = interpolation(few, grid) @ field(few)
        assert np.corrcoef(from_many, field(grid))[0, 1] > 0.98
        assert np.corrcoef(from_few[near_few], field(grid)[near_few])[0, 1] > 0.95


def test_interpolation_is_nothing_where_no_electrode_is() -> None:
    weights = interpolation(directions_of(["C3"], ""), directions_of(["C3", "C4", "O2"], ""))
    assert weights[0, 0] > 0.9 and np.abs(weights[1:]).max() < 0.05


def test_unknown_names_are_told() -> None:
    with pytest.raises(ValueError, match=r"layout 'grid' needs the position.*: EEG7, Q1\. Rename"):
        directions_of(["Cz", "EEG7", "Q1"], "layout 'grid'")
    with pytest.raises(ValueError, match="layout 'grid' needs the names"):
        directions_of(None, "layout 'grid'")
    np.testing.assert_array_equal(directions_of(["cz"], ""), directions_of(["Cz"], ""))
