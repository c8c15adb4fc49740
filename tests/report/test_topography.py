"""Heads by MNE: one for each stretch of time, values where their electrodes are."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from eegvit.report.topography import draw_topography

NAMES = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")


@pytest.mark.parametrize("names", [NAMES, NAMES[3:6], ("c3", "CZ", "Pz")])
def test_heads_are_drawn_and_no_plot_is_left_open(names: tuple[str, ...], tmp_path: Path) -> None:
    from matplotlib import pyplot

    before, backend = pyplot.get_fignums(), matplotlib.get_backend()
    values = np.random.default_rng(0).random((len(names), 20))
    path = draw_topography(values, names, tmp_path / "heads.png", window=(0.0, 4.0), n_heads=4)
    height, width = pyplot.imread(path).shape[:2]
    assert width > 3 * height / 2 and path.stat().st_size > 5000
    assert pyplot.get_fignums() == before and matplotlib.get_backend() == backend


def test_what_is_high_on_the_left_is_drawn_on_the_left(tmp_path: Path) -> None:
    from matplotlib import pyplot

    left = np.array([[name.endswith("3") - name.endswith("4")] for name in NAMES], dtype=float)
    path = draw_topography(left, NAMES, tmp_path / "left.png", window=(0.0, 1.0))
    picture = pyplot.imread(path)[:, :, :3]  # viridis: yellow is high, violet is low
    yellow = (picture[..., 0] > 0.7) & (picture[..., 1] > 0.8) & (picture[..., 2] < 0.5)
    violet = (picture[..., 0] < 0.35) & (picture[..., 1] < 0.2) & (picture[..., 2] > 0.25)
    head = slice(0, int(0.55 * picture.shape[1]))  # beside it stands the scale
    across = np.arange(picture.shape[1])[head]
    assert across[yellow[:, head].any(0)].mean() < across[violet[:, head].any(0)].mean()


def test_an_unknown_electrode_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no position is known for EEG1"):
        draw_topography(np.ones((2, 3)), ("C3", "EEG1"), tmp_path / "a.png", window=(0, 1))
