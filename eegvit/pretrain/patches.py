"""Patches of the electrodes x time map: hiding them, what they hold, and telling it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.pretrain.settings import Target

Shape = tuple[int, ...]
FLOOR = 1e-3  # of a power, over that of white noise: what is below is as good as nothing
LEAST = 0.1  # deviation of a logarithm of power: what varies less is not made to vary more


def draw_mask(
    n: int, n_channels: int, n_patches: int, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return (n, channels, patches): the same number of patches in each trial, at random.

    Examples
    --------
    >>> draw_mask(5, 3, 8, 0.5, np.random.default_rng(0)).sum((1, 2)).tolist()
    [12, 12, 12, 12, 12]
    """
    n_cells = n_channels * n_patches
    rank = rng.random((n, n_cells)).argsort(axis=1).argsort(axis=1)
    hidden = min(max(1, round(share * n_cells)), n_cells - 1) if share else 0
    return (rank < hidden).reshape(n, n_channels, n_patches)


def hide(x: Tensor, masked: Tensor) -> Tensor:
    """Return signals (n, channels, times) with masked patches (n, channels, patches) at 0.

    Examples
    --------
    >>> hide(torch.ones(1, 1, 5), torch.tensor([[[False, True]]])).tolist()
    [[[1.0, 1.0, 0.0, 0.0, 1.0]]]
    """
    length = x.shape[2] // masked.shape[2]
    over_time = masked.repeat_interleave(length, dim=2)
    return x.masked_fill(F.pad(over_time, (0, x.shape[2] - over_time.shape[2])), 0.0)


class Truth(nn.Module):
    """What each patch holds: its samples, or the logarithm of its power in bands.

    Both are of signals whose channels have mean 0 and deviation 1 over the training trials;
    powers have them over the training trials as well.

    Parameters
    ----------
    X : Tensor, shape (n, channels, times)
        Training trials.
    mean, scale : Tensor, shape (channels, 1)
        Of each channel.
    target : {"signal", "log_power"}
    n_patches, n_bands : int

    Examples
    --------
    >>> X = torch.randn(20, 3, 100)
    >>> truth = Truth(X, torch.zeros(3, 1), torch.ones(3, 1), "log_power", 4, 5)
    >>> truth(X).shape, bool(truth(X).mean().abs() < 1e-3)
    (torch.Size([20, 3, 4, 5]), True)
    """

    mean: Tensor
    scale: Tensor
    window: Tensor
    pooling: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(
        self, X: Tensor, mean: Tensor, scale: Tensor, target: Target, n_patches: int, n_bands: int
    ) -> None:
        super().__init__()
        length = X.shape[2] // n_patches
        if length < 4:
            raise ValueError(
                f"patches={n_patches}: a trial of {X.shape[2]} samples has patches of {length},"
                " too few; take fewer patches"
            )
        self.target, self.n_patches, self.length = target, n_patches, length
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.register_buffer("window", torch.hann_window(length, periodic=True))
        self.register_buffer("pooling", band_pooling(length // 2 + 1, n_bands))
        n_values = length if target == "signal" else self.pooling.shape[1]
        self.shape = (X.shape[1], n_patches, n_values)
        self.register_buffer("usual", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))
        if target == "log_power":
            held = torch.cat([self(self.standardised(part)) for part in X.split(256)])
            self.usual = held.mean((0, 2), keepdim=True)[0]
            self.spread = held.std((0, 2), keepdim=True)[0].clamp_min(LEAST)

    def forward(self, x: Tensor) -> Tensor:
        """Map standardised signals (n, channels, times) to (n, channels, patches, values)."""
        n_used = self.n_patches * self.length
        parts = x[:, :, :n_used].unflatten(2, (self.n_patches, self.length))
        if self.target == "signal":
            return parts
        power = torch.view_as_real(torch.fft.rfft(parts * self.window)).square().sum(-1)
        held = (power @ self.pooling / self.window.square().sum() + FLOOR).log()
        return (held - self.usual) / self.spread

    def standardised(self, x: Tensor) -> Tensor:
        """Return signals with mean 0 and deviation 1."""
        return (x - self.mean) / self.scale

    def restored(self, x: Tensor) -> Tensor:
        """Undo `standardised`."""
        return x * self.scale + self.mean


def band_pooling(n_frequencies: int, n_bands: int) -> Tensor:
    """Return (frequencies, bands) that averages over bands of one ratio where that can be.

    The lowest frequency, which is the mean of a patch, is in none.

    Examples
    --------
    >>> (band_pooling(6, 3) > 0).int().T.tolist()
    [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    """
    edges = np.round(np.geomspace(1, n_frequencies, min(n_bands, n_frequencies - 1) + 1))
    for i in range(1, len(edges)):  # every band has a frequency at least
        edges[i] = max(edges[i], edges[i - 1] + 1)
    edges = np.minimum(edges, n_frequencies).astype(int)
    pooling = torch.zeros(n_frequencies, len(edges) - 1)
    for band, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        pooling[start:stop, band] = 1 / max(1, stop - start)
    return pooling[:, pooling.sum(0) > 0]


class Decoder(nn.Module):
    """One linear layer from the maps of a network's stages to what each patch holds.

    Columns of a map are time, so each patch is told from the columns at its time; a map of
    one column tells all patches.

    Parameters
    ----------
    maps : sequence of (width, rows, columns)
    patches : (channels, patches, values)

    Examples
    --------
    >>> decoder = Decoder([(16, 1, 15), (8, 2, 4)], (3, 8, 5))
    >>> decoder([torch.randn(2, 16, 1, 15), torch.randn(2, 8, 2, 4)]).shape
    torch.Size([2, 3, 8, 5])
    """

    def __init__(self, maps: Sequence[Shape], patches: tuple[int, int, int]) -> None:
        super().__init__()
        self.patches = patches
        n_channels, n_patches, n_values = patches
        flat = [shape for shape in maps if shape[2] == 1]
        timed = [shape for shape in maps if shape[2] > 1]
        n_flat, n_timed = (sum(math.prod(s[:2]) for s in part) for part in (flat, timed))
        self.timed = nn.Linear(n_timed, n_channels * n_values) if n_timed else None
        self.flat = nn.Linear(n_flat, math.prod(patches)) if n_flat else None

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps to (n, channels, patches, values)."""
        n_channels, n_patches, n_values = self.patches
        told: Tensor | float = 0.0
        if self.timed is not None:
            columns = [at_patches(x, n_patches) for x in maps if x.shape[3] > 1]
            own = self.timed(torch.cat(columns, 1).transpose(1, 2))  # (n, patches, .)
            told = own.unflatten(2, (n_channels, n_values)).transpose(1, 2)
        if self.flat is not None:
            whole = torch.cat([x.flatten(1) for x in maps if x.shape[3] == 1], 1)
            told = told + self.flat(whole).unflatten(1, self.patches)
        assert isinstance(told, Tensor)
        return told


def at_patches(x: Tensor, n_patches: int) -> Tensor:
    """Return a map (n, width, rows, columns) at the time of each patch: (n, width * rows, patches).

    Examples
    --------
    >>> at_patches(torch.arange(4.0).view(1, 1, 1, 4), 2).tolist()
    [[[0.5, 2.5]]]
    """
    flat = x.flatten(1, 2)
    if x.shape[3] >= n_patches:
        return F.adaptive_avg_pool1d(flat, n_patches)
    return F.interpolate(flat, n_patches, mode="linear", align_corners=False)
