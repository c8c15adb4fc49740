"""Each layout makes the map it says, from any montage and any window."""

from __future__ import annotations

import math
from typing import Any

import mne
import numpy as np
import pytest
import torch
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.layouts import (
    LAYOUTS,
    grid_matrix,
    make_layout,
)
from eegvit.networks.efficientvit.maps.scalp import angles, directions_of
from eegvit.networks.efficientvit.maps.scalp_map import AROUND, N_FILTERS, ScalpMap
from eegvit.networks.efficientvit.maps.temporal_map import TemporalSpatialMap
from eegvit.networks.fold import fold

GRAZ_ROWS = {
    "F": "z",
    "FC": "31z24",
    "C": "531z246",
    "CP": "31z24",
    "P": "1z2",
    "PO": "z",
}
GRAZ = tuple(row + place for row, places in GRAZ_ROWS.items() for place in places)
SIXTY_FOUR = tuple(mne.channels.make_standard_montage("biosemi64").ch_names)
DENSE = mne.channels.make_standard_montage("brainproducts-RNP-BA-128").ch_names
MONTAGES: dict[tuple[int, int, float], tuple[str, ...]] = {
    (3, 500, 125.0): ("C3", "Cz", "C4"),
    (8, 206, 256.0): ("Fz", "Cz", "P3", "Pz", "P4", "PO7", "PO8", "Oz"),
    (22, 1000, 250.0): GRAZ,
    (64, 480, 160.0): SIXTY_FOUR,
}
SIZES = {  # rows and columns of the map
    "conv": [(1, 62), (1, 12), (1, 62), (1, 48)],
    "scalp": [(3, 16), (6, 15), (6, 16), (6, 16)],
    "grid": [(5, 32), (5, 7), (5, 32), (5, 24)],
}


def signals(n: int, n_channels: int, n_times: int, seed: int = 0) -> Tensor:
    """Return noise."""
    return torch.randn(n, n_channels, n_times, generator=torch.Generator().manual_seed(seed))


def made(layout: str, names: tuple[str, ...], sfreq: float, width: int = 12) -> nn.Module:
    """Return a layout with random weights, for inference."""
    module = make_layout(layout, len(names), 500, width, sfreq=sfreq, ch_names=names)
    randomise(module)
    return module.eval()


@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_maps_of_the_data_sets(layout: str, case: int) -> None:
    (n_channels, n_times, sfreq), names = list(MONTAGES.items())[case]
    module = make_layout(layout, n_channels, n_times, 12, sfreq=sfreq, ch_names=names)
    x = signals(4, n_channels, n_times).requires_grad_()
    out = module(x)
    assert out.shape == (4, 12, *SIZES[layout][case])
    (out * torch.randn(out.shape)).sum().backward()
    assert x.grad is not None and (x.grad.abs().sum((0, 2)) > 0).all(), "a channel is not seen"
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n_channels", [3, 7, 33, 128])
@pytest.mark.parametrize(("seconds", "sfreq"), [(0.5, 125.0), (2.13, 250.0), (10.0, 128.0)])
def test_any_montage_and_window(layout: str, n_channels: int, seconds: float, sfreq: float) -> None:
    names = tuple(np.random.default_rng(0).permutation(DENSE)[:n_channels].tolist())
    n_times = round(seconds * sfreq)
    module = make_layout(layout, n_channels, n_times, 8, sfreq=sfreq, ch_names=names)
    out = module(signals(2, n_channels, n_times))
    column = {"scalp": max(0.04, seconds / 16), "grid": 0.128}.get(layout, 0.064)
    columns = seconds / column
    assert abs(out.shape[3] - columns) < 1.5 + 0.03 * columns and out.isfinite().all()
    assert out.shape[2] <= 6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_odd_width_zeros_and_constants(layout: str) -> None:
    module = make_layout(layout, 22, 300, 9, sfreq=250.0, ch_names=GRAZ)
    for x in (torch.zeros(2, 22, 300), torch.full((2, 22, 300), 5.0)):
        x.requires_grad_()
        out = module.train()(x)
        out.square().sum().backward()
        assert out.shape[1] == 9 and out.isfinite().all() and x.grad.isfinite().all()  # type: ignore[union-attr]
        assert module.eval()(x).isfinite().all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folded_is_unfolded(layout: str) -> None:
    module, x = made(layout, GRAZ, 250.0), signals(5, 22, 500)
    folded = fold(module)
    torch.testing.assert_close(folded(x), module(x), atol=1e-5, rtol=1e-5)
    kept = [m for m in folded.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert not kept


@pytest.mark.parametrize("layout", ["scalp", "grid"])
def test_the_order_of_channels_does_not_matter_if_they_are_named(layout: str) -> None:
    order = torch.randperm(22, generator=torch.Generator().manual_seed(3))
    shuffled = tuple(GRAZ[i] for i in order)
    x = signals(2, 22, 250)
    expected = made(layout, GRAZ, 250.0)(x)
    torch.testing.assert_close(made(layout, shuffled, 250.0)(x[:, order]), expected)


def test_without_known_names() -> None:
    for names in (None, ("Cz", "X1", "C3")):
        layout = make_layout("scalp", 3, 500, 8, sfreq=250.0, ch_names=names)
        assert layout.places is None and layout.order.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="layout 'grid' needs .*EEG1, EEG2"):
        make_layout("grid", 3, 500, 8, sfreq=250.0, ch_names=("EEG1", "EEG2", "Cz"))
    with pytest.raises(ValueError, match="needs the names"):
        make_layout("grid", 3, 500, 8, sfreq=250.0)
    with pytest.raises(ValueError, match="2 channel names for 3 channels"):
        make_layout("scalp", 3, 500, 8, sfreq=250.0, ch_names=("C3", "C4"))
    with pytest.raises(ValueError, match="did you mean 'scalp'"):
        make_layout("scalpp", 3, 500, 8, sfreq=250.0)


def test_spatial_filters_begin_around_their_place() -> None:
    layout = ScalpMap(64, 500, 8, sfreq=250.0, ch_names=SIXTY_FOUR)
    where = directions_of(SIXTY_FOUR, "")[layout.order]
    assert layout.places is not None
    near = torch.from_numpy(angles(layout.places, where) < 2 * AROUND)
    share = layout.front.spatial.detach().square().view(N_FILTERS, *near.shape).sum(0)
    assert ((share * near).sum(1) > 0.9 * share.sum(1)).all()
    shares = layout.shares()  # of channels as they are listed
    nearest = torch.from_numpy(angles(directions_of(SIXTY_FOUR, ""), layout.places)).argmin(1)
    assert (shares.argmax(1) == nearest).float().mean() > 0.85
    torch.testing.assert_close(shares.sum(1), torch.ones(64))


def test_scalp_map_is_what_it_says() -> None:
    names = ("C4", "Fz", "C3")
    layer = ScalpMap(3, 160, 5, sfreq=100.0, ch_names=names).double().eval()
    randomise(layer)
    x = signals(2, 3, 160).double()
    assert names[layer.order[0]] == "Fz"
    with torch.no_grad():
        y = layer.norm(layer.front(x[:, layer.order])).unflatten(1, (N_FILTERS, 3))
        powers, means = [], []
        for column in range(16):  # of 10 samples; power is of the 40 about them
            start, stop = 10 * column, 10 * column + 10
            about = y[..., max(0, start - 15) : stop + 15]
            powers.append((about.square().mean(-1) + 0.01).log())
            means.append(y[..., start:stop].mean(-1))
        planes = torch.cat([layer.log_norm(torch.stack(powers, -1)), torch.stack(means, -1)], 1)
        expected = layer.project(planes) + layer.place
    torch.testing.assert_close(layer(x), expected, atol=1e-9, rtol=1e-9)


def test_the_grid_serves_several_montages() -> None:
    graz = made("grid", GRAZ, 250.0)
    many = make_layout("grid", 64, 500, 12, sfreq=250.0, ch_names=SIXTY_FOUR).eval()
    many.load_state_dict(graz.state_dict())
    rng = np.random.default_rng(0)
    sources = torch.from_numpy(rng.standard_normal((3, 250))).float()  # of a smooth field
    where = {
        names: torch.from_numpy(directions_of(names, "")).float() for names in (GRAZ, SIXTY_FOUR)
    }
    few, dense = (where[names] @ sources for names in (GRAZ, SIXTY_FOUR))
    cells = [torch.from_numpy(grid_matrix(where[names].numpy())).float() for names in where]
    seen = [(m @ x)[2:5, 1:4].flatten() for m, x in zip(cells, (few, dense), strict=True)]
    assert torch.corrcoef(torch.stack(seen))[0, 1] > 0.97
    out = many(dense[None])
    assert out.shape == graz(few[None]).shape == (1, 12, 5, 8)


def test_electrode_map_is_the_loops_that_it_says() -> None:
    n_planes, n_rows, n_channels, n_times = 2, 5, 4, 41
    matrix = np.random.default_rng(0).standard_normal((n_planes, n_rows, n_channels))
    layer = ElectrodeMap(matrix, 3, sfreq=50.0).double().eval()  # filters of 7 samples, steps of 2
    randomise(layer)
    x = signals(1, n_channels, n_times).double()
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    n_middle = len(state["filters.place"])

    def normed(value: float, name: str, plane: int) -> float:
        keys = ("running_mean", "running_var", "weight", "bias")
        mean, var, weight, bias = (state[f"{name}.{key}"][plane] for key in keys)
        return (value - mean) / math.sqrt(var + 1e-5) * weight + bias

    def at(a: Any, plane: int, row: int, time: int) -> float:
        inside = 0 <= row < a.shape[1] and 0 <= time < a.shape[2]
        return float(a[plane, row, time]) if inside else 0.0

    placed = np.einsum("prc,ct->prt", matrix.astype(np.float32), x[0].numpy())
    space = np.zeros((n_middle, 5, n_times))
    for p, r, t in np.ndindex(*space.shape):
        for q, i in np.ndindex(n_planes, 3):
            weight = state["filters.space.weight"][p, q, i, 0]
            space[p, r, t] += weight * at(placed, q, r + i - 1, t)
    middle = np.zeros((n_middle, 5, 21))
    for p, r, t in np.ndindex(*middle.shape):
        weights = state["filters.time.weight"][p, 0, 0]
        total = sum(weights[j] * at(space, p, r, 2 * t + j - 3) for j in range(7))
        place = state["filters.place"][p, r, 0]
        middle[p, r, t] = max(0.0, normed(total, "filters.norm", p) + place)
    expected = np.zeros((3, 5, 6))
    for p, r, t in np.ndindex(*expected.shape):
        total = 0.0
        for q, i, j in np.ndindex(n_middle, 3, 9):
            weight = state["project.conv.weight"][p, q, i, j]
            total += weight * at(middle, q, r + i - 1, 4 * t + j - 4)
        expected[p, r, t] = normed(total, "project.norm", p)
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), expected, atol=1e-10)


def test_temporal_spatial_map_is_what_it_says() -> None:
    layer = TemporalSpatialMap(4, 6, sfreq=125.0).double().eval()
    randomise(layer)
    x = signals(3, 4, 130).double()
    with torch.no_grad():
        front = layer.front
        filtered = torch.nn.functional.conv2d(
            x[:, None], front.temporal[:, None, None], padding=(0, 15)
        )
        normed = front.norm(filtered)  # (n, 3 filters, channels, times)
        spatial = front.spatial / front.spatial.norm(dim=1, keepdim=True).clamp_min(1.0)
        parts = [spatial[k] @ normed[:, k // 2] for k in range(6)]
        y = nn.functional.batch_norm(
            torch.stack(parts, 1),
            layer.norm.running_mean,
            layer.norm.running_var,
            layer.norm.weight,
            layer.norm.bias,
            eps=1e-3,
        )
        y = torch.where(y > 0, y, y.exp() - 1)
        expected = torch.stack([y[..., 8 * t : 8 * t + 8].mean(-1) for t in range(16)], -1)
    torch.testing.assert_close(layer(x), expected[:, :, None], atol=1e-6, rtol=1e-5)
