"""Neighbours, lattices, walks and interpolation over the scalp."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from eegvit.networks.efficientvit.maps.scalp import (
    along_the_scalp,
    angles,
    directions_of,
    grid_directions,
    interpolation,
    lattice,
    n_kept,
    neighbour_pairs,
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


def test_what_each_order_keeps_of_the_neighbours_in_data_set_2a() -> None:
    where = directions_of(GRAZ, "")
    pairs = neighbour_pairs(where)
    assert len(pairs) == 32
    assert (np.abs(pairs[:, 0] - pairs[:, 1]) == 1).sum() == 16  # raster order
    walk = along_the_scalp(where)
    place = np.argsort(walk)
    apart = np.abs(place[pairs[:, 0]] - place[pairs[:, 1]])
    assert ((apart == 1).sum(), (apart <= 2).sum()) == (16, 20)
    assert np.degrees(angles(where, where)[walk[:-1], walk[1:]].max()) < 45  # raster order: 113
    cells = lattice(where)
    assert cells.max(axis=0).tolist() == [5, 6] and n_kept(cells, pairs) == 32
    row, column = dict(zip(GRAZ, cells.T[0], strict=True)), dict(zip(GRAZ, cells.T[1], strict=True))
    assert row["Fz"] < row["FCz"] < row["Cz"] < row["CPz"] < row["Pz"] < row["POz"]
    assert column["C5"] < column["C3"] < column["C1"] < column["Cz"] < column["C4"] < column["C6"]
    assert row["C5"] == row["C6"] and column["Fz"] == column["POz"]


@pytest.mark.parametrize("n_channels", [1, 2, 3, 8, 19, 32, 64, 74])
def test_any_electrodes_get_cells_and_a_walk(n_channels: int) -> None:
    chosen = np.random.default_rng(n_channels).permutation(EVERY)[:n_channels].tolist()
    where = directions_of(chosen, "")
    cells, walk = lattice(where), along_the_scalp(where)
    assert len({tuple(cell) for cell in cells.tolist()}) == n_channels
    assert (cells.min(axis=0) == 0).all()
    assert sorted(walk.tolist()) == list(range(n_channels))


def test_a_dense_montage_keeps_most_neighbours() -> None:
    where = directions_of(SIXTY_FOUR, "")
    pairs, cells = neighbour_pairs(where), lattice(where)
    assert n_kept(cells, pairs) >= 0.9 * len(pairs)
    place = np.argsort(along_the_scalp(where))
    walked = (np.abs(place[pairs[:, 0]] - place[pairs[:, 1]]) == 1).sum()
    assert walked > (np.abs(pairs[:, 0] - pairs[:, 1]) == 1).sum()


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
